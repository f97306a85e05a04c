// TLS on connections that began without it, and what TLS between XMPP servers has of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "net/tcp.hpp"
#include "unit/net/tls_pair.hpp"

namespace stox::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr conn_id c2{first_core_conn | 2};
constexpr std::string_view hello_begin("\x16\x03", 2);  // of a record with a ClientHello

/// The server's listener takes XMPP servers, without TLS at first.
class start_tls : public tls_pair {
 protected:
  void start(tcp_limits limits = {}) { tls_pair::start(limits, loopback(), transport::tcp, conn_use::s2s); }
  void connect(conn_id id = c1) {
    const auto before = heard.count<io::accepted>();
    client->open({id, conn_use::s2s, transport::tcp, "", at});
    ASSERT_TRUE(
        until([&] { return heard.count<io::accepted>() > before && told.count<io::opened>() > before; }));
  }
  /// A client by system calls.
  raw_socket connect_raw() {
    const auto before = heard.count<io::accepted>();
    raw_socket out;
    out.connect_to(at);
    EXPECT_TRUE(until([&] { return heard.count<io::accepted>() > before; }));
    return out;
  }
  bool both_secured() {
    return until([&] { return heard.count<io::secured>() == 1 && told.count<io::secured>() == 1; });
  }
  void upgrade() {
    server->start_tls({accepted()});
    client->start_tls({c1, "one.example", "gw.example"});
    ASSERT_TRUE(both_secured());
  }
  /// More than the kernel takes at once.
  static std::string much() {
    std::string out(7U << 20, '\0');
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>('a' + i % 23);
    return out;
  }
  const peer_identity& server_proved() { return (server_is = told.all<io::secured>().back().identity); }
  const peer_identity& client_proved() { return (client_is = heard.all<io::secured>().back().identity); }

 private:
  peer_identity server_is, client_is;
};

TEST_F(start_tls, secures_a_connection_from_both_ends_and_tells_who_they_are) {
  start();
  connect();
  client->send({c1, token{1}, {}, "<starttls/>"});
  client->flush();
  ASSERT_TRUE(until([&] { return heard.bytes[accepted()] == "<starttls/>"; }));
  server->send({accepted(), token{2}, {}, "<proceed/>"});
  server->start_tls({accepted()});
  EXPECT_EQ(server->counters().tls_securing, 1U);
  ASSERT_TRUE(until([&] { return told.bytes[c1] == "<proceed/>"; }));
  client->start_tls({c1, "one.example", "gw.example"});
  ASSERT_TRUE(both_secured());
  EXPECT_EQ(told.all<io::secured>()[0].conn, c1);
  EXPECT_EQ(heard.all<io::secured>()[0].conn, accepted());
  EXPECT_TRUE(server_proved().chain_ok) << server_proved().why_not;
  EXPECT_THAT(server_proved().san_dns, ElementsAre("one.example"));
  EXPECT_TRUE(client_proved().chain_ok) << client_proved().why_not;
  EXPECT_THAT(client_proved().san_dns, ElementsAre("gw.example"));
  EXPECT_EQ(client_proved().sni, "one.example");

  client->send({c1, token{3}, {}, "hello"});
  client->flush();
  server->send({accepted(), token{4}, {}, "welcome"});
  server->flush();
  ASSERT_TRUE(until([&] {
    return heard.bytes[accepted()] == "<starttls/>hello" && told.bytes[c1] == "<proceed/>welcome";
  }));
  EXPECT_EQ(server->counters().tls_handshakes, 1U);
  EXPECT_EQ(server->counters().tls_securing, 0U);
  EXPECT_EQ(heard.count<io::accepted>(), 1U);
  EXPECT_EQ(told.count<io::opened>(), 1U);
  EXPECT_EQ(told.count<io::closed>() + heard.count<io::closed>(), 0U);
}

TEST_F(start_tls, lets_leave_in_clear_only_what_was_queued_before) {
  start();
  raw_socket far;
  at = far.bind_and_listen();
  client->open({c1, conn_use::s2s, transport::tcp, "", at});
  ASSERT_TRUE(until([&] { return told.count<io::opened>() == 1; }));
  const auto peer = far.accept_one();
  client->send({c1, token{1}, {}, "<starttls/>"});
  client->start_tls({c1, "one.example", "gw.example"});
  client->send({c1, token{2}, {}, "secret"});
  client->flush();
  EXPECT_EQ(told.count<io::sent>(), 1U);
  bool ended = false;
  std::string got;
  ASSERT_TRUE(until([&] {
    got += peer.read_available(ended);
    return got.size() > 100;
  }));
  EXPECT_THAT(got, StartsWith("<starttls/>" + std::string(hello_begin)));
  EXPECT_THAT(got, testing::Not(HasSubstr("secret")));
}

