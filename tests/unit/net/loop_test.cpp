#include "net/loop.hpp"
#include "net/signals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "net/sockaddr.hpp"
#include "unit/net/recorder.hpp"

namespace stox::net {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// The whole pump with a real engine, on loopback. No component is there, so the gateway is not ready.
class pump : public testing::Test {
 protected:
  pump() {
    settings.gateway.sip_domains = {"sip.example"};
    settings.sip.listen = {{transport::udp, loopback()}, {transport::tcp, loopback()}};
    settings.sip.trusted_peers = {*ip_prefix::parse("127.0.0.0/8")};
    settings.components = {{"sip.example", "127.0.0.1", 1, redacted("secret"), {}}};
  }
  ~pump() override {
    if (client >= 0) close(client);
  }
  loop_hooks hooks() {
    loop_hooks h;
    h.log = [this](const log_record& r) { events.emplace_back(r.event); };
    h.reload = [this] { ++reloads; };
    h.stopping = [this](duration limit) {
      ++stops;
      drain = limit;
    };
    return h;
  }
  static socket_address bound(const loop& l, std::size_t i) {
    const auto& name = l.listeners().at(i);
    return *socket_address::parse(std::string_view(name).substr(4));
  }
  /// Looks every few milliseconds whether `done` holds; then, or when patience ends, shuts down.
  template <class F>
  ending run_until(loop& l, F done) {
    const auto end = std::chrono::steady_clock::now() + patience;
    l.every(std::chrono::milliseconds(2), [&l, done, end, this] {
      if (!done() && std::chrono::steady_clock::now() < end) return;
      in_time = std::chrono::steady_clock::now() < end;
      l.shutdown();
    });
    return l.run();
  }
  void connect_client(int type, const socket_address& to) {
    client = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const auto at = to_kernel(to, AF_INET);
    const int status = connect(client, at->get(), at->size);
    ASSERT_TRUE(status == 0 || errno == EINPROGRESS);
  }
  std::string options(const char* via) const {
    return std::string("OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/") + via +
           " 127.0.0.1:5;rport;branch=z9hG4bK-probe\r\nMax-Forwards: 70\r\nFrom: "
           "<sip:probe@127.0.0.1>;tag=1\r\n"
           "To: <sip:127.0.0.1>\r\nCall-ID: probe\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
  }
  /// Sends `request` once it can and gathers what comes back; true when that has an empty line.
  bool exchanged(const std::string& request) {
    if (!asked) asked = send(client, request.data(), request.size(), MSG_NOSIGNAL) > 0;
    char buffer[4096];
    const auto n = recv(client, buffer, sizeof buffer, 0);
    if (n > 0) answer.append(buffer, static_cast<std::size_t>(n));
    return answer.find("\r\n\r\n") != std::string::npos;
  }

