#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "net/tcp.hpp"
#include "unit/net/tls_pair.hpp"

namespace stox::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using tls = tls_pair;

TEST_F(tls, carries_bytes_both_ways_and_tells_who_the_peers_are) {
  start();
  connect();
  EXPECT_TRUE(server_seen().chain_ok) << server_seen().why_not;
  EXPECT_THAT(server_seen().san_dns, ElementsAre("one.example"));
  EXPECT_TRUE(client_seen().chain_ok) << client_seen().why_not;
  EXPECT_THAT(client_seen().san_dns, ElementsAre("gw.example"));
  EXPECT_EQ(client_seen().sni, "one.example");
  EXPECT_EQ(heard.all<io::accepted>()[0].via, transport::tls);

  client->send({c1, token{7}, {}, "hello"});
  client->flush();
  server->send({accepted(), token{8}, {}, "welcome"});
  server->flush();
  ASSERT_TRUE(until([&] { return heard.bytes[accepted()] == "hello" && told.bytes[c1] == "welcome"; }));
  EXPECT_EQ(told.all<io::sent>().at(0).tok, token{7});
  EXPECT_EQ(heard.all<io::sent>().at(0).tok, token{8});
  EXPECT_EQ(server->counters().tls_handshakes, 1u);
  EXPECT_EQ(server->counters().accepted, 1u);
}

TEST_F(tls, speaks_ipv6) {
  start({}, loopback6());
  if (IsSkipped()) return;
  connect();
  EXPECT_FALSE(heard.all<io::accepted>().at(0).peer.ip.is_v4());
  EXPECT_TRUE(server_seen().chain_ok) << server_seen().why_not;
  EXPECT_TRUE(client_seen().chain_ok) << client_seen().why_not;
  client->send({c1, token{7}, {}, "hello"});
  client->flush();
  server->send({accepted(), token{8}, {}, "welcome"});
  server->flush();
  ASSERT_TRUE(until([&] { return heard.bytes[accepted()] == "hello" && told.bytes[c1] == "welcome"; }));
}

TEST_F(tls, sends_what_was_queued_before_the_handshake) {
  start();
  open();
  client->send({c1, token{1}, {}, "early"});
  client->flush();
  ASSERT_TRUE(until([&] { return heard.count<io::accepted>() == 1 && heard.bytes[accepted()] == "early"; }));
}

TEST_F(tls, chooses_the_certificate_by_the_name_asked_for) {
  start();
  connect(c1, "TWO.example");
  EXPECT_THAT(server_seen().san_dns, ElementsAre("two.example"));
  connect(conn_id{first_core_conn | 2}, "unknown.example");
  EXPECT_THAT(server_seen().san_dns, ElementsAre("one.example"));
}

/// The configuration has U-labels, SNI and certificates have A-labels.
class tls_international : public tls {
 protected:
  tls_international() {
    server_settings.certificates.push_back(
        entry(root.issue({"intl", "DNS:xn--mnchen-3ya.example"}), {"m\xC3\xBCnchen.example"}));
  }
};

TEST_F(tls_international, certificate_is_found_by_the_a_label_asked_for) {
  start();
  connect(c1, "xn--mnchen-3ya.example");
  EXPECT_EQ(client_seen().sni, "xn--mnchen-3ya.example");
  EXPECT_THAT(server_seen().san_dns, ElementsAre("xn--mnchen-3ya.example"));
}

TEST_F(tls_international, certificate_of_a_served_domain_is_shown_to_who_asks_for_none) {
  start();
  server->set_tls(context_of(server_settings, {"m\xC3\xBCnchen.example"}));
  connect(c1, "192.0.2.1");
  EXPECT_THAT(server_seen().san_dns, ElementsAre("xn--mnchen-3ya.example"));
}

TEST_F(tls, shows_the_certificate_of_a_served_domain_to_who_asks_for_none) {
  start();
  server->set_tls(context_of(server_settings, {"two.example"}));
  connect(c1, "192.0.2.1");  // an address is not asked for
  EXPECT_EQ(client_seen().sni, "");
  EXPECT_THAT(server_seen().san_dns, ElementsAre("two.example"));
}

TEST_F(tls, shows_the_client_certificate_for_its_own_name) {
  client_settings.certificates = {entry(root.issue({"first", "DNS:first.example"}), {"first.example"}),
                                  entry(root.issue({"us", "DNS:gw.example"}), {"gw.example"})};
  start();
  connect();
  EXPECT_THAT(client_seen().san_dns, ElementsAre("gw.example"));
}

