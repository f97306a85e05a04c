#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sip_script.hpp"

namespace stox::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

sip::endpoint_options with_invite() {
  auto o = sip_world::defaults();
  o.methods = {sip::method::invite, sip::method::ack, sip::method::cancel, sip::method::message,
               sip::method::options};
  o.accept = {"text/plain", "application/sdp"};
  return o;
}

sip_text invite() {
  sip_text t;
  t.method = "INVITE";
  t.via = "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKi1";
  t.body.clear();
  return t;
}

sip_text ack(std::string branch = "z9hG4bKi1") {
  sip_text t = invite();
  t.method = "ACK";
  t.via = "SIP/2.0/UDP 127.0.0.1:5080;branch=" + std::move(branch);
  t.to += ";tag=t-1";
  return t;
}

sip::server_tx only_request(const sip_world& w) {
  const auto all = w.all<sip::request_received>();
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? sip::server_tx::none : all.front().tx;
}

TEST(server_transaction, tells_the_request_with_what_was_read_of_it) {
  sip_world w;
  w.datagram(sip_text{}.str());
  const auto got = w.all<sip::request_received>();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].request.method, sip::method::message);
  EXPECT_EQ(got[0].request.body, "hello");
  EXPECT_EQ(got[0].head.call_id, "call-1");
  EXPECT_EQ(got[0].head.cseq.number, 1U);
  EXPECT_EQ(got[0].request_uri.user, "bo");
  EXPECT_EQ(got[0].peer.remote, sip_world::address("127.0.0.1:5080"));
  EXPECT_EQ(got[0].peer.local, sip_world::address("127.0.0.1:5060"));
  EXPECT_TRUE(got[0].peer.trusted);
  EXPECT_THAT(w.sends, IsEmpty());
}

TEST(server_transaction, repeats_the_requests_own_headers_in_the_response) {
  sip_world w;
  sip_text t;
  t.via = "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa1;rport, SIP/2.0/TCP  below.example;branch=z9hG4bKb";
  t.extra = "Via: SIP/2.0/UDP third.example:99;branch=z9hG4bKc;x=\"a;b\"\r\nTimestamp: 54\r\n";
  t.from = "\"A, \\\"B\\\"\"  <sip:ana@sip.example;x=y>;tag=f1;other";
  w.datagram(t.str());
  w.respond(only_request(w), 200);
  ASSERT_EQ(w.sends.size(), 1U);
  EXPECT_EQ(w.last(),
            "SIP/2.0 200 OK\r\n"
            "Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa1;rport=5080;received=127.0.0.1, SIP/2.0/TCP  "
            "below.example;branch=z9hG4bKb\r\n"
            "Via: SIP/2.0/UDP third.example:99;branch=z9hG4bKc;x=\"a;b\"\r\n"
            "From: \"A, \\\"B\\\"\"  <sip:ana@sip.example;x=y>;tag=f1;other\r\n"
            "To: <sip:bo@xmpp.example>;tag=t-1\r\n"
            "Call-ID: call-1\r\n"
            "CSeq: 1 MESSAGE\r\n"
            "Content-Length: 0\r\n\r\n");
}

TEST(server_transaction, absorbs_retransmissions_during_the_wait_and_repeats_the_answer_afterwards) {
  sip_world w;
  w.datagram(sip_text{}.str());
  w.advance(500ms);
  w.datagram(sip_text{}.str());
  EXPECT_THAT(w.sends, IsEmpty());
  w.respond(only_request(w), 202);
  w.advance(1s);
  w.datagram(sip_text{}.str());
  EXPECT_THAT(w.timeline(), ElementsAre("500 202", "1500 202"));
  EXPECT_EQ(w.sends[0].what.bytes, w.sends[1].what.bytes);
  EXPECT_EQ(w.all<sip::request_received>().size(), 1U);
  EXPECT_EQ(w.ep.stats().retransmissions_in, 2U);
  EXPECT_EQ(w.ep.stats().retransmissions_out, 1U);
}

TEST(server_transaction, ends_with_timer_j) {
  sip_world w;
  w.datagram(sip_text{}.str());
  w.respond(only_request(w), 200);
  w.advance(31999ms);
  EXPECT_EQ(w.ep.stats().server_transactions, 1U);
  w.advance(1ms);
  EXPECT_EQ(w.ep.stats().server_transactions, 0U);
  EXPECT_EQ(w.memory.used(), 0U);
  w.datagram(sip_text{}.str());
  EXPECT_EQ(w.all<sip::request_received>().size(), 2U);
}