  settings::all settings;
  counting_ids ids;
  std::vector<std::string> events;
  int reloads = 0;
  int stops = 0;
  duration drain{};
  int client = -1;
  bool asked = false;
  bool in_time = false;
  std::string answer;
};

TEST_F(pump, answers_a_datagram_and_ends_clean) {
  engine::engine core(settings, ids);
  loop l(core, hooks());
  ASSERT_TRUE(l.listen(settings.sip, settings.s2s));
  connect_client(SOCK_DGRAM, bound(l, 0));
  EXPECT_EQ(run_until(l, [this] { return exchanged(options("UDP")); }), ending::clean);
  EXPECT_TRUE(in_time);
  EXPECT_THAT(answer, StartsWith("SIP/2.0 503 "));
  EXPECT_THAT(answer, HasSubstr("Call-ID: probe\r\n"));
  EXPECT_EQ(stops, 1);
}

TEST_F(pump, answers_on_a_stream) {
  engine::engine core(settings, ids);
  loop l(core, hooks());
  ASSERT_TRUE(l.listen(settings.sip, settings.s2s));
  connect_client(SOCK_STREAM, bound(l, 1));
  EXPECT_EQ(run_until(l, [this] { return exchanged(options("TCP")); }), ending::clean);
  EXPECT_TRUE(in_time);
  EXPECT_THAT(answer, StartsWith("SIP/2.0 503 "));
  EXPECT_EQ(l.tcp().accepted, 1u);
}

TEST_F(pump, listens_for_xmpp_servers_where_federation_is_on) {
  settings.s2s.listen = {{transport::tcp, loopback()}};
  settings.s2s.tls_listen = {{transport::tcp, loopback()}};
  engine::engine core(settings, ids);
  loop off(core, hooks());
  ASSERT_TRUE(off.listen(settings.sip, settings.s2s));
  EXPECT_EQ(off.listeners().size(), 2u);
  settings.s2s.enabled = true;
  loop on(core, hooks());
  ASSERT_TRUE(on.listen(settings.sip, settings.s2s));
  ASSERT_EQ(on.listeners().size(), 4u);
  EXPECT_THAT(on.listeners()[2], StartsWith("s2s:tcp:127.0.0.1:"));
  EXPECT_THAT(on.listeners()[3], StartsWith("s2s:tls:127.0.0.1:"));
}

TEST_F(pump, charges_the_write_queues_to_the_memory_limit) {
  engine::engine core(settings, ids);
  loop l(core, hooks());
  ASSERT_TRUE(l.listen(settings.sip, settings.s2s));
  connect_client(SOCK_STREAM, bound(l, 1));
  // The client asks and does not read; more than the engine itself holds for a stream (256 KiB) is the
  // queues'.
  std::string many;
  for (int i = 0; i < 100; ++i) many += options("TCP");
  std::size_t at = 0;
  const auto floods = [&] {
    for (;;) {
      const auto n = send(client, many.data() + at, many.size() - at, MSG_NOSIGNAL);
      if (n <= 0) break;
      at = (at + static_cast<std::size_t>(n)) % many.size();
    }
    return l.tcp_queued() > 512U * 1024 && core.memory_used() > 512U * 1024;
  };
  run_until(l, floods);
  EXPECT_TRUE(in_time);
}

TEST_F(pump, opens_the_links_and_wakes_for_the_engines_deadlines) {
  settings.log.level = log_level::debug;
  engine::engine core(settings, ids);
  loop l(core, hooks());
  // Nobody listens on port 1: each further attempt comes from a deadline. Only the first is worth more than a
  // debug line.
  const auto refusals = [this] { return std::count(events.begin(), events.end(), "component.down"); };
  EXPECT_EQ(run_until(l, [&] { return refusals() >= 2; }), ending::clean);
  EXPECT_TRUE(in_time);
}

TEST_F(pump, takes_signals) {
  engine::engine core(settings, ids);
  loop l(core, hooks());
  ASSERT_TRUE(l.listen(settings.sip, settings.s2s));
  l.io().post([] { raise(SIGHUP); });
  l.every(std::chrono::milliseconds(2), [this] {
    if (reloads == 1) raise(SIGTERM);
  });
  EXPECT_EQ(l.run(), ending::clean);
  EXPECT_EQ(reloads, 1);
  EXPECT_EQ(stops, 1);
}

TEST_F(pump, takes_signals_that_came_before_it) {
  hold_signals();
  EXPECT_FALSE(end_is_asked());
  raise(SIGHUP);
  raise(SIGTERM);
  EXPECT_TRUE(end_is_asked());
  engine::engine core(settings, ids);
  loop l(core, hooks());
  ASSERT_TRUE(l.listen(settings.sip, settings.s2s));
  EXPECT_EQ(l.run(), ending::clean);
  EXPECT_EQ(reloads, 1);
  EXPECT_EQ(stops, 1);
  EXPECT_FALSE(end_is_asked());
}

TEST_F(pump, drains_for_as_long_as_it_was_told_last) {
  engine::engine core(settings, ids);
  loop by_signal(core, hooks());
  by_signal.set_drain(std::chrono::seconds(7));
  by_signal.io().post([] { raise(SIGTERM); });
  EXPECT_EQ(by_signal.run(), ending::clean);
  EXPECT_EQ(drain, std::chrono::seconds(7));

  engine::engine another(settings, ids);
  loop by_command(another, hooks());
  by_command.io().post([&by_command] { by_command.shutdown(std::chrono::seconds(3)); });
  EXPECT_EQ(by_command.run(), ending::clean);
  EXPECT_EQ(drain, std::chrono::seconds(3));
  EXPECT_EQ(stops, 2);
}

TEST_F(pump, forced_end_still_answers_what_is_open) {
  settings.sip.hold = std::chrono::seconds(16);
  engine::engine core(settings, ids);
  auto h = hooks();
  int lines = 0;
  h.log = [&lines](const log_record& r) {
    if (r.event != "message.to_xmpp.failed") return;
    ++lines;
    EXPECT_EQ(r.fields.front().second, "held");
  };
  loop l(core, h);
  ASSERT_TRUE(l.listen(settings.sip, settings.s2s));
  connect_client(SOCK_DGRAM, bound(l, 0));
  const std::string held =
      "MESSAGE sip:juliet@xmpp.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5;rport;branch=z9hG4bK-m\r\n"
      "Max-Forwards: 70\r\nFrom: <sip:alice@sip.example>;tag=1\r\nTo: <sip:juliet@xmpp.example>\r\n"
      "Call-ID: held\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi";
  const auto open = [&core] {
    for (const auto& s : core.samples()) {
      if (s.name == "open_messages") return s.value;
    }
    return -1.0;
  };
  // The first signal begins the drain, which the open message holds up; the second one ends it.
  const auto give_up = std::chrono::steady_clock::now() + patience;
  l.every(std::chrono::milliseconds(2), [&] {
    exchanged(held);
    if (open() == 1 || std::chrono::steady_clock::now() > give_up) raise(SIGTERM);
  });
  EXPECT_EQ(l.run(), ending::forced);
  EXPECT_TRUE(exchanged(held));
  EXPECT_THAT(answer, StartsWith("SIP/2.0 480 "));
  EXPECT_EQ(lines, 1);
  EXPECT_EQ(open(), 0);
}

TEST_F(pump, refuses_what_it_cannot_listen_on) {
  engine::engine core(settings, ids);
  loop first(core, hooks());
  ASSERT_TRUE(first.listen(settings.sip, settings.s2s));
  loop second(core, hooks());
  settings.sip.listen = {{transport::udp, bound(first, 0)}};
  const auto taken = second.listen(settings.sip, settings.s2s);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().detail, StartsWith("sip.listen: udp:127.0.0.1:"));
  EXPECT_THAT(taken.error().detail, HasSubstr("Address already in use"));
  settings.sip.listen.clear();
  settings.s2s.enabled = true;
  settings.s2s.tls_listen = {{transport::tls, bound(first, 1)}};
  loop third(core, hooks());
  const auto too = third.listen(settings.sip, settings.s2s);
  ASSERT_FALSE(too);
  EXPECT_THAT(too.error().detail, StartsWith("xmpp.s2s.tls_listen: tls:127.0.0.1:"));
}

}  // namespace
}  // namespace stox::net