TEST_F(tls, tells_why_a_peer_is_not_believed) {
  const test::authority stranger("somebody's root");
  struct row {
    test::issued made;
    const char* why;
  };
  std::vector<row> rows;
  rows.push_back({stranger.issue({"x", "DNS:one.example"}), "unable to"});
  rows.push_back({root.issue({"x", "DNS:one.example", {}, -9, -2}), "certificate has expired"});
  rows.push_back({root.issue({"x", "DNS:one.example", {}, 2, 9}), "certificate is not yet valid"});
  rows.push_back({root.issue({"x", "DNS:one.example", "codeSigning"}), "extended key usage"});
  start();
  std::uint64_t id = 1;
  for (const auto& r : rows) {
    SCOPED_TRACE(r.why);
    server_settings.certificates = {entry(r.made, {"one.example"})};
    server->set_tls(context_of(server_settings));
    connect(conn_id{first_core_conn | id++});
    EXPECT_FALSE(server_seen().chain_ok);
    EXPECT_THAT(server_seen().why_not, HasSubstr(r.why));
    EXPECT_THAT(server_seen().san_dns, ElementsAre("one.example"));
  }
}

TEST_F(tls, lets_a_client_without_certificate_in_as_nobody) {
  client_settings.certificates.clear();
  start();
  connect();
  EXPECT_FALSE(client_seen().chain_ok);
  EXPECT_EQ(client_seen().why_not, "it showed no certificate");
  EXPECT_EQ(client_seen().fingerprint, "");
}

TEST_F(tls, ends_a_handshake_that_takes_too_long_and_tells_nobody) {
  start({.handshake = std::chrono::milliseconds(50)});
  raw_socket slow;
  slow.connect_to(at);
  ASSERT_TRUE(until([&] { return failures(tls_failure::timed_out) == 1; }));
  EXPECT_EQ(slow.read_to_end(), "");
  EXPECT_TRUE(heard.events.empty());
}

