#include "net/udp.hpp"

#include <gtest/gtest.h>

#include <string>

#include "unit/net/recorder.hpp"

namespace stox::net {
namespace {

constexpr conn_id a_id{1};
constexpr conn_id b_id{2};

class udp : public testing::Test {
 protected:
  socket_address bound(udp_ports& ports, conn_id id, const socket_address& at) {
    const auto r = ports.listen(id, at);
    EXPECT_TRUE(r) << (r ? "" : r.error().to_string());
    return r ? *r : socket_address{};
  }

  reactor loop;
  recorder a_sink, b_sink;
  udp_ports a{loop, a_sink};
  udp_ports b{loop, b_sink};
};

TEST_F(udp, tells_the_port_that_the_kernel_chose) {
  const auto at = bound(a, a_id, loopback());
  EXPECT_EQ(at.ip, loopback().ip);
  EXPECT_NE(at.port, 0);
  EXPECT_TRUE(a.has(a_id));
  EXPECT_FALSE(a.has(b_id));
}

TEST_F(udp, carries_two_hundred_datagrams_there_and_back) {
  const auto a_at = bound(a, a_id, loopback());
  const auto b_at = bound(b, b_id, loopback());
  std::size_t answered = 0;
  b_sink.at_batch_end = [&] {
    for (; answered < b_sink.datagrams.size(); ++answered) {
      const auto& [from, text] = b_sink.datagrams[answered];
      b.send({b_id, token{1000 + answered}, from, "re " + text});
    }
    b.flush();
  };
  for (std::uint64_t i = 0; i < 200; ++i) a.send({a_id, token{i + 1}, b_at, "datagram " + std::to_string(i)});
  a.flush();
  ASSERT_TRUE(loop.run_until([&] { return a_sink.datagrams.size() == 200; }, patience));

  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(b_sink.datagrams[i].first, a_at);
    EXPECT_EQ(b_sink.datagrams[i].second, "datagram " + std::to_string(i));
    EXPECT_EQ(a_sink.datagrams[i].second, "re datagram " + std::to_string(i));
  }
  const auto sent = a_sink.all<io::sent>();
  ASSERT_EQ(sent.size(), 200u);
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(sent[i].tok, token{i + 1});
  EXPECT_EQ(b_sink.count<io::sent>(), 200u);
  EXPECT_EQ(a_sink.count<io::send_failed>() + b_sink.count<io::send_failed>(), 0u);
}

TEST_F(udp, reports_nothing_for_a_send_without_token) {
  const auto b_at = bound(b, b_id, loopback());
  bound(a, a_id, loopback());
  a.send({a_id, token::none, b_at, "x"});
  a.send({conn_id{77}, token::none, b_at, "no such socket"});
  a.flush();
  ASSERT_TRUE(loop.run_until([&] { return b_sink.datagrams.size() == 1; }, patience));
  EXPECT_TRUE(a_sink.events.empty());
}

TEST_F(udp, carries_the_largest_and_the_empty_datagram_whole) {
  const auto b_at = bound(b, b_id, loopback());
  bound(a, a_id, loopback());
  const std::string largest(65'507, 'L');
  a.send({a_id, token{1}, b_at, largest});
  a.send({a_id, token{2}, b_at, ""});
  a.flush();
  ASSERT_TRUE(loop.run_until([&] { return b_sink.datagrams.size() == 2; }, patience));
  EXPECT_EQ(b_sink.datagrams[0].second, largest);
  EXPECT_EQ(b_sink.datagrams[1].second, "");
}

TEST_F(udp, fails_only_the_datagram_that_cannot_leave) {
  const auto b_at = bound(b, b_id, loopback());
  bound(a, a_id, loopback());
  a.send({a_id, token{1}, b_at, "first"});
  a.send({a_id, token{2}, b_at, std::string(65'508, 'x')});   // one byte more than IPv4 carries
  a.send({a_id, token{3}, loopback6(5060), "other family"});  // an IPv4 socket cannot speak to it
  a.send({a_id, token{4}, b_at, "last"});
  a.flush();
  ASSERT_TRUE(loop.run_until([&] { return b_sink.datagrams.size() == 2; }, patience));
  EXPECT_EQ(b_sink.datagrams[1].second, "last");
  const auto failed = a_sink.all<io::send_failed>();
  ASSERT_EQ(failed.size(), 2u);
  EXPECT_EQ(failed[0].tok, token{2});
  EXPECT_EQ(failed[0].why, io::fail::unreachable);
  EXPECT_EQ(failed[1].tok, token{3});
  EXPECT_EQ(failed[1].why, io::fail::unreachable);
  EXPECT_EQ(a_sink.count<io::sent>(), 2u);
  EXPECT_EQ(a.counters().failed, 2u);
  EXPECT_EQ(a.counters().dropped, 0u);
}

TEST_F(udp, refuses_above_its_queue_limit) {
  udp_ports small(loop, a_sink, {.queue_bytes = 100'000});
  const auto b_at = bound(b, b_id, loopback());
  bound(small, a_id, loopback());
  for (std::uint64_t i = 1; i <= 3; ++i) small.send({a_id, token{i}, b_at, std::string(40'000, 'x')});
  const auto failed = a_sink.all<io::send_failed>();
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].tok, token{3});
  EXPECT_EQ(failed[0].why, io::fail::overflow);
  EXPECT_EQ(small.counters().dropped, 1u);
  EXPECT_GE(small.queued(), 80'000u);
  small.flush();
  EXPECT_EQ(small.queued(), 0u);
  EXPECT_EQ(a_sink.count<io::sent>(), 2u);
}

TEST_F(udp, names_the_address_that_is_taken) {
  const auto at = bound(a, a_id, loopback());
  const auto second = b.listen(b_id, at);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().to_string(),
            "net/cannot_bind: udp:" + at.to_string() + ": Address already in use");
}

TEST_F(udp, fails_what_is_queued_when_all_is_closed) {
  const auto b_at = bound(b, b_id, loopback());
  bound(a, a_id, loopback());
  a.send({a_id, token{1}, b_at, "x"});
  a.close_all();
  a.send({a_id, token{2}, b_at, "x"});
  a.flush();
  const auto failed = a_sink.all<io::send_failed>();
  ASSERT_EQ(failed.size(), 2u);
  EXPECT_EQ(failed[0].why, io::fail::closed_here);
  EXPECT_EQ(failed[1].why, io::fail::unreachable);
}

TEST_F(udp, speaks_both_families_through_the_ipv6_wildcard) {
  const auto wildcard = b.listen(b_id, {*ip_address::parse("::"), 0});
  if (!wildcard) GTEST_SKIP() << "no IPv6 here: " << wildcard.error().to_string();
  const auto a_at = bound(a, a_id, loopback());
  const conn_id a6_id{3};
  const auto a6 = a.listen(a6_id, loopback6());
  if (!a6) GTEST_SKIP() << "no IPv6 loopback here: " << a6.error().to_string();
  b_sink.at_batch_end = [&] {
    for (const auto& [from, text] : b_sink.datagrams) b.send({b_id, token::none, from, "re " + text});
    b_sink.datagrams.clear();
    b.flush();
  };
  a.send({a_id, token{1}, loopback(wildcard->port), "four"});
  a.send({a6_id, token{2}, loopback6(wildcard->port), "six"});
  a.flush();
  ASSERT_TRUE(loop.run_until([&] { return a_sink.datagrams.size() == 2; }, patience));
  EXPECT_EQ(a_sink.bytes[a_id], "re four");
  EXPECT_EQ(a_sink.bytes[a6_id], "re six");
  EXPECT_TRUE(a_at.ip.is_v4());
  for (const auto& [from, text] : a_sink.datagrams) {
    EXPECT_EQ(from, text == "re four" ? loopback(wildcard->port) : loopback6(wildcard->port));
  }
}

TEST_F(udp, leaves_ipv4_alone_when_told_v6_only) {
  const auto six = a.listen(a_id, {*ip_address::parse("::"), 0}, true);
  if (!six) GTEST_SKIP() << "no IPv6 here: " << six.error().to_string();
  EXPECT_TRUE(b.listen(b_id, {*ip_address::parse("0.0.0.0"), six->port}));
}

}  // namespace
}  // namespace stox::net
