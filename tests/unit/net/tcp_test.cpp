#include "net/tcp.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <string>

#include "unit/net/raw_socket.hpp"
#include "unit/net/recorder.hpp"

namespace stox::net {
namespace {

constexpr conn_id c1{first_core_conn | 1};
constexpr conn_id c2{first_core_conn | 2};

class tcp : public testing::Test {
 protected:
  template <class F>
  bool until(F done) {
    return loop.run_until(done, patience);
  }
  void connect(tcp_ports& ports, conn_id id, const socket_address& to) {
    ports.open({id, conn_use::component, transport::tcp, "", to});
    ASSERT_TRUE(until([&] { return sink.count<io::opened>() + sink.count<io::closed>() > 0; }));
    ASSERT_EQ(sink.count<io::opened>(), 1u);
  }

  reactor loop;
  rim_numbers numbers;
  recorder sink;
  raw_socket server;
};

TEST_F(tcp, opens_sends_receives_and_tells_addresses) {
  tcp_ports ports(loop, numbers, sink);
  const auto at = server.bind_and_listen();
  connect(ports, c1, at);
  const auto peer = server.accept_one();
  const auto opened = sink.all<io::opened>()[0];
  EXPECT_EQ(opened.conn, c1);
  EXPECT_EQ(opened.peer, at);
  EXPECT_EQ(opened.local.ip, loopback().ip);

  ports.send({c1, token{7}, {}, "hello"});
  EXPECT_EQ(sink.count<io::sent>(), 0u);  // not before the kernel has it
  ports.flush();
  ASSERT_EQ(sink.count<io::sent>(), 1u);
  EXPECT_EQ(sink.all<io::sent>()[0].tok, token{7});
  peer.write("welcome");
  ASSERT_TRUE(until([&] { return sink.bytes[c1] == "welcome"; }));
  bool ended = false;
  EXPECT_EQ(peer.read_available(ended), "hello");
  EXPECT_FALSE(ended);
}

TEST_F(tcp, accepts_and_numbers_connections) {
  tcp_ports ports(loop, numbers, sink);
  const auto at = ports.listen(loopback());
  ASSERT_TRUE(at);
  raw_socket one;
  raw_socket two;
  one.connect_to(*at);
  two.connect_to(*at);
  one.write("one");
  two.write("two");
  ASSERT_TRUE(until([&] { return sink.datagrams.size() == 2; }));
  const auto accepted = sink.all<io::accepted>();
  ASSERT_EQ(accepted.size(), 2u);
  EXPECT_NE(accepted[0].conn, accepted[1].conn);
  EXPECT_LT(static_cast<std::uint64_t>(accepted[1].conn), first_core_conn);
  EXPECT_EQ(accepted[0].use, conn_use::sip);
  EXPECT_EQ(accepted[0].via, transport::tcp);
  EXPECT_EQ(accepted[0].local, *at);
  EXPECT_EQ(sink.bytes[accepted[0].conn], "one");
  EXPECT_EQ(sink.bytes[accepted[1].conn], "two");
  EXPECT_EQ(ports.counters().accepted, 2u);
}

TEST_F(tcp, sends_what_was_queued_while_connecting_in_one_order) {
  tcp_ports ports(loop, numbers, sink);
  const auto at = server.bind_and_listen();
  ports.open({c1, conn_use::sip, transport::tcp, "", at});
  std::string expected;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    ports.send({c1, token{i}, {}, "piece " + std::to_string(i) + "\n"});
    expected += "piece " + std::to_string(i) + "\n";
  }
  ports.flush();
  EXPECT_EQ(sink.count<io::sent>(), 0u);
  ASSERT_TRUE(until([&] { return sink.count<io::sent>() == 200; }));
  for (std::uint64_t i = 0; i < 200; ++i) EXPECT_EQ(sink.all<io::sent>()[i].tok, token{i + 1});
  const auto peer = server.accept_one();
  bool ended = false;
  EXPECT_EQ(peer.read_available(ended), expected);
}

TEST_F(tcp, tells_refused_and_fails_what_was_queued_first) {
  tcp_ports ports(loop, numbers, sink);
  const auto at = server.bind_and_listen(-1);  // the port is taken, but nobody listens
  ports.open({c1, conn_use::sip, transport::tcp, "", at});
  ports.send({c1, token{1}, {}, "x"});
  ports.send({c1, token{2}, {}, "y"});
  ASSERT_TRUE(until([&] { return sink.count<io::closed>() == 1; }));
  ASSERT_EQ(sink.events.size(), 3u);
  EXPECT_EQ(std::get<io::send_failed>(sink.events[0]).tok, token{1});
  EXPECT_EQ(std::get<io::send_failed>(sink.events[0]).why, io::fail::refused);
  EXPECT_EQ(std::get<io::send_failed>(sink.events[1]).tok, token{2});
  EXPECT_EQ(std::get<io::closed>(sink.events[2]).conn, c1);
  EXPECT_EQ(std::get<io::closed>(sink.events[2]).why, io::fail::refused);
}

TEST_F(tcp, finds_a_host_by_name) {
  tcp_ports ports(loop, numbers, sink);
  const auto at = server.bind_and_listen();
  // The name may give ::1 first, where nobody listens: the next address is tried.
  ports.open({c1, conn_use::component, transport::tcp, "localhost", {{}, at.port}});
  EXPECT_TRUE(ports.resolving());
  ASSERT_TRUE(until([&] { return sink.events.size() == 1; }));
  ASSERT_EQ(sink.count<io::opened>(), 1u);
  EXPECT_EQ(sink.all<io::opened>()[0].peer, at);
  EXPECT_FALSE(ports.resolving());
}

TEST_F(tcp, takes_a_literal_host_without_lookup) {
  tcp_ports ports(loop, numbers, sink);
  const auto at = server.bind_and_listen();
  ports.open({c1, conn_use::component, transport::tcp, "127.0.0.1", {{}, at.port}});
  EXPECT_FALSE(ports.resolving());
  ASSERT_TRUE(until([&] { return sink.count<io::opened>() == 1; }));
}

TEST_F(tcp, tells_not_found_for_a_name_without_address) {
  tcp_ports ports(loop, numbers, sink);
  ports.open({c1, conn_use::component, transport::tcp, "empty..label.invalid", {{}, 5347}});
  ASSERT_TRUE(until([&] { return sink.count<io::closed>() == 1; }));
  EXPECT_EQ(sink.all<io::closed>()[0].why, io::fail::not_found);
}

TEST_F(tcp, gives_up_a_connect_after_its_limit) {
  tcp_ports ports(loop, numbers, sink, {.connect = std::chrono::milliseconds(100)});
  // Once the accept queue is full, the kernel ignores further SYNs.
  const auto at = server.bind_and_listen(0);
  for (std::uint64_t i = 1; i <= 8; ++i) {
    ports.open({conn_id{first_core_conn + i}, conn_use::sip, transport::tcp, "", at});
  }
  ASSERT_TRUE(until([&] { return sink.count<io::closed>() > 0; }));
  for (const auto& c : sink.all<io::closed>()) EXPECT_EQ(c.why, io::fail::timed_out);
}

TEST_F(tcp, blocks_above_high_water_and_tells_sent_only_for_whole_pieces) {
  tcp_ports ports(loop, numbers, sink);
  server.small_receive_buffer();
  connect(ports, c1, server.bind_and_listen());
  const auto peer = server.accept_one();
  sink.events.clear();
  std::string big(7u << 20, '\0');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>('a' + i % 23);
  ports.send({c1, token{1}, {}, big});
  ports.send({c1, token{2}, {}, "tail"});
  ports.flush();
  ASSERT_EQ(sink.events.size(), 1u);  // no sent: seven megabytes do not fit into the kernel's buffers
  EXPECT_EQ(std::get<io::blocked>(sink.events[0]).conn, c1);
  EXPECT_GT(ports.queued(), 0u);

  // In a thread of its own: a loop that waits for room hears nothing that would make a reader in it read.
  auto got = std::async(std::launch::async, [&peer] { return peer.read_to_end(); });
  ASSERT_TRUE(until([&] { return sink.count<io::sent>() == 2; }));
  EXPECT_EQ(sink.all<io::sent>()[0].tok, token{1});
  EXPECT_EQ(sink.count<io::writable>(), 1u);
  EXPECT_EQ(sink.count<io::closed>(), 0u);
  EXPECT_EQ(ports.queued(), 0u);
  ports.close(c1);
  ASSERT_TRUE(until([&] { return sink.count<io::closed>() == 1; }));
  EXPECT_EQ(got.get(), big + "tail");
}

TEST_F(tcp, closes_a_connection_whose_peer_does_not_read_at_the_hard_limit) {
  tcp_ports ports(loop, numbers, sink, {.high = 64 * 1024, .low = 16 * 1024, .hard = 1u << 20});
  server.small_receive_buffer();
  connect(ports, c1, server.bind_and_listen());
  const auto peer = server.accept_one();
  sink.events.clear();
  std::uint64_t pieces = 0;
  while (sink.count<io::closed>() == 0 && pieces < 1000) {
    ports.send({c1, token{++pieces}, {}, std::string(64 * 1024, 'x')});
    ports.flush();
  }
  ASSERT_LT(pieces, 1000u);
  const auto failed = sink.all<io::send_failed>();
  EXPECT_EQ(failed.front().tok, token{pieces});  // the one that did not fit
  EXPECT_EQ(failed.front().why, io::fail::overflow);
  EXPECT_EQ(std::get<io::closed>(sink.events.back()).why, io::fail::overflow);
  EXPECT_EQ(sink.count<io::blocked>(), 1u);
  std::map<token, int> told;
  for (const auto& s : sink.all<io::sent>()) ++told[s.tok];
  for (const auto& f : failed) ++told[f.tok];
  EXPECT_EQ(told.size(), pieces);
  for (const auto& [tok, times] : told) EXPECT_EQ(times, 1);
}

TEST_F(tcp, bounds_the_queues_of_all_connections_together) {
  tcp_ports ports(loop, numbers, sink, {.total = 1000});
  const auto at = server.bind_and_listen();
  ports.open({c1, conn_use::sip, transport::tcp, "", at});
  ports.open({c2, conn_use::sip, transport::tcp, "", at});
  ports.send({c1, token{1}, {}, std::string(600, 'x')});
  ports.send({c2, token{2}, {}, std::string(600, 'x')});
  ASSERT_EQ(sink.events.size(), 2u);
  EXPECT_EQ(std::get<io::send_failed>(sink.events[0]).tok, token{2});
  EXPECT_EQ(std::get<io::closed>(sink.events[1]).conn, c2);
  EXPECT_EQ(std::get<io::closed>(sink.events[1]).why, io::fail::overflow);
}

TEST_F(tcp, tells_the_peers_end_after_its_last_bytes) {
  tcp_ports ports(loop, numbers, sink);
  connect(ports, c1, server.bind_and_listen());
  auto peer = server.accept_one();
  peer.write("bye");
  peer.close_now();
  ASSERT_TRUE(until([&] { return sink.count<io::closed>() == 1; }));
  EXPECT_EQ(sink.bytes[c1], "bye");
  EXPECT_EQ(sink.all<io::closed>()[0].why, io::fail::peer_closed);
  ports.send({c1, token{5}, {}, "late"});
  EXPECT_EQ(std::get<io::send_failed>(sink.events.back()).tok, token{5});
  ports.close(c1);
  EXPECT_EQ(sink.count<io::closed>(), 1u);
}

TEST_F(tcp, tells_a_reset_and_fails_the_tokens_once) {
  tcp_ports ports(loop, numbers, sink);
  server.small_receive_buffer();
  connect(ports, c1, server.bind_and_listen());
  auto peer = server.accept_one();
  ports.send({c1, token{1}, {}, std::string(7u << 20, 'x')});
  ports.flush();
  peer.reset();
  ASSERT_TRUE(until([&] { return sink.count<io::closed>() == 1; }));
  ASSERT_EQ(sink.count<io::send_failed>(), 1u);
  EXPECT_EQ(sink.all<io::send_failed>()[0].why, io::fail::reset);
  EXPECT_EQ(sink.all<io::closed>()[0].why, io::fail::reset);
}

TEST_F(tcp, close_writes_out_what_is_queued_and_the_peer_sees_an_orderly_end) {
  tcp_ports ports(loop, numbers, sink);
  server.small_receive_buffer();
  connect(ports, c1, server.bind_and_listen());
  const auto peer = server.accept_one();
  peer.write("the core has closed and does not want this");
  const std::string big(6u << 20, 'z');
  ports.send({c1, token{1}, {}, big});
  ports.close(c1);
  ports.send({c1, token{2}, {}, "too late"});
  EXPECT_EQ(sink.all<io::send_failed>().at(0).tok, token{2});
  std::string got;
  bool ended = false;
  ASSERT_TRUE(until([&] {
    got += peer.read_available(ended);
    return ended;
  }));
  EXPECT_EQ(got, big);
  EXPECT_EQ(sink.all<io::sent>().at(0).tok, token{1});
  EXPECT_EQ(sink.all<io::closed>().at(0).why, io::fail::closed_here);
  EXPECT_EQ(sink.bytes[c1], "");
}

TEST_F(tcp, close_of_a_peer_that_does_not_read_ends_in_time) {
  tcp_ports ports(loop, numbers, sink, {.close = std::chrono::milliseconds(50)});
  server.small_receive_buffer();
  connect(ports, c1, server.bind_and_listen());
  const auto peer = server.accept_one();
  ports.send({c1, token{1}, {}, std::string(7u << 20, 'x')});
  ports.close(c1);
  EXPECT_EQ(sink.count<io::closed>(), 0u);
  ASSERT_TRUE(until([&] { return sink.count<io::closed>() == 1; }));
  EXPECT_EQ(sink.all<io::send_failed>().at(0).tok, token{1});
  EXPECT_EQ(sink.all<io::closed>()[0].why, io::fail::closed_here);
}

TEST_F(tcp, close_of_a_connection_that_is_not_open_yet_ends_it) {
  tcp_ports ports(loop, numbers, sink);
  ports.open({c1, conn_use::component, transport::tcp, "localhost", {{}, 1}});
  ports.send({c1, token{1}, {}, "x"});
  ports.close(c1);
  ASSERT_EQ(sink.events.size(), 2u);
  EXPECT_EQ(std::get<io::send_failed>(sink.events[0]).why, io::fail::closed_here);
  EXPECT_EQ(std::get<io::closed>(sink.events[1]).why, io::fail::closed_here);
  ASSERT_TRUE(until([&] { return !ports.resolving(); }));  // the late answer finds nobody
  EXPECT_EQ(sink.events.size(), 2u);
}

TEST_F(tcp, turns_away_what_is_above_the_connection_limit) {
  tcp_ports ports(loop, numbers, sink, {.max_accepted = {1}});
  const auto at = ports.listen(loopback());
  ASSERT_TRUE(at);
  raw_socket first;
  raw_socket second;
  first.connect_to(*at);
  second.connect_to(*at);
  ASSERT_TRUE(until([&] { return ports.counters().refused_full.sip == 1; }));
  EXPECT_EQ(second.read_to_end(), "");
  EXPECT_EQ(sink.count<io::accepted>(), 1u);
  first.close_now();
  ASSERT_TRUE(until([&] { return sink.count<io::closed>() == 1; }));
  raw_socket third;
  third.connect_to(*at);
  ASSERT_TRUE(until([&] { return sink.count<io::accepted>() == 2; }));
}

TEST_F(tcp, counts_the_places_of_each_use_alone) {
  tcp_ports ports(loop, numbers, sink, {.max_accepted = {1, 1}});
  const auto sip = ports.listen(loopback());
  const auto s2s = ports.listen(loopback(), false, transport::tcp, conn_use::s2s);
  ASSERT_TRUE(sip && s2s);
  raw_socket one, two, three, four;
  one.connect_to(*sip);
  two.connect_to(*s2s);
  ASSERT_TRUE(until([&] { return sink.count<io::accepted>() == 2; }));
  auto accepted = sink.all<io::accepted>();
  std::sort(accepted.begin(), accepted.end(), [](const auto& a, const auto& b) { return a.use < b.use; });
  EXPECT_EQ(accepted[0].use, conn_use::sip);
  EXPECT_EQ(use_of(accepted[0].conn), conn_use::sip);
  EXPECT_EQ(accepted[0].local, *sip);
  EXPECT_EQ(accepted[1].use, conn_use::s2s);
  EXPECT_EQ(use_of(accepted[1].conn), conn_use::s2s);
  EXPECT_EQ(accepted[1].local, *s2s);
  EXPECT_LT(static_cast<std::uint64_t>(accepted[1].conn), first_core_conn);
  three.connect_to(*s2s);
  ASSERT_TRUE(until([&] { return ports.counters().refused_full.s2s == 1; }));
  EXPECT_EQ(ports.counters().refused_full.sip, 0u);
  ports.set_max_accepted(conn_use::s2s, 2);
  three = raw_socket();
  three.connect_to(*s2s);
  ASSERT_TRUE(until([&] { return sink.count<io::accepted>() == 3; }));
  four.connect_to(*sip);
  ASSERT_TRUE(until([&] { return ports.counters().refused_full.sip == 1; }));
}

TEST_F(tcp, keeps_no_place_for_a_peer_that_does_not_end_after_us) {
  tcp_ports ports(loop, numbers, sink,
                  {.close = std::chrono::hours(1), .max_accepted = {1}, .max_lingering = 1});
  const auto at = ports.listen(loopback());
  ASSERT_TRUE(at);
  raw_socket first;
  raw_socket second;
  first.connect_to(*at);
  ASSERT_TRUE(until([&] { return sink.count<io::accepted>() == 1; }));
  ports.close(sink.all<io::accepted>()[0].conn);
  second.connect_to(*at);
  ASSERT_TRUE(until([&] { return sink.count<io::accepted>() == 2; }));
  EXPECT_EQ(first.read_to_end(), "");
  first.write("still heard, though nobody listens");
  EXPECT_FALSE(first.was_reset(std::chrono::milliseconds(0)));
  ports.close(sink.all<io::accepted>()[1].conn);
  EXPECT_TRUE(first.was_reset(patience));  // it is told that its bytes were not read
  EXPECT_EQ(ports.counters().refused_full.sip, 0u);
}

TEST_F(tcp, survives_running_out_of_descriptors) {
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
  // UBSan's check of virtual calls opens a pipe to see whether memory is readable: without descriptors it
  // reports every call.
  GTEST_SKIP() << "UBSan itself needs descriptors";
#endif
#endif
  tcp_ports ports(loop, numbers, sink);
  const auto at = ports.listen(loopback());
  ASSERT_TRUE(at);
  loop.run_until([] { return true; }, patience);
  raw_socket hungry;
  raw_socket later;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(next);
  const rlimit none_left{static_cast<rlim_t>(next), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none_left), 0);
  hungry.connect_to(*at);
  const bool failed = until([&] { return ports.counters().accept_failures > 0; });
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(failed);
  EXPECT_EQ(hungry.read_to_end(), "");  // told, not left waiting
  later.connect_to(*at);
  ASSERT_TRUE(until([&] { return sink.count<io::accepted>() == 1; }));
}

TEST_F(tcp, names_the_address_that_is_taken) {
  tcp_ports ports(loop, numbers, sink);
  const auto at = server.bind_and_listen();
  const auto second = ports.listen(at);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().to_string(),
            "net/cannot_bind: tcp:" + at.to_string() + ": Address already in use");
}

TEST_F(tcp, speaks_ipv6) {
  tcp_ports ports(loop, numbers, sink);
  const auto at = ports.listen(loopback6());
  if (!at) GTEST_SKIP() << "no IPv6 here: " << at.error().to_string();
  ports.open({c1, conn_use::sip, transport::tcp, "[::1]", {{}, at->port}});
  ports.send({c1, token{1}, {}, "six"});
  ASSERT_TRUE(until([&] { return !sink.datagrams.empty(); }));
  const auto accepted = sink.all<io::accepted>().at(0);
  EXPECT_EQ(sink.bytes[accepted.conn], "six");
  EXPECT_EQ(accepted.local, *at);
  EXPECT_EQ(accepted.peer, sink.all<io::opened>().at(0).local);
}

}  // namespace
}  // namespace stox::net