TEST(server_transaction, ignores_a_second_final_answer_and_numbers_that_are_void) {
  sip_world w;
  w.datagram(sip_text{}.str());
  const auto tx = only_request(w);
  w.respond(tx, 200);
  w.respond(tx, 404);
  w.respond(sip::server_tx{77}, 404);
  w.respond(sip::server_tx::none, 404);
  EXPECT_THAT(w.timeline(), ElementsAre("0 200"));
  w.advance(32s);
  w.datagram(sip_text{}.str());
  w.respond(tx, 500);  // the place is used again, the number is not
  EXPECT_THAT(w.timeline(), ElementsAre("0 200"));
}

TEST(server_transaction, says_100_to_a_non_invite_only_when_timer_e_has_come_to_t2) {
  sip_world w;
  w.datagram(sip_text{}.str());
  w.advance(3499ms);
  EXPECT_THAT(w.sends, IsEmpty());
  w.advance(1ms);
  EXPECT_THAT(w.timeline(), ElementsAre("3500 100"));
  w.datagram(sip_text{}.str());
  EXPECT_THAT(w.timeline(), ElementsAre("3500 100", "3500 100"));
  w.advance(1s);
  w.respond(only_request(w), 200);
  EXPECT_THAT(w.timeline(), ElementsAre("3500 100", "3500 100", "4500 200"));
}

TEST(server_transaction, says_100_over_streams_as_well_once) {
  sip_world w;
  w.accept(conn_id{9});
  w.stream(conn_id{9}, sip_text{.via = "SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bKa1"}.str());
  w.advance(30s);
  EXPECT_THAT(w.timeline(), ElementsAre("3500 100"));
}

TEST(server_transaction, copies_timestamp_into_the_100_only) {
  sip_world w;
  w.datagram(sip_text{.extra = "Timestamp: 54\r\n"}.str());
  w.advance(3500ms);
  EXPECT_EQ(header_of(w.last(), "Timestamp"), "54");
  w.respond(only_request(w), 200);
  EXPECT_EQ(header_of(w.last(), "Timestamp"), "");
}

TEST(server_transaction, sends_no_other_provisional_to_a_non_invite) {
  sip_world w;
  w.datagram(sip_text{}.str());
  w.respond(only_request(w), 180);
  w.respond(only_request(w), 100);
  EXPECT_THAT(w.sends, IsEmpty());
}

TEST(server_transaction, never_says_408_to_a_non_invite) {
  sip_world w;
  w.datagram(sip_text{}.str());
  w.respond(only_request(w), 408);
  EXPECT_THAT(w.timeline(), ElementsAre("0 504"));
}

TEST(server_transaction, forgets_a_request_that_nobody_answered) {
  sip_world w;
  w.datagram(sip_text{}.str());
  w.advance(32s);
  EXPECT_EQ(w.ep.stats().server_transactions, 0U);
  EXPECT_EQ(w.memory.used(), 0U);
  EXPECT_THAT(w.timeline(), ElementsAre("3500 100"));
  w.respond(only_request(w), 200);
  EXPECT_THAT(w.timeline(), ElementsAre("3500 100"));
}

TEST(server_transaction, answers_merged_requests_with_482) {
  sip_world w;
  w.datagram(sip_text{}.str());
  sip_text other;
  other.via = "SIP/2.0/UDP 127.0.0.1:5090;branch=z9hG4bKother;rport";
  w.datagram(other.str(), "127.0.0.1:5090");
  EXPECT_THAT(w.timeline(), ElementsAre("0 482"));
  w.respond(only_request(w), 200);
  w.datagram(other.str(), "127.0.0.1:5090");
  EXPECT_THAT(w.timeline(), ElementsAre("0 482", "0 200", "0 482"));
  other.cseq = "2";
  other.via = "SIP/2.0/UDP 127.0.0.1:5090;branch=z9hG4bKnext;rport";
  w.datagram(other.str(), "127.0.0.1:5090");
  EXPECT_EQ(w.all<sip::request_received>().size(), 2U);
}

TEST(server_transaction, tells_apart_by_sent_by_and_by_branch_and_by_method) {
  sip_world w(with_invite());
  w.datagram(sip_text{.via = "SIP/2.0/UDP a.example;branch=z9hG4bKx;rport", .call_id = "1"}.str());
  w.datagram(sip_text{.via = "SIP/2.0/UDP b.example;branch=z9hG4bKx;rport", .call_id = "2"}.str());
  w.datagram(sip_text{.via = "SIP/2.0/UDP a.example:5061;branch=z9hG4bKx;rport", .call_id = "3"}.str());
  w.datagram(sip_text{.via = "SIP/2.0/UDP a.example;branch=z9hG4bKX;rport", .call_id = "4"}.str());
  w.datagram(
      sip_text{.method = "INVITE", .via = "SIP/2.0/UDP a.example;branch=z9hG4bKx;rport", .call_id = "5"}
          .str());
  EXPECT_EQ(w.all<sip::request_received>().size(), 5U);
  // the same sent-by, written in another way
  w.datagram(sip_text{.via = "SIP/2.0/UDP A.EXAMPLE:5060;branch=z9hG4bKx;rport", .call_id = "1"}.str());
  EXPECT_EQ(w.all<sip::request_received>().size(), 5U);
}

