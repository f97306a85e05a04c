#include "dns/penalties.hpp"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::dns;
using namespace std::chrono_literals;

instant at(duration t) { return {steady_time{} + t, {}}; }
penalties::server server(std::uint16_t port) {
  return {transport::udp, {*ip_address::parse("192.0.2.1"), port}};
}

TEST(penalties, end_after_their_time_or_with_an_answer) {
  penalties p;
  p.punish(server(1), 30s, at(0s));
  p.punish(server(2), 30s, at(0s));
  EXPECT_TRUE(p.is_punished(server(1), at(29s)));
  EXPECT_FALSE(p.is_punished(server(1), at(30s)));
  EXPECT_FALSE(p.is_punished(server(3), at(0s)));
  p.forgive(server(2));
  EXPECT_FALSE(p.is_punished(server(2), at(1s)));
}

TEST(penalties, are_never_shortened_by_a_second_failure) {
  penalties p;
  p.punish(server(1), 60s, at(0s));
  p.punish(server(1), 10s, at(1s));
  EXPECT_TRUE(p.is_punished(server(1), at(59s)));
}

TEST(penalties, of_another_transport_do_not_count) {
  penalties p;
  p.punish(server(1), 60s, at(0s));
  EXPECT_FALSE(p.is_punished({transport::tcp, server(1).at}, at(0s)));
}

TEST(penalties, are_bounded) {
  penalties p;
  for (int i = 0; i < 5000; ++i) p.punish(server(static_cast<std::uint16_t>(i + 1)), 1s * (i + 1), at(0s));
  EXPECT_EQ(p.size(), 4096U);
  EXPECT_TRUE(p.is_punished(server(5000), at(0s)));
  EXPECT_FALSE(p.is_punished(server(1), at(0s)));  // would have ended first
}

}  // namespace