TEST_F(start_tls, waits_for_what_is_queued_and_keeps_the_order) {
  start();
  connect();
  const auto big = much();
  server->send({accepted(), token{1}, {}, big});
  server->flush();
  EXPECT_EQ(heard.count<io::blocked>(), 1U);
  server->send({accepted(), token{2}, {}, "."});
  server->start_tls({accepted()});
  server->send({accepted(), token{3}, {}, "over TLS"});
  server->flush();
  EXPECT_EQ(server->counters().tls_securing, 0U);
  ASSERT_TRUE(until([&] { return told.bytes[c1].size() == big.size() + 1; }));
  EXPECT_TRUE(told.bytes[c1] == big + ".");
  ASSERT_TRUE(until([&] { return heard.count<io::sent>() == 2; }));
  EXPECT_EQ(heard.count<io::writable>(), 1U);
  client->start_tls({c1, "one.example", "gw.example"});
  client->send({c1, token{4}, {}, "waits, too"});
  ASSERT_TRUE(until([&] {
    return told.bytes[c1].ends_with(".over TLS") && heard.bytes[accepted()] == "waits, too";
  }));
  EXPECT_EQ(heard.all<io::sent>()[2].tok, token{3});
  EXPECT_EQ(server->queued() + client->queued(), 0U);
}

TEST_F(start_tls, tells_nothing_that_comes_after_it_was_asked_for) {
  start();
  const auto peer = connect_raw();
  server->send({accepted(), token{1}, {}, much()});
  server->start_tls({accepted()});
  peer.write("<stream:stream> that is no TLS");
  bool ended = false;
  ASSERT_TRUE(until([&] {
    peer.read_available(ended);
    return heard.count<io::closed>() == 1;
  }));
  EXPECT_EQ(heard.bytes[accepted()], "");
  EXPECT_EQ(heard.all<io::sent>().at(0).tok, token{1});
  EXPECT_EQ(heard.all<io::closed>()[0].why, io::fail::tls);
  EXPECT_EQ(heard.all<io::closed>()[0].detail, "wrong version number");
}