TEST(server_transaction, matches_requests_of_rfc_2543_by_their_headers) {
  for (const char* branch : {"", ";branch=1", ";branch=z9hG4bK"}) {
    sip_world w;
    sip_text t;
    t.via = "SIP/2.0/UDP 127.0.0.1:5080" + std::string(branch);
    w.datagram(t.str());
    w.datagram(t.str());
    EXPECT_EQ(w.all<sip::request_received>().size(), 1U) << branch;
    t.cseq = "2";
    w.datagram(t.str());
    t.cseq = "1";
    t.call_id = "call-2";
    w.datagram(t.str());
    EXPECT_EQ(w.all<sip::request_received>().size(), 3U) << branch;
  }
}

// ---- INVITE ----

TEST(server_invite, says_100_after_200_ms) {
  sip_world w(with_invite());
  w.datagram(invite().str());
  w.advance(200ms);
  w.datagram(invite().str());
  EXPECT_THAT(w.timeline(), ElementsAre("200 100", "200 100"));
  w.respond(only_request(w), 180);
  w.datagram(invite().str());
  EXPECT_THAT(w.timeline(), ElementsAre("200 100", "200 100", "200 180", "200 180"));
}

TEST(server_invite, repeats_a_failure_on_timer_g_until_timer_h) {
  sip_world w(with_invite());
  w.datagram(invite().str());
  w.respond(only_request(w), 486);
  w.advance(33s);
  EXPECT_THAT(w.timeline(), ElementsAre("0 486", "500 486", "1500 486", "3500 486", "7500 486", "11500 486",
                                        "15500 486", "19500 486", "23500 486", "27500 486", "31500 486"));
  EXPECT_EQ(w.ep.stats().server_transactions, 0U);
  EXPECT_EQ(w.memory.used(), 0U);
}

TEST(server_invite, absorbs_the_ack_to_a_failure_and_its_copies) {
  sip_world w(with_invite());
  w.datagram(invite().str());
  w.respond(only_request(w), 486);
  w.datagram(ack().str());
  w.datagram(ack().str());
  w.datagram(invite().str());
  w.advance(4999ms);
  EXPECT_EQ(w.ep.stats().server_transactions, 1U);
  w.advance(1ms);  // Timer I
  EXPECT_EQ(w.ep.stats().server_transactions, 0U);
  EXPECT_THAT(w.timeline(), ElementsAre("0 486"));
  EXPECT_EQ(w.all<sip::request_received>().size(), 1U);
}

TEST(server_invite, repeats_a_2xx_until_its_ack_comes_with_another_branch) {
  sip_world w(with_invite());
  w.datagram(invite().str());
  w.respond(only_request(w), 200);
  w.datagram(invite().str());  // RFC 6026: absorbed
  w.advance(1500ms);
  EXPECT_THAT(w.timeline(), ElementsAre("0 200", "500 200", "1500 200"));
  w.datagram(ack("z9hG4bKack").str());
  w.advance(30s);
  EXPECT_EQ(w.sends.size(), 3U);
  w.datagram(invite().str());
  EXPECT_EQ(w.all<sip::request_received>().size(), 1U);
  w.advance(1s);  // Timer L
  EXPECT_EQ(w.ep.stats().server_transactions, 0U);
}

TEST(server_invite, gives_up_a_2xx_that_is_never_acknowledged) {
  sip_world w(with_invite());
  w.datagram(invite().str());
  w.respond(only_request(w), 200);
  w.advance(40s);
  EXPECT_EQ(w.sends.size(), 11U);
  EXPECT_EQ(w.memory.used(), 0U);
}

TEST(server_invite, ignores_a_stray_ack) {
  sip_world w(with_invite());
  w.datagram(ack().str());
  EXPECT_THAT(w.sends, IsEmpty());
  EXPECT_THAT(w.events, IsEmpty());
}