TEST_F(tls, ends_a_connection_that_speaks_no_tls) {
  start();
  raw_socket sip;
  sip.connect_to(at);
  sip.write("OPTIONS sip:gw.example SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\n\r\n");
  raw_socket web;
  web.connect_to(at);
  web.write("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(until([&] { return failures(tls_failure::not_tls) == 2; }));
  EXPECT_TRUE(heard.events.empty());
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_F(tls, tells_whose_handshake_failed_and_why) {
  start();
  std::string told_of;
  server->watch_handshakes([&](const socket_address& who, std::string_view why) {
    told_of += who.to_string() + ": " + std::string(why) + "\n";
  });
  raw_socket web;
  web.connect_to(at);
  web.write("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(until([&] { return !told_of.empty(); }));
  EXPECT_EQ(told_of, local_address(web.descriptor()).to_string() + ": http request\n");
}

TEST_F(tls, gives_up_the_oldest_handshake_when_there_are_too_many) {
  start({.max_handshakes = 2});
  raw_socket first;
  raw_socket second;
  raw_socket third;
  first.connect_to(at);
  second.connect_to(at);
  third.connect_to(at);
  ASSERT_TRUE(until([&] { return failures(tls_failure::crowded) == 1; }));
  EXPECT_EQ(first.read_to_end(), "");
  connect();  // whoever means it still gets in
  EXPECT_EQ(failures(tls_failure::crowded), 2u);
  bool ended = false;
  third.read_available(ended);
  EXPECT_FALSE(ended);
}

TEST_F(tls, gives_up_no_handshake_of_a_trusted_address) {
  start({.max_handshakes = 2});
  prefix_set peers;
  peers.add(*ip_prefix::parse("127.0.0.1"));
  server->set_trusted(peers);
  raw_socket first, second, third;
  first.connect_to(at);
  second.connect_to(at);
  third.connect_to(at);
  ASSERT_TRUE(until([&] { return failures(tls_failure::crowded) == 1; }));
  EXPECT_EQ(third.read_to_end(), "");
  EXPECT_EQ(server->counters().tls_securing, 2u);
  // A stranger does not get in either, nor has he a place afterwards.
  server->set_trusted({});
  raw_socket stranger;
  stranger.connect_to(at);
  ASSERT_TRUE(until([&] { return failures(tls_failure::crowded) == 2; }));
  EXPECT_EQ(stranger.read_to_end(), "");
  for (auto* held : {&first, &second}) {
    bool ended = false;
    held->read_available(ended);
    EXPECT_FALSE(ended);
  }
  first.reset();
  ASSERT_TRUE(until([&] { return server->counters().tls_securing == 1; }));
  connect();
  EXPECT_EQ(server->counters().tls_securing, 1u);
}

TEST_F(tls, gives_one_network_its_share_of_handshakes) {
  start({.max_handshakes_of_network = 1});
  raw_socket first, second;
  first.connect_to(at);
  second.connect_to(at);
  ASSERT_TRUE(until([&] { return failures(tls_failure::network_crowded) == 1; }));
  EXPECT_EQ(first.read_to_end(), "");
  EXPECT_EQ(failures(tls_failure::crowded), 0u);
}

TEST_F(tls, takes_other_limits_of_handshakes_while_it_runs) {
  start();
  raw_socket first, second, third;
  first.connect_to(at);
  ASSERT_TRUE(until([&] { return server->counters().tls_securing == 1; }));
  server->set_max_handshakes(512, 1);
  second.connect_to(at);
  ASSERT_TRUE(until([&] { return failures(tls_failure::network_crowded) == 1; }));
  EXPECT_EQ(first.read_to_end(), "");
  server->set_max_handshakes(1, 64);
  third.connect_to(at);
  ASSERT_TRUE(until([&] { return failures(tls_failure::crowded) == 1; }));
  EXPECT_EQ(second.read_to_end(), "");
}

TEST_F(tls, counts_handshakes_not_as_places_of_connections) {
  start({.max_accepted = {1}});
  raw_socket slow;
  slow.connect_to(at);
  connect();
  open(conn_id{first_core_conn | 2});
  ASSERT_TRUE(until([&] { return server->counters().refused_full.sip == 1; }));
  EXPECT_EQ(heard.count<io::accepted>(), 1u);
}

TEST_F(tls, writes_much_in_order_while_the_peer_is_slow) {
  start();
  connect();
  std::string big(6u << 20, '\0');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>('a' + i % 23);
  server->send({accepted(), token{1}, {}, big});
  for (std::uint64_t i = 2; i <= 50; ++i)
    server->send({accepted(), token{i}, {}, "piece " + std::to_string(i)});
  server->flush();
  EXPECT_EQ(heard.count<io::sent>(), 0u);  // the kernel's buffers are smaller
  EXPECT_EQ(heard.count<io::blocked>(), 1u);
  ASSERT_TRUE(until([&] { return heard.count<io::sent>() == 50; }));
  for (std::uint64_t i = 2; i <= 50; ++i) big += "piece " + std::to_string(i);
  ASSERT_TRUE(until([&] { return told.bytes[c1].size() == big.size(); }));
  EXPECT_EQ(told.bytes[c1], big);
  EXPECT_EQ(heard.count<io::writable>(), 1u);
  EXPECT_EQ(server->queued(), 0u);
}

TEST_F(tls, writes_a_batch_as_one_record) {
  start();
  const auto context = context_of(client_settings);
  raw_tls peer(*context, at);
  ASSERT_TRUE(until([&] { return peer.handshake() && heard.count<io::accepted>() == 1; }));
  int records = 0;
  SSL_set_msg_callback(peer.ssl(),
                       [](int write, int, int type, const void* bytes, size_t, SSL*, void* count) {
                         if (write == 0 && type == SSL3_RT_HEADER &&
                             *static_cast<const unsigned char*>(bytes) == SSL3_RT_APPLICATION_DATA)
                           ++*static_cast<int*>(count);
                       });
  SSL_set_msg_callback_arg(peer.ssl(), &records);
  std::string expected;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    server->send({accepted(), token{i}, {}, "message " + std::to_string(i) + "\n"});
    expected += "message " + std::to_string(i) + "\n";
  }
  server->flush();
  EXPECT_EQ(heard.count<io::sent>(), 20u);
  std::string got;
  ASSERT_TRUE(until([&] {
    peer.read(got);
    return got.size() >= expected.size();
  }));
  EXPECT_EQ(got, expected);
  EXPECT_EQ(records, 1);
}

TEST_F(tls, says_close_notify_after_what_was_queued) {
  start();
  const auto context = context_of(client_settings);
  raw_tls peer(*context, at);
  ASSERT_TRUE(until([&] { return peer.handshake() && heard.count<io::accepted>() == 1; }));
  server->send({accepted(), token{1}, {}, "last words"});
  server->close(accepted());
  EXPECT_EQ(heard.all<io::closed>().at(0).why, io::fail::closed_here);
  std::string got;
  int error = SSL_ERROR_WANT_READ;
  ASSERT_TRUE(until([&] {
    error = peer.read(got);
    return error != SSL_ERROR_WANT_READ;
  }));
  EXPECT_EQ(error, SSL_ERROR_ZERO_RETURN);  // an end without close_notify would be an error here
  EXPECT_EQ(got, "last words");
}

TEST_F(tls, tells_the_peers_end) {
  start();
  connect();
  client->send({c1, token{1}, {}, "bye"});
  client->close(c1);
  ASSERT_TRUE(until([&] { return heard.count<io::closed>() == 1; }));
  EXPECT_EQ(heard.all<io::closed>()[0].why, io::fail::peer_closed);
  EXPECT_EQ(heard.bytes[heard.all<io::closed>()[0].conn], "bye");
}

TEST_F(tls, is_closed_in_mid_handshake) {
  start();
  open();
  client->send({c1, token{1}, {}, "never"});
  client->close(c1);
  EXPECT_EQ(told.all<io::send_failed>().at(0).why, io::fail::closed_here);
  EXPECT_EQ(told.all<io::closed>().at(0).why, io::fail::closed_here);
  raw_socket leaves;
  leaves.connect_to(at);
  leaves.close_now();
  ASSERT_TRUE(until([&] { return failures(tls_failure::peer_gone) >= 1; }));
  EXPECT_TRUE(heard.events.empty());
}

TEST_F(tls, tells_a_server_that_speaks_no_tls) {
  start();
  raw_socket plain;
  at = plain.bind_and_listen();
  open();
  std::optional<raw_socket> far;
  far.emplace(plain.accept_one());
  far->write("SIP/2.0 400 Bad Request\r\n\r\n");
  ASSERT_TRUE(until([&] { return told.count<io::closed>() == 1; }));
  EXPECT_EQ(told.all<io::closed>()[0].why, io::fail::tls);
  EXPECT_EQ(told.all<io::closed>()[0].detail, "wrong version number");
}

TEST_F(tls, tells_when_no_version_is_common) {
  server_settings.min_version = settings::tls_version::v1_3;
  start();
  const auto context = context_of(client_settings);
  raw_tls old(*context, at);
  SSL_set_max_proto_version(old.ssl(), TLS1_2_VERSION);
  ASSERT_TRUE(until([&] {
    old.handshake();
    return failures(tls_failure::no_match) == 1;
  }));
}

TEST_F(tls, speaks_1_2_by_default) {
  start();
  const auto context = context_of(client_settings);
  raw_tls old(*context, at);
  SSL_set_max_proto_version(old.ssl(), TLS1_2_VERSION);
  ASSERT_TRUE(until([&] { return old.handshake() && heard.count<io::accepted>() == 1; }));
  EXPECT_TRUE(client_seen().chain_ok);
  EXPECT_EQ(SSL_get_secure_renegotiation_support(old.ssl()), 1);
  SSL_renegotiate(old.ssl());
  SSL_do_handshake(old.ssl());
  std::string got;
  EXPECT_TRUE(until([&] { return old.read(got) != SSL_ERROR_WANT_READ || heard.count<io::closed>() == 1; }));
  EXPECT_EQ(server->counters().tls_handshakes, 1u);  // it is refused
}

TEST_F(tls, is_not_disturbed_by_errors_that_others_left) {
  start();
  connect();
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
  server->send({accepted(), token{1}, {}, "fine"});
  server->flush();
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
  ASSERT_TRUE(until([&] { return told.bytes[c1] == "fine"; }));
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
  connect(conn_id{first_core_conn | 2});
  EXPECT_EQ(told.count<io::closed>(), 0u);
}

TEST_F(tls, takes_new_certificates_while_connections_go_on) {
  start();
  connect();
  const auto before = server_seen().fingerprint;
  const auto old = accepted();
  server_settings.certificates = {entry(root.issue({"new", "DNS:one.example"}), {"one.example"})};
  server->set_tls(context_of(server_settings));
  server->send({old, token{1}, {}, "still here"});
  server->flush();
  ASSERT_TRUE(until([&] { return told.bytes[c1] == "still here"; }));
  connect(conn_id{first_core_conn | 2});
  EXPECT_NE(server_seen().fingerprint, before);
}

TEST_F(tls, has_no_listener_without_a_certificate) {
  server_settings.certificates.clear();
  start();
  open();
  ASSERT_TRUE(until([&] { return told.count<io::closed>() == 1; }));
  EXPECT_EQ(told.all<io::closed>()[0].why, io::fail::tls);
  EXPECT_TRUE(heard.events.empty());
}

TEST_F(tls, refuses_a_key_of_another_certificate) {
  server_settings.certificates[0].key_pem = server_settings.certificates[1].key_pem;
  const auto made = tls_context::make(server_settings, {});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().to_string(), HasSubstr("net/tls: key.pem does not fit chain.pem"));
}

}  // namespace
}  // namespace stox::net