TEST_F(start_tls, fails_what_waited_before_it_tells_the_end) {
  start({.max_accepted = {0, 1}});
  const auto peer = connect_raw();
  std::string noted;
  server->watch_handshakes([&](const socket_address&, std::string_view why) { noted += why; });
  heard.events.erase(heard.events.begin() + 1, heard.events.end());
  server->start_tls({accepted()});
  server->send({accepted(), token{1}, {}, "never"});
  server->send({accepted(), token{2}, {}, "arrives"});
  peer.write("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(until([&] { return heard.count<io::closed>() == 1; }));
  ASSERT_EQ(heard.events.size(), 4U);
  EXPECT_EQ(std::get<io::send_failed>(heard.events[1]).tok, token{1});
  EXPECT_EQ(std::get<io::send_failed>(heard.events[1]).why, io::fail::tls);
  EXPECT_EQ(std::get<io::send_failed>(heard.events[2]).tok, token{2});
  EXPECT_EQ(std::get<io::closed>(heard.events[3]).why, io::fail::tls);
  EXPECT_EQ(std::get<io::closed>(heard.events[3]).detail, "http request");
  EXPECT_EQ(noted, "http request");
  EXPECT_EQ(server->counters().tls_securing, 0U);
  EXPECT_EQ(server->queued(), 0U);
  connect();  // its place is free again
}

TEST_F(start_tls, keeps_the_place_of_an_accepted_connection) {
  start({.max_accepted = {0, 1}});
  connect();
  upgrade();  // it needs no second place
  client->open({c2, conn_use::s2s, transport::tcp, "", at});
  ASSERT_TRUE(until([&] { return server->counters().refused_full.s2s == 1; }));
  client->close(c1);
  ASSERT_TRUE(until([&] { return heard.count<io::closed>() == 1; }));
  EXPECT_EQ(heard.all<io::closed>()[0].why, io::fail::peer_closed);
  const auto next = connect_raw();
}

TEST_F(start_tls, has_the_limit_of_handshakes_where_it_was_accepted) {
  start({.handshake = std::chrono::milliseconds(50)});
  const auto silent = connect_raw();
  server->start_tls({accepted()});
  ASSERT_TRUE(until([&] { return heard.count<io::closed>() == 1; }));
  EXPECT_EQ(heard.all<io::closed>()[0].why, io::fail::timed_out);
  EXPECT_EQ(failures(tls_failure::timed_out), 1U);
  // Likewise who does not take what leaves before.
  const auto stuck = connect_raw();
  server->send({accepted(), token{1}, {}, much()});
  server->start_tls({accepted()});
  ASSERT_TRUE(until([&] { return heard.count<io::closed>() == 2; }));
  EXPECT_EQ(heard.all<io::closed>()[1].why, io::fail::timed_out);
  EXPECT_EQ(heard.all<io::send_failed>().at(0).tok, token{1});
}

TEST_F(start_tls, has_the_limit_of_connecting_where_we_opened) {
  start({.connect = std::chrono::milliseconds(300)});
  connect();
  client->start_tls({c1, "one.example"});  // the server is not told to
  ASSERT_TRUE(until([&] { return told.count<io::closed>() == 1; }));
  EXPECT_EQ(told.all<io::closed>()[0].why, io::fail::timed_out);
}

TEST_F(start_tls, has_no_limit_once_it_is_done) {
  start({.connect = std::chrono::milliseconds(300), .handshake = std::chrono::milliseconds(300)});
  connect();
  upgrade();
  loop.run_until([] { return false; }, std::chrono::milliseconds(400));
  EXPECT_EQ(told.count<io::closed>() + heard.count<io::closed>(), 0U);
}

TEST_F(start_tls, takes_a_place_of_handshakes_and_the_oldest_handshake_gives_way) {
  start({.max_handshakes_of_network = 1});
  const auto first = connect_raw();
  const auto first_id = accepted();
  const auto second = connect_raw();
  const auto second_id = accepted();
  server->start_tls({second_id});
  EXPECT_EQ(server->counters().tls_securing, 1U);
  // The handshake is the younger one, though the connection is older.
  server->start_tls({first_id});
  ASSERT_EQ(heard.count<io::closed>(), 1U);
  EXPECT_EQ(heard.all<io::closed>()[0].conn, second_id);
  EXPECT_EQ(heard.all<io::closed>()[0].why, io::fail::tls);
  EXPECT_EQ(failures(tls_failure::network_crowded), 1U);
  EXPECT_EQ(server->counters().tls_securing, 1U);
  server->close(first_id);
  EXPECT_EQ(server->counters().tls_securing, 0U);
}

TEST_F(start_tls, shares_the_places_with_sip) {
  start({.max_handshakes = 1});
  const auto sip = server->listen(loopback(), false, transport::tls, conn_use::sip);
  ASSERT_TRUE(sip);
  const auto stream = connect_raw();
  server->start_tls({accepted()});
  raw_socket other;
  other.connect_to(*sip);
  ASSERT_TRUE(until([&] { return failures(tls_failure::crowded) == 1; }));
  EXPECT_EQ(heard.all<io::closed>().at(0).conn, accepted());
  EXPECT_EQ(server->counters().tls_securing, 1U);
}

TEST_F(start_tls, is_closed_while_it_waits_and_nothing_leaves_in_clear) {
  start();
  connect();
  const auto big = much();
  server->send({accepted(), token{1}, {}, big});
  server->start_tls({accepted()});
  server->send({accepted(), token{2}, {}, "secret"});
  server->close(accepted());
  ASSERT_EQ(heard.count<io::send_failed>(), 1U);
  EXPECT_EQ(heard.all<io::send_failed>()[0].tok, token{2});
  EXPECT_EQ(heard.all<io::send_failed>()[0].why, io::fail::closed_here);
  ASSERT_TRUE(until([&] { return told.count<io::closed>() == 1 && heard.count<io::closed>() == 1; }));
  EXPECT_TRUE(told.bytes[c1] == big);
  EXPECT_EQ(heard.all<io::sent>().at(0).tok, token{1});
  EXPECT_EQ(heard.all<io::closed>()[0].why, io::fail::closed_here);
  EXPECT_EQ(told.all<io::closed>()[0].why, io::fail::peer_closed);
  EXPECT_EQ(server->queued(), 0U);
}

TEST_F(start_tls, is_closed_in_mid_handshake) {
  start({.max_accepted = {0, 1}});
  const auto peer = connect_raw();
  server->start_tls({accepted()});
  server->send({accepted(), token{1}, {}, "never"});
  server->close(accepted());
  EXPECT_EQ(heard.all<io::send_failed>().at(0).why, io::fail::closed_here);
  EXPECT_EQ(heard.all<io::closed>().at(0).why, io::fail::closed_here);
  EXPECT_EQ(peer.read_to_end(), "");
  EXPECT_EQ(server->counters().tls_securing, 0U);
  connect();
}

TEST_F(start_tls, hears_the_end_of_a_peer_while_it_waits) {
  start();
  auto ends = connect_raw();
  server->send({accepted(), token{1}, {}, much()});
  server->start_tls({accepted()});
  server->send({accepted(), token{2}, {}, "never"});
  ::shutdown(ends.descriptor(), SHUT_WR);
  ASSERT_TRUE(until([&] { return heard.count<io::closed>() == 1; }));
  EXPECT_EQ(heard.all<io::closed>()[0].why, io::fail::peer_closed);
  EXPECT_EQ(heard.count<io::send_failed>(), 2U);
  auto breaks = connect_raw();
  server->send({accepted(), token{3}, {}, much()});
  server->start_tls({accepted()});
  breaks.reset();
  ASSERT_TRUE(until([&] { return heard.count<io::closed>() == 2; }));
  EXPECT_EQ(heard.all<io::closed>()[1].why, io::fail::reset);
}

TEST_F(start_tls, hears_the_end_of_a_peer_in_mid_handshake) {
  start();
  auto peer = connect_raw();
  server->start_tls({accepted()});
  server->send({accepted(), token{1}, {}, "never"});
  peer.close_now();
  ASSERT_TRUE(until([&] { return heard.count<io::closed>() == 1; }));
  EXPECT_EQ(heard.all<io::closed>()[0].why, io::fail::tls);
  EXPECT_EQ(heard.all<io::closed>()[0].detail, "the peer ended the connection");
  EXPECT_EQ(heard.all<io::send_failed>().at(0).tok, token{1});
  EXPECT_EQ(failures(tls_failure::peer_gone), 1U);
}

TEST_F(start_tls, is_done_once_however_often_it_is_asked_for) {
  start();
  connect();
  server->start_tls({accepted()});
  server->start_tls({accepted()});
  client->start_tls({c1, "one.example", "gw.example"});
  client->start_tls({c1, "two.example", "gw.example"});
  ASSERT_TRUE(both_secured());
  server->start_tls({accepted()});
  client->start_tls({c1, "two.example", "gw.example"});
  client->start_tls({conn_id{first_core_conn | 77}});
  client->send({c1, token{1}, {}, "hello"});
  client->flush();
  ASSERT_TRUE(until([&] { return heard.bytes[accepted()] == "hello"; }));
  EXPECT_EQ(client_proved().sni, "one.example");
  EXPECT_EQ(server->counters().tls_handshakes, 1U);
}

TEST_F(start_tls, fails_where_there_is_no_certificate) {
  server_settings.certificates.clear();
  start();
  connect();
  server->start_tls({accepted()});
  client->start_tls({c1, "one.example", "gw.example"});
  ASSERT_TRUE(until([&] { return told.count<io::closed>() == 1 && heard.count<io::closed>() == 1; }));
  EXPECT_EQ(told.all<io::closed>()[0].why, io::fail::tls);
  EXPECT_EQ(heard.all<io::closed>()[0].why, io::fail::tls);
}

TEST_F(start_tls, fails_where_tls_is_not_set_up) {
  start();
  connect();
  client->set_tls(nullptr);
  client->start_tls({c1, "one.example", "gw.example"});
  EXPECT_EQ(told.all<io::closed>().at(0).why, io::fail::tls);
  EXPECT_EQ(told.all<io::closed>()[0].detail, "TLS is not set up");
}

TEST_F(start_tls, says_close_notify_at_the_end) {
  start();
  connect();
  upgrade();
  server->send({accepted(), token{9}, {}, "bye"});
  server->close(accepted());
  ASSERT_TRUE(until([&] { return told.count<io::closed>() == 1; }));
  EXPECT_EQ(told.bytes[c1], "bye");
  EXPECT_EQ(told.all<io::closed>()[0].why, io::fail::peer_closed);
}

// ---- which certificate ----

struct names {
  std::string asked, own, shown;
};
class start_tls_shows : public start_tls, public testing::WithParamInterface<names> {};

TEST_P(start_tls_shows, the_certificate_of_the_domain) {
  start();
  connect();
  server->start_tls({accepted(), "", GetParam().own});
  client->start_tls({c1, GetParam().asked, "gw.example"});
  ASSERT_TRUE(both_secured());
  EXPECT_THAT(server_proved().san_dns, ElementsAre(GetParam().shown));
}

INSTANTIATE_TEST_SUITE_P(
    net, start_tls_shows,
    testing::Values(names{"two.example", "", "two.example"}, names{"unknown.example", "", "one.example"},
                    names{"", "", "one.example"},
                    // The stream's "to" counts where SNI does not say it.
                    names{"", "two.example", "two.example"},
                    names{"unknown.example", "two.example", "two.example"},
                    names{"one.example", "two.example", "one.example"},
                    names{"", "unknown.example", "one.example"}));

// ---- what a certificate has to be good for ----

class start_tls_usage : public start_tls, public testing::WithParamInterface<const char*> {};

// Public authorities issue serverAuth alone; XEP-0178 takes the same certificate for both directions.
TEST_P(start_tls_usage, of_either_role_counts_in_both_directions) {
  server_settings.certificates = {entry(root.issue({"x", "DNS:one.example", GetParam()}), {"one.example"})};
  client_settings.certificates = {entry(root.issue({"x", "DNS:gw.example", GetParam()}), {"gw.example"})};
  start();
  connect();
  upgrade();
  EXPECT_TRUE(server_proved().chain_ok) << server_proved().why_not;
  EXPECT_TRUE(client_proved().chain_ok) << client_proved().why_not;
}

INSTANTIATE_TEST_SUITE_P(net, start_tls_usage, testing::Values("serverAuth", "clientAuth"));

TEST_F(start_tls, does_not_believe_a_certificate_for_sip_domains_alone) {
  client_settings.certificates = {
      entry(root.issue({"x", "DNS:gw.example", "1.3.6.1.5.5.7.3.20"}), {"gw.example"})};
  start();
  connect();
  upgrade();
  EXPECT_FALSE(client_proved().chain_ok);
  EXPECT_EQ(client_proved().why_not,
            "its certificate is not for TLS between XMPP servers (extended key usage)");
}

// ---- TLS from the first byte: ALPN ----

/// A listener of either use, with TLS.
class alpn : public tls_pair {
 protected:
  void start(conn_use use) { tls_pair::start({}, loopback(), transport::tls, use); }
  void ask_for(const std::string& protocol) {
    client->open({c1, conn_use::s2s, transport::tls, "", at, "one.example", "gw.example", protocol});
  }
  bool accepted_and_opened() {
    return until([&] { return heard.count<io::accepted>() == 1 && told.count<io::opened>() == 1; });
  }
};

TEST_F(alpn, xmpp_server_is_agreed_on) {
  start(conn_use::s2s);
  ask_for("xmpp-server");
  ASSERT_TRUE(accepted_and_opened());
  EXPECT_EQ(server_seen().alpn, "xmpp-server");
  EXPECT_EQ(client_seen().alpn, "xmpp-server");
  EXPECT_EQ(heard.all<io::accepted>()[0].use, conn_use::s2s);
  EXPECT_EQ(use_of(accepted()), conn_use::s2s);
}

TEST_F(alpn, another_protocol_is_refused) {
  start(conn_use::s2s);
  ask_for("xmpp-client");
  ASSERT_TRUE(until([&] { return told.count<io::closed>() == 1; }));
  EXPECT_EQ(told.all<io::closed>()[0].why, io::fail::tls);
  EXPECT_THAT(told.all<io::closed>()[0].detail, HasSubstr("no application protocol"));
  EXPECT_EQ(failures(tls_failure::no_match), 1U);
  EXPECT_THAT(heard.events, IsEmpty());
}

TEST_F(alpn, xmpp_server_is_found_among_others) {
  start(conn_use::s2s);
  const auto context = context_of(client_settings);
  raw_tls peer(*context, at);
  const std::string offered = "\x02h2\x0bxmpp-server\x0bxmpp-client";
  SSL_set_alpn_protos(peer.ssl(), reinterpret_cast<const unsigned char*>(offered.data()),
                      static_cast<unsigned>(offered.size()));
  ASSERT_TRUE(until([&] { return peer.handshake() && heard.count<io::accepted>() == 1; }));
  EXPECT_EQ(client_seen().alpn, "xmpp-server");
}

TEST_F(alpn, is_not_demanded) {
  start(conn_use::s2s);
  ask_for("");
  ASSERT_TRUE(accepted_and_opened());
  EXPECT_EQ(server_seen().alpn, "");
}

TEST_F(alpn, is_not_looked_at_by_sip) {
  start(conn_use::sip);
  ask_for("xmpp-server");
  ASSERT_TRUE(accepted_and_opened());
  EXPECT_EQ(server_seen().alpn, "");
  EXPECT_EQ(client_seen().alpn, "");
}

}  // namespace
}  // namespace stox::net