TEST(server_invite, answers_its_cancel_and_tells_of_it_once) {
  sip_world w(with_invite());
  w.datagram(invite().str());
  sip_text cancel = invite();
  cancel.method = "CANCEL";
  w.datagram(cancel.str());
  w.datagram(cancel.str());
  EXPECT_THAT(w.timeline(), ElementsAre("0 200", "0 200"));
  EXPECT_EQ(header_of(w.last(), "To"), "<sip:bo@xmpp.example>;tag=t-1");
  EXPECT_EQ(header_of(w.last(), "CSeq"), "1 CANCEL");
  ASSERT_EQ(w.all<sip::request_cancelled>().size(), 1U);
  EXPECT_EQ(w.all<sip::request_cancelled>()[0].tx, only_request(w));
  w.respond(only_request(w), 487);
  EXPECT_EQ(header_of(w.last(), "To"), "<sip:bo@xmpp.example>;tag=t-1");
  w.datagram(cancel.str());
  EXPECT_THAT(w.timeline(), ElementsAre("0 200", "0 200", "0 487", "0 200"));
  EXPECT_EQ(w.all<sip::request_cancelled>().size(), 1U);
}

TEST(server_invite, answers_a_cancel_of_nothing_with_481) {
  sip_world w(with_invite());
  sip_text cancel = invite();
  cancel.method = "CANCEL";
  w.datagram(cancel.str());
  EXPECT_THAT(w.timeline(), ElementsAre("0 481"));
  EXPECT_THAT(w.events, IsEmpty());
}

TEST(server_invite, answers_the_cancel_of_a_message_without_effect) {
  sip_world w;
  w.datagram(sip_text{}.str());
  sip_text cancel;
  cancel.method = "CANCEL";
  cancel.body.clear();
  w.datagram(cancel.str());
  EXPECT_THAT(w.timeline(), ElementsAre("0 200"));
  EXPECT_THAT(w.all<sip::request_cancelled>(), IsEmpty());
}

TEST(server_invite, is_refused_where_it_is_no_method_of_ours) {
  sip_world w;
  w.datagram(invite().str());
  EXPECT_THAT(w.timeline(), ElementsAre("0 405"));
  EXPECT_EQ(header_of(w.last(), "Allow"), "MESSAGE, OPTIONS, CANCEL, ACK");
  w.datagram(ack().str());
  EXPECT_EQ(w.sends.size(), 1U);
  EXPECT_EQ(w.memory.used(), 0U);
}

TEST(server_invite, does_not_repeat_a_failure_over_a_stream) {
  sip_world w(with_invite());
  w.accept(conn_id{9});
  w.stream(conn_id{9}, invite().str());
  w.respond(only_request(w), 486);
  w.advance(31s);
  EXPECT_THAT(w.timeline(), ElementsAre("0 486"));
  w.stream(conn_id{9}, ack().str());
  w.advance(0ms);
  EXPECT_EQ(w.ep.stats().server_transactions, 0U);
}

// ---- where responses go ----

struct via_case {
  const char* name;
  const char* via;
  const char* source;
  const char* stamped;
  const char* destination;
};

class response_route : public testing::TestWithParam<via_case> {};

TEST_P(response_route, follows_the_via) {
  auto o = sip_world::defaults();
  o.trusted_peers = {*ip_prefix::parse("0.0.0.0/0"), *ip_prefix::parse("::/0")};
  sip_world w(o);
  const via_case& c = GetParam();
  w.datagram(sip_text{.via = c.via}.str(), c.source, c.source[0] == '[' ? udp6 : udp4);
  w.respond(only_request(w), 200);
  ASSERT_EQ(w.sends.size(), 1U);
  EXPECT_EQ(header_of(w.last(), "Via"), c.stamped);
  EXPECT_EQ(w.sends[0].what.to.to_string(), c.destination);
  EXPECT_EQ(w.sends[0].what.conn, c.source[0] == '[' ? udp6 : udp4);
}

