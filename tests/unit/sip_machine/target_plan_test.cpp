#include "sip/machine/target_plan.hpp"

#include <gtest/gtest.h>

namespace stox::sip {
namespace {

using namespace std::chrono_literals;

target udp(const char* where) { return {transport::udp, *socket_address::parse(where)}; }
target tcp(const char* where) { return {transport::tcp, *socket_address::parse(where)}; }
const target a = udp("192.0.2.1:5060"), b = udp("192.0.2.2:5060");

TEST(target_plan, gives_each_target_once_in_order) {
  target_plan plan;
  plan.add(a);
  plan.add(b);
  std::string why;
  EXPECT_EQ(plan.next({}, false, why, {}), a);
  EXPECT_FALSE(plan.at_end());
  EXPECT_EQ(plan.next({}, false, why, {}), b);
  EXPECT_TRUE(plan.at_end());
  EXPECT_EQ(plan.next({}, false, why, {}), std::nullopt);
  EXPECT_EQ(why, "");
}

TEST(target_plan, what_is_too_large_goes_over_tcp_and_by_udp_only_if_nothing_left) {
  target_plan plan;
  plan.add_by_stream(a, true);
  std::string why;
  EXPECT_EQ(plan.next({}, false, why, {}), tcp("192.0.2.1:5060"));
  EXPECT_FALSE(plan.has_more({}, false, {}));
  EXPECT_TRUE(plan.has_more({}, true, {}));
  target_plan untouched = plan;
  EXPECT_EQ(plan.next({}, false, why, {}), std::nullopt);
  EXPECT_EQ(untouched.next({}, true, why, {}), a);
  // A stream takes any size.
  target_plan stream;
  stream.add_by_stream(tcp("192.0.2.1:5060"), true);
  EXPECT_EQ(stream.next({}, false, why, {}), tcp("192.0.2.1:5060"));
  EXPECT_TRUE(stream.at_end());
  target_plan never;
  never.add_by_stream(a, false);
  EXPECT_EQ(never.next({}, false, why, {}), tcp("192.0.2.1:5060"));
  EXPECT_EQ(never.next({}, true, why, {}), std::nullopt);
}

TEST(target_plan, passes_over_who_asked_for_a_pause_and_says_so) {
  server_health health;
  EXPECT_TRUE(health.pause(a.to, 10s, {}));
  target_plan plan;
  plan.add(a);
  plan.add(b);
  std::string why;
  target_plan later = plan;
  EXPECT_EQ(plan.next(health, false, why, {}), b);
  EXPECT_EQ(why, "192.0.2.1:5060 asked for a pause");
  EXPECT_TRUE(plan.held_back());
  EXPECT_EQ(later.next(health, false, why, instant{} + 10s), a);
  EXPECT_FALSE(later.held_back());
}

TEST(target_plan, ends_when_it_is_stopped) {
  target_plan plan;
  plan.add(a);
  plan.stop();
  std::string why;
  EXPECT_FALSE(plan.has_more({}, true, {}));
  EXPECT_EQ(plan.next({}, true, why, {}), std::nullopt);
}

TEST(server_health, puts_who_failed_last_and_keeps_the_order_else) {
  server_health health;
  health.punish(a, 30s, {});
  const target c = udp("192.0.2.3:5060");
  std::vector<target> all = {a, b, c};
  health.order(all, {});
  EXPECT_EQ(all, (std::vector{b, c, a}));
  health.forgive(a);
  all = {a, b, c};
  health.order(all, {});
  EXPECT_EQ(all, (std::vector{a, b, c}));
}

TEST(server_health, never_shortens_a_pause_and_remembers_a_bounded_number) {
  server_health health;
  EXPECT_TRUE(health.pause(a.to, 10s, {}));
  EXPECT_FALSE(health.pause(a.to, 1s, {}));
  EXPECT_TRUE(health.is_paused(a.to, instant{} + 9s));
  EXPECT_FALSE(health.is_paused(a.to, instant{} + 10s));
  for (std::uint16_t port = 1; port < 256; ++port) EXPECT_TRUE(health.pause({b.to.ip, port}, 10s, {}));
  EXPECT_FALSE(health.pause({b.to.ip, 999}, 10s, {}));
  EXPECT_TRUE(health.pause({b.to.ip, 999}, 10s, instant{} + 10s));  // the others are over
}

}  // namespace
}  // namespace stox::sip
