// Whatever stands in a message, nobody makes the gateway send to, connect to or ask about a third party.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sip_script.hpp"
#include "unit/sip_machine/client_support.hpp"

namespace stox::test {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

/// A third party is 203.0.113.9, or victim.example.
struct trick {
  const char* name;
  std::string via = "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa1;rport";
  std::string extra = {};
  std::string uri = "sip:bo@xmpp.example";
  std::string method = "MESSAGE";
  std::string from = "<sip:ana@sip.example>;tag=f1";
};

class third_party : public testing::TestWithParam<trick> {
 protected:
  static std::string text(std::string via) {
    const trick& t = GetParam();
    sip_text out;
    out.method = t.method;
    out.uri = t.uri;
    out.via = std::move(via);
    out.extra = t.extra;
    out.from = t.from;
    return out.str();
  }
  /// Every answer goes to the address that the packet came from.
  static void expect_only(const sip_world& w, const ip_address& source) {
    EXPECT_THAT(w.opens, IsEmpty());
    EXPECT_THAT(w.lookups, IsEmpty());
    for (const auto& s : w.sends) {
      EXPECT_EQ(s.what.to.ip, source) << s.first_line();
      EXPECT_EQ(s.first_line().substr(0, 8), "SIP/2.0 ") << s.first_line();
    }
  }
};

TEST_P(third_party, gets_nothing_over_udp) {
  for (const char* source : {"127.0.0.1:5080", "198.51.100.7:5080"}) {
    sip_world w;
    w.datagram(text(GetParam().via), source);
    for (const auto& r : w.all<sip::request_received>()) w.respond(r.tx, 200);
    w.advance(40s);
    EXPECT_FALSE(w.sends.empty());
    expect_only(w, sip_world::address(source).ip);
  }
}

TEST_P(third_party, gets_nothing_when_the_connection_is_gone) {
  std::string via = GetParam().via;
  via.replace(via.find("UDP"), 3, "TCP");
  for (const char* source : {"127.0.0.1:40000", "198.51.100.7:40000"}) {
    sip_world w;
    w.accept(conn_id{70}, source);
    w.stream(conn_id{70}, text(via));
    const auto requests = w.all<sip::request_received>();
    w.handle(io::closed{conn_id{70}, io::fail::reset});
    for (const auto& r : requests) w.respond(r.tx, 200);
    w.advance(40s);
    EXPECT_THAT(w.lookups, IsEmpty());
    // RFC 3261 §18.2.2: a new connection, for peers that are trusted, to where the first one came from.
    for (const auto& o : w.opens) EXPECT_EQ(o.to.ip, sip_world::address("127.0.0.1:1").ip);
    EXPECT_EQ(w.opens.size(), requests.size());
  }
}

INSTANTIATE_TEST_SUITE_P(
    , third_party,
    testing::Values(
        trick{"via_received", "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa1;received=203.0.113.9"},
        trick{"via_received_and_rport",
              "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa1;received=203.0.113.9;rport=53"},
        trick{"via_rport", "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa1;rport=53"},
        trick{"via_maddr", "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa1;maddr=203.0.113.9"},
        trick{"via_maddr_multicast", "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa1;maddr=224.0.1.75;ttl=16"},
        trick{"via_sent_by", "SIP/2.0/UDP 203.0.113.9:5080;branch=z9hG4bKa1"},
        trick{"via_sent_by_name", "SIP/2.0/UDP victim.example;branch=z9hG4bKa1"},
        trick{"via_below", "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa1, SIP/2.0/UDP 203.0.113.9"},
        trick{.name = "route", .extra = "Route: <sip:203.0.113.9;lr>\r\n"},
        trick{.name = "route_after_ours",
              .extra = "Route: <sip:127.0.0.1:5060;lr>, <sip:victim.example;lr>\r\n"},
        trick{
            .name = "strict_route", .extra = "Route: <sip:victim.example>\r\n", .uri = "sip:127.0.0.1:5060"},
        trick{.name = "record_route", .extra = "Record-Route: <sip:203.0.113.9;lr>\r\n"},
        trick{.name = "request_uri", .uri = "sip:bo@203.0.113.9"},
        trick{.name = "request_uri_maddr", .uri = "sip:bo@xmpp.example;maddr=203.0.113.9"},
        trick{.name = "request_uri_on_sip", .uri = "sip:bo@sip.example"},
        trick{.name = "contact", .extra = "Contact: <sip:ana@203.0.113.9>\r\n"},
        trick{.name = "reply_to", .extra = "Reply-To: <sip:ana@203.0.113.9>\r\n"},
        trick{.name = "options_through_us",
              .extra = "Route: <sip:203.0.113.9;lr>\r\nContact: <sip:203.0.113.9>\r\n",
              .uri = "sip:127.0.0.1:5060",
              .method = "OPTIONS"},
        trick{.name = "from", .from = "<sip:ana@203.0.113.9>;tag=f1"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(redirect, is_not_followed) {
  for (const int code : {300, 301, 302, 305, 380}) {
    sip_world w;
    w.request(ours(), {a});
    std::string text = answer_to(w.last(), code);
    w.datagram(text.insert(text.find("Content-Length"),
                           "Contact: <sip:ana@203.0.113.9>\r\nRecord-Route: <sip:victim.example;lr>\r\n"));
    w.advance(40s);
    EXPECT_EQ(only_status(w), code);
    EXPECT_EQ(w.sends.size(), 1U);
    EXPECT_THAT(w.lookups, IsEmpty());
  }
}

// A UAS ignores Route (RFC 3261 §16.4 is for proxies): the Request-URI alone says who is meant.
TEST(route_header, changes_nothing_about_a_request_for_us) {
  for (const char* route : {"", "Route: <sip:127.0.0.1:5060;lr>\r\n", "Route: <sip:victim.example;lr>\r\n"}) {
    sip_world w;
    sip_text text;
    text.extra = route;
    w.datagram(text.str());
    const auto got = w.all<sip::request_received>();
    ASSERT_EQ(got.size(), 1U) << route;
    EXPECT_EQ(got[0].request_uri.host, "xmpp.example");
  }
}

TEST(via, names_what_is_advertised_for_the_transport_and_the_family) {
  auto o = sip_world::defaults();
  o.advertise = {{transport::tcp, "tcp.gw.example", 15060},
                 {std::nullopt, "203.0.113.1", 0},
                 {transport::udp, "[2001:db8::1]", 25060}};
  sip_world w(o);
  w.request(ours(), {a});
  EXPECT_EQ(header_of(w.last(), "Via"), "SIP/2.0/UDP 203.0.113.1:5060;branch=z9hG4bK-1;rport");
  w.datagram(answer_to(w.last(), 200));
  w.request(ours(), {sip_world::udp_to("[::1]:5071")});
  EXPECT_EQ(header_of(w.last(), "Via"), "SIP/2.0/UDP [2001:db8::1]:25060;branch=z9hG4bK-2;rport");
  w.datagram(answer_to(w.last(), 200), "[::1]:5071", udp6);
  EXPECT_EQ(w.all<sip::response_received>().size(), 2U);
  w.request(ours(), {tcp_a});
  w.open(w.opens.at(0).conn);
  EXPECT_EQ(header_of(w.last(), "Via"), "SIP/2.0/TCP tcp.gw.example:15060;branch=z9hG4bK-3");
  // Each of these names is us: what comes back under it has gone in a circle.
  for (const char* name : {"tcp.gw.example:15060", "203.0.113.1:5060", "[2001:db8::1]:25060"}) {
    sip_text text;
    text.via += "\r\nVia: SIP/2.0/UDP " + std::string(name) + ";branch=z9hG4bKb";
    text.call_id = name;
    w.datagram(text.str());
    EXPECT_EQ(w.sends.back().first_line(), "SIP/2.0 482 Loop Detected") << name;
  }
}

TEST(via, has_the_listeners_address_where_no_name_is_of_the_family) {
  auto o = sip_world::defaults();
  o.advertise = {{std::nullopt, "203.0.113.1", 0}};
  sip_world w(o);
  w.request(ours(), {sip_world::udp_to("[::1]:5071")});
  EXPECT_EQ(header_of(w.last(), "Via"), "SIP/2.0/UDP [::1]:5060;branch=z9hG4bK-1;rport");
}

TEST(ipv6, messages_cross_over_both_transports) {
  sip_world w;
  w.handle(io::listening{conn_id{4}, transport::tcp, sip_world::address("[::1]:5060")});
  sip_text text;
  text.via = "SIP/2.0/UDP [::1]:5080;branch=z9hG4bKa1";
  w.datagram(text.str(), "[::1]:5080", udp6);
  ASSERT_EQ(w.all<sip::request_received>().size(), 1U);
  w.respond(w.all<sip::request_received>()[0].tx, 200);
  EXPECT_EQ(w.sends.back().what.to, sip_world::address("[::1]:5080"));
  // RFC 5118 §4.5: received is written without brackets.
  text.via = "SIP/2.0/UDP [2001:db8::9]:5080;branch=z9hG4bKa2;rport";
  text.call_id = "call-2";
  w.datagram(text.str(), "[::1]:5081", udp6);
  w.respond(w.all<sip::request_received>()[1].tx, 200);
  EXPECT_EQ(w.sends.back().what.to, sip_world::address("[::1]:5081"));
  EXPECT_THAT(header_of(w.last(), "Via"), testing::HasSubstr(";rport=5081;received=::1"));
  w.handle(io::accepted{conn_id{70}, conn_use::sip, transport::tcp, sip_world::address("[::1]:5060"),
                        sip_world::address("[::1]:40000")});
  text.via = "SIP/2.0/TCP [::1]:5080;branch=z9hG4bKa3";
  text.call_id = "call-3";
  w.stream(conn_id{70}, text.str());
  ASSERT_EQ(w.all<sip::request_received>().size(), 3U);
  w.request(ours(), {sip_world::tcp_to("[::1]:5071")});
  w.open(w.opens.at(0).conn);
  EXPECT_EQ(header_of(w.last(), "Via"), "SIP/2.0/TCP [::1]:5060;branch=z9hG4bK-1");
}

TEST(ipv6, an_ipv4_peer_on_a_dual_stack_listener_is_the_ipv4_peer_that_is_trusted) {
  auto o = sip_world::defaults();
  o.trusted_peers = {*ip_prefix::parse("192.0.2.0/24")};
  sip_world w(o);
  w.handle(io::listening{conn_id{5}, transport::udp, sip_world::address("[::]:5070")});
  w.datagram(sip_text{}.str(), "[::ffff:192.0.2.1]:5080", conn_id{5});
  EXPECT_EQ(w.all<sip::request_received>().size(), 1U);
}

}  // namespace
}  // namespace stox::test