INSTANTIATE_TEST_SUITE_P(
    , response_route,
    testing::Values(
        via_case{"same_address", "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1", "192.0.2.1:5070",
                 "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1", "192.0.2.1:5070"},
        via_case{"sent_by_port_without_rport", "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1", "192.0.2.1:9999",
                 "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1", "192.0.2.1:5070"},
        via_case{"default_port", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", "192.0.2.1:9999",
                 "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", "192.0.2.1:5060"},
        via_case{"other_address", "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1", "192.0.2.1:9999",
                 "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1;received=192.0.2.1", "192.0.2.1:5070"},
        via_case{"name", "SIP/2.0/UDP ua.example;branch=z9hG4bK1", "192.0.2.1:9999",
                 "SIP/2.0/UDP ua.example;branch=z9hG4bK1;received=192.0.2.1", "192.0.2.1:5060"},
        via_case{"rport", "SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bK1", "192.0.2.1:9999",
                 "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1;rport=9999;received=192.0.2.1", "192.0.2.1:9999"},
        via_case{"rport_at_the_same_address", "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport",
                 "192.0.2.1:5070", "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport=5070;received=192.0.2.1",
                 "192.0.2.1:5070"},
        via_case{"lying_received", "SIP/2.0/UDP 192.0.2.1:5070;received=203.0.113.9;branch=z9hG4bK1",
                 "192.0.2.1:5070", "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;received=192.0.2.1",
                 "192.0.2.1:5070"},
        via_case{"lying_rport", "SIP/2.0/UDP 192.0.2.1:5070;rport=1;branch=z9hG4bK1", "192.0.2.1:9999",
                 "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport=9999;received=192.0.2.1",
                 "192.0.2.1:9999"},
        via_case{"maddr_is_ignored", "SIP/2.0/UDP 192.0.2.1:5070;maddr=203.0.113.9;branch=z9hG4bK1",
                 "192.0.2.1:5070", "SIP/2.0/UDP 192.0.2.1:5070;maddr=203.0.113.9;branch=z9hG4bK1",
                 "192.0.2.1:5070"},
        via_case{"ipv6", "SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bK1", "[2001:db8::1]:5070",
                 "SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bK1", "[2001:db8::1]:5070"},
        via_case{"ipv6_written_otherwise", "SIP/2.0/UDP [2001:DB8:0:0::1];branch=z9hG4bK1", "[2001:db8::1]:7",
                 "SIP/2.0/UDP [2001:DB8:0:0::1];branch=z9hG4bK1", "[2001:db8::1]:5060"},
        via_case{"ipv6_rport", "SIP/2.0/UDP [2001:db8::2];branch=z9hG4bK1;rport", "[2001:db8::1]:7",
                 "SIP/2.0/UDP [2001:db8::2];branch=z9hG4bK1;rport=7;received=2001:db8::1",
                 "[2001:db8::1]:7"}),
    [](const auto& c) { return std::string(c.param.name); });

TEST(response_over_stream, goes_back_on_the_connection) {
  sip_world w;
  w.accept(conn_id{9});
  w.stream(conn_id{9}, sip_text{.via = "SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bKa1"}.str());
  w.respond(only_request(w), 200);
  ASSERT_EQ(w.sends.size(), 1U);
  EXPECT_EQ(w.sends[0].what.conn, conn_id{9});
  EXPECT_EQ(w.ep.stats().server_transactions, 0U);  // Timer J is zero
}

TEST(response_over_stream, goes_to_a_new_connection_when_the_old_one_is_gone) {
  sip_world w;
  w.accept(conn_id{9});
  w.stream(conn_id{9}, sip_text{.via = "SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bKa1"}.str());
  w.handle(io::closed{conn_id{9}, io::fail::peer_closed});
  w.respond(only_request(w), 200);
  EXPECT_THAT(w.sends, IsEmpty());
  ASSERT_EQ(w.opens.size(), 1U);
  EXPECT_EQ(w.opens[0].to, sip_world::address("127.0.0.1:5080"));
  w.open(w.opens[0].conn);
  ASSERT_EQ(w.sends.size(), 1U);
  EXPECT_EQ(w.sends[0].what.conn, w.opens[0].conn);
  EXPECT_EQ(w.ep.stats().server_transactions, 0U);
}

TEST(response_over_stream, is_sent_again_when_its_connection_broke_under_it_and_once_only) {
  sip_world w;
  w.accept(conn_id{9});
  w.stream(conn_id{9}, sip_text{.via = "SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bKa1"}.str());
  w.fail_send = 1;
  w.fail_why = io::fail::reset;
  w.respond(only_request(w), 200);
  w.handle(io::closed{conn_id{9}, io::fail::reset});
  ASSERT_EQ(w.opens.size(), 1U);
  w.handle(io::closed{w.opens[0].conn, io::fail::refused});
  EXPECT_EQ(w.opens.size(), 1U);
  EXPECT_EQ(w.ep.stats().server_transactions, 0U);
  EXPECT_EQ(w.memory.used(), 0U);
  EXPECT_EQ(w.log.back().event, "sip.response_lost");
  ASSERT_FALSE(w.log.back().fields.empty());
  EXPECT_EQ(w.log.back().fields.front().first, "call_id");
  EXPECT_EQ(w.log.back().fields.front().second, sip_text{}.call_id);
}

}  // namespace
}  // namespace stox::test
