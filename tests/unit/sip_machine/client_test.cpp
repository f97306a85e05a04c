#include "unit/sip_machine/client_support.hpp"

namespace stox::test {
namespace {

using namespace std::chrono_literals;
using sip::failure;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(client_transaction, adds_via_and_max_forwards) {
  sip_world w;
  w.request(ours(), {a});
  ASSERT_EQ(w.sends.size(), 1U);
  EXPECT_EQ(w.sends[0].what.conn, udp4);
  EXPECT_EQ(w.sends[0].what.to, a.to);
  EXPECT_EQ(w.last(),
            "MESSAGE sip:ana@sip.example SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-1;rport\r\n"
            "Max-Forwards: 70\r\n"
            "From: <sip:bo@xmpp.example>;tag=g1\r\n"
            "To: <sip:ana@sip.example>\r\n"
            "Call-ID: call-1\r\n"
            "CSeq: 1 MESSAGE\r\n"
            "Content-Type: text/plain\r\n"
            "Content-Length: 5\r\n\r\nhello");
}

TEST(client_transaction, names_what_is_advertised_and_its_product) {
  auto o = sip_world::defaults();
  o.advertise = {{std::nullopt, "gw.sip.example", 0}};
  o.product = "stox";
  sip_world w(o);
  w.request(ours(), {a});
  EXPECT_EQ(header_of(w.last(), "Via"), "SIP/2.0/UDP gw.sip.example:5060;branch=z9hG4bK-1;rport");
  EXPECT_EQ(header_of(w.last(), "User-Agent"), "stox");
}

TEST(client_transaction, sends_from_the_listener_of_the_targets_family) {
  sip_world w;
  w.request(ours(), {sip_world::udp_to("[::1]:5071")});
  EXPECT_EQ(w.sends[0].what.conn, udp6);
  EXPECT_EQ(header_of(w.last(), "Via"), "SIP/2.0/UDP [::1]:5060;branch=z9hG4bK-1;rport");
}

TEST(client_transaction, retransmits_on_timer_e_doubling_up_to_t2_and_times_out_after_64_t1) {
  sip_world w;
  const auto tx = w.request(ours(), {a});
  w.advance(60s);
  EXPECT_THAT(w.timeline(), ElementsAre("0 MESSAGE", "500 MESSAGE", "1500 MESSAGE", "3500 MESSAGE",
                                        "7500 MESSAGE", "11500 MESSAGE", "15500 MESSAGE", "19500 MESSAGE",
                                        "23500 MESSAGE", "27500 MESSAGE", "31500 MESSAGE"));
  for (const auto& s : w.sends) EXPECT_EQ(s.what.bytes, w.sends[0].what.bytes);
  const auto failed = only_failure(w);
  EXPECT_EQ(failed.tx, tx);
  EXPECT_EQ(failed.why, failure::timed_out);
  EXPECT_TRUE(failed.may_have_arrived);
  expect_nothing_left(w);
}

TEST(client_transaction, times_out_exactly_at_64_t1) {
  sip_world w;
  w.request(ours(), {a});
  w.advance(31999ms);
  EXPECT_THAT(w.events, IsEmpty());
  w.advance(1ms);
  EXPECT_EQ(w.events.size(), 1U);
}

TEST(client_transaction, slows_down_to_t2_after_a_100) {
  sip_world w;
  w.request(ours(), {a});
  w.advance(600ms);
  w.datagram(answer_to(w.last(), 100), "127.0.0.1:5071");
  w.advance(9s);
  EXPECT_THAT(w.timeline(), ElementsAre("0 MESSAGE", "500 MESSAGE", "4600 MESSAGE", "8600 MESSAGE"));
  EXPECT_THAT(w.events, IsEmpty());
}

// RFC 3261 §18.1.2 with §19.1.4: the sent-by has to be what we wrote, and hosts compare without case.
TEST(client_transaction, knows_its_sent_by_in_any_case) {
  auto o = sip_world::defaults();
  o.advertise = {{std::nullopt, "GW.Sip.Example", 0}};
  sip_world w{o};
  w.request(ours(), {a});
  std::string ok = answer_to(w.last(), 200);
  const auto at = ok.find("gw.sip.example");
  ASSERT_NE(at, std::string::npos) << w.last();
  ok.replace(at, 14, "GW.SIP.example");
  w.datagram(ok, "127.0.0.1:5071");
  EXPECT_EQ(only_status(w), 200);
  w.datagram(ok, "127.0.0.1:5071");
  EXPECT_EQ(w.ep.stats().retransmissions_in, 1U);
}

TEST(client_transaction, tells_the_final_response_once_and_absorbs_its_copies) {
  sip_world w;
  w.request(ours(), {a});
  const std::string ok = answer_to(w.last(), 200);
  w.datagram(ok, "127.0.0.1:5071");
  w.datagram(ok, "127.0.0.1:5071");
  EXPECT_EQ(only_status(w), 200);
  EXPECT_EQ(w.ep.stats().retransmissions_in, 1U);
  EXPECT_EQ(w.ep.stats().client_transactions, 0U) << "only what knows its copies is left";
  w.advance(4999ms);
  std::string of_another = ok;
  of_another.replace(of_another.find("127.0.0.1:5060"), 14, "127.0.0.1:5066");
  w.datagram(of_another, "127.0.0.1:5071");
  EXPECT_EQ(w.ep.stats().stray_responses, 1U);
  std::string of_a_method = ok;
  of_a_method.replace(of_a_method.find("1 MESSAGE"), 9, "1 OPTIONS");
  w.datagram(of_a_method, "127.0.0.1:5071");
  EXPECT_EQ(w.ep.stats().stray_responses, 2U);
  w.datagram(ok, "127.0.0.1:5071");
  EXPECT_EQ(w.ep.stats().retransmissions_in, 2U);
  w.advance(1ms);  // Timer K
  w.datagram(ok, "127.0.0.1:5071");
  EXPECT_EQ(w.ep.stats().retransmissions_in, 2U);
  EXPECT_EQ(w.ep.stats().stray_responses, 3U);
  EXPECT_EQ(only_status(w), 200);
  expect_nothing_left(w);
}

// Between two looks at what has ended: the time itself counts.
TEST(client_transaction, absorbs_copies_of_an_answer_no_longer_than_timer_k) {
  sip_world w;
  w.request(ours(), {a});
  w.datagram(answer_to(w.last(), 200), "127.0.0.1:5071");
  w.advance(500ms);
  auto second = ours();
  w.request(second, {a});
  const std::string ok = answer_to(w.last(), 200);
  w.datagram(ok, "127.0.0.1:5071");
  w.advance(4999ms);
  w.datagram(ok, "127.0.0.1:5071");
  EXPECT_EQ(w.ep.stats().retransmissions_in, 1U);
  w.advance(1ms);
  w.datagram(ok, "127.0.0.1:5071");
  EXPECT_EQ(w.ep.stats().retransmissions_in, 1U);
  EXPECT_EQ(w.ep.stats().stray_responses, 1U);
  expect_nothing_left(w);
}

TEST(client_transaction, ignores_responses_that_are_not_its_own) {
  sip_world w;
  w.request(ours(), {a});
  const std::string ok = answer_to(w.last(), 200);
  const auto replaced = [&ok](std::string_view what, std::string_view by) {
    std::string text = ok;
    return text.replace(text.find(what), what.size(), by);
  };
  w.datagram(replaced("branch=z9hG4bK-1", "branch=z9hG4bK-2"));
  w.datagram(replaced("1 MESSAGE", "1 OPTIONS"));
  w.datagram(replaced("UDP 127.0.0.1:5060", "UDP 127.0.0.1:5061"));
  w.datagram(replaced("UDP 127.0.0.1:5060", "UDP 192.0.2.1:5060"));
  w.datagram(replaced("From: ", "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-1\r\nFrom: "));
  EXPECT_EQ(w.ep.stats().stray_responses, 5U);
  EXPECT_THAT(w.events, IsEmpty());
  w.datagram(ok);
  EXPECT_EQ(only_status(w), 200);
}

TEST(client_transaction, tells_a_failing_send) {
  sip_world w;
  w.fail_send = 1;
  w.request(ours(), {a});
  const auto failed = only_failure(w);
  EXPECT_EQ(failed.why, failure::transport);
  EXPECT_FALSE(failed.may_have_arrived);
  EXPECT_EQ(failed.detail,
            "sending to 127.0.0.1:5071 failed: " + std::string(to_string(io::fail::unreachable)));
  expect_nothing_left(w);
}

TEST(client_transaction, does_not_take_a_full_queue_for_a_dead_peer) {
  sip_world w;
  w.fail_send = 1;
  w.fail_why = io::fail::overflow;
  w.request(ours(), {a});
  EXPECT_THAT(w.events, IsEmpty());
  w.advance(500ms);
  w.datagram(answer_to(w.last(), 200));
  EXPECT_EQ(only_status(w), 200);
}

TEST(client_transaction, says_that_it_may_have_arrived_when_only_a_later_copy_failed) {
  sip_world w;
  w.fail_send = 2;
  w.request(ours(), {a});
  w.advance(1s);
  EXPECT_EQ(only_failure(w).why, failure::transport);
  EXPECT_TRUE(only_failure(w).may_have_arrived);
}

TEST(client_transaction, fails_without_a_target_or_a_listener) {
  sip_world w;
  w.request(ours(), {});
  EXPECT_EQ(only_failure(w).why, failure::transport);
  sip::endpoint_options o = sip_world::defaults();
  deadline_index deadlines;
  counting_ids ids;
  byte_account memory(1 << 20);
  io_port io;
  dns::resolver dns({}, deadlines, memory, io);
  sip::endpoint ep(o, deadlines, ids, memory, io, dns);
  auto parsed = sip::parse_message(ours().str(), sip::framing::datagram, {});
  ep.request({std::get<sip::request>(*parsed), {{"127.0.0.1", 5070, transport::udp, false}}}, {});
  const auto e = ep.poll();
  ASSERT_TRUE(e && std::holds_alternative<sip::request_failed>(*e));
  EXPECT_FALSE(std::get<sip::request_failed>(*e).may_have_arrived);
  EXPECT_EQ(memory.used(), 0U);
}

// ---- size ----

TEST(large_request, is_refused_for_a_message_before_anything_is_sent) {
  for (const sip::target& t : {a, tcp_a}) {
    sip_world w;
    sip_text text = ours();
    text.body = std::string(1300, 'x');
    w.request(text, {t});
    EXPECT_THAT(w.sends, IsEmpty());
    EXPECT_THAT(w.opens, IsEmpty());
    const auto failed = only_failure(w);
    EXPECT_EQ(failed.why, failure::too_large);
    EXPECT_FALSE(failed.may_have_arrived);
    EXPECT_THAT(failed.detail, HasSubstr("1300"));
    expect_nothing_left(w);
  }
}

TEST(large_request, of_exactly_1300_bytes_is_sent_and_one_more_is_not) {
  sip_world probe;
  probe.request(ours(), {a});
  const std::size_t rest = probe.last().size() - 5 + 3;  // Content-Length gets four digits
  sip_text text = ours();
  text.body = std::string(1300 - rest, 'x');
  sip_world fits;
  fits.request(text, {a});
  ASSERT_EQ(fits.sends.size(), 1U);
  EXPECT_EQ(fits.last().size(), 1300U);
  text.body += 'x';
  sip_world over;
  over.request(text, {a});
  EXPECT_THAT(over.sends, IsEmpty());
  EXPECT_THAT(only_failure(over).detail, HasSubstr("1301"));
}

/// A MESSAGE of ours whose body is that long, on a way that is said to be safe.
void send_on_a_safe_way(sip_world& w, std::size_t body, const sip::target& t) {
  sip_text text = ours();
  text.body = std::string(body, 'x');
  w.request(text, {t}, {}, 65'535);
}

TEST(large_request, goes_over_a_stream_where_the_way_is_congestion_safe) {
  for (const sip::target& t : {a, tcp_a}) {
    sip_world w;
    send_on_a_safe_way(w, 60'000, t);
    EXPECT_THAT(w.sends, IsEmpty());
    ASSERT_EQ(w.opens.size(), 1U);
    EXPECT_EQ(w.opens[0].to, a.to);
    w.open(w.opens[0].conn);
    EXPECT_THAT(header_of(w.last(), "Via"), testing::StartsWith("SIP/2.0/TCP "));
    w.stream(w.opens[0].conn, answer_to(w.last(), 200));
    EXPECT_EQ(only_status(w), 200);
    expect_nothing_left(w);
  }
  // What fits into a datagram goes as it always does.
  sip_world small;
  send_on_a_safe_way(small, 100, a);
  EXPECT_THAT(header_of(small.last(), "Via"), testing::StartsWith("SIP/2.0/UDP "));
}

TEST(large_request, as_a_message_never_falls_back_to_udp) {
  sip_world w;
  send_on_a_safe_way(w, 1300, a);
  w.handle(io::closed{w.opens.at(0).conn, io::fail::refused});
  EXPECT_THAT(w.sends, IsEmpty());
  EXPECT_EQ(only_failure(w).why, failure::too_large);
  EXPECT_FALSE(only_failure(w).may_have_arrived);
  EXPECT_THAT(only_failure(w).detail, HasSubstr("too long for UDP"));
  expect_nothing_left(w);
}

TEST(large_request, is_turned_away_alone_where_a_stream_takes_no_more) {
  sip_world w;
  for (int i = 0; i < 3; ++i) send_on_a_safe_way(w, 60'000, tcp_a);
  ASSERT_EQ(w.opens.size(), 1U);
  EXPECT_EQ(only_failure(w).why, failure::transport);
  EXPECT_FALSE(only_failure(w).may_have_arrived);
  send_on_a_safe_way(w, 100, tcp_a);
  w.open(w.opens[0].conn);
  EXPECT_EQ(w.sends.size(), 3U);
  EXPECT_EQ(w.all<sip::request_failed>().size(), 1U);
  EXPECT_THAT(w.closes, IsEmpty());
}

TEST(large_request, has_a_limit_on_a_safe_way_too) {
  sip_world fits, over;
  send_on_a_safe_way(fits, 65'000, a);
  EXPECT_EQ(fits.opens.size(), 1U);
  send_on_a_safe_way(over, 65'400, a);
  EXPECT_THAT(over.opens, IsEmpty());
  EXPECT_EQ(only_failure(over).why, failure::too_large);
  EXPECT_THAT(only_failure(over).detail, HasSubstr("65535"));
  expect_nothing_left(over);
}

TEST(large_request, goes_over_tcp_where_the_method_allows) {
  sip_world w;
  sip_text text = ours("PUBLISH");
  text.body = std::string(1400, 'x');
  w.request(text, {a});
  EXPECT_THAT(w.sends, IsEmpty());
  ASSERT_EQ(w.opens.size(), 1U);
  EXPECT_EQ(w.opens[0].to, a.to);
  w.open(w.opens[0].conn);
  EXPECT_EQ(header_of(w.last(), "Via"), "SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK-1");
  w.stream(w.opens[0].conn, answer_to(w.last(), 200));
  EXPECT_EQ(only_status(w), 200);
  expect_nothing_left(w);
}

TEST(large_request, falls_back_to_udp_only_when_tcp_could_not_be_connected) {
  sip_text text = ours("PUBLISH");
  text.body = std::string(1400, 'x');
  sip_world refused;
  refused.request(text, {a});
  refused.handle(io::closed{refused.opens.at(0).conn, io::fail::refused});
  ASSERT_EQ(refused.sends.size(), 1U);
  EXPECT_EQ(header_of(refused.last(), "Via"), "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-2;rport");

  sip_world filtered;
  filtered.request(text, {a});
  filtered.advance(6s);
  EXPECT_THAT(filtered.timeline(), ElementsAre("6000 PUBLISH"));
  filtered.open(filtered.opens.at(0).conn);  // too late: what waited for it is not sent twice
  EXPECT_EQ(filtered.sends.size(), 1U);

  sip_world answered;
  answered.request(text, {a});
  answered.open(answered.opens.at(0).conn);
  answered.stream(answered.opens[0].conn, answer_to(answered.last(), 503));
  EXPECT_EQ(only_status(answered), 503);
  EXPECT_EQ(answered.sends.size(), 1U);

  sip_world silent;
  silent.request(text, {a});
  silent.open(silent.opens.at(0).conn);
  silent.advance(40s);
  EXPECT_EQ(silent.sends.size(), 1U);
  EXPECT_EQ(only_failure(silent).why, failure::timed_out);
}

// ---- streams ----

TEST(stream_request, reuses_the_connection_and_is_sent_once) {
  sip_world w;
  w.request(ours(), {tcp_a});
  sip_text second = ours();
  second.cseq = "2";
  w.request(second, {tcp_a});
  ASSERT_EQ(w.opens.size(), 1U);
  EXPECT_THAT(w.sends, IsEmpty());
  w.open(w.opens[0].conn);
  EXPECT_EQ(w.sends.size(), 2U);
  w.advance(31s);
  EXPECT_EQ(w.sends.size(), 2U);
  sip_text third = ours();
  third.cseq = "3";
  w.request(third, {tcp_a});
  EXPECT_EQ(w.opens.size(), 1U);
  EXPECT_EQ(w.sends.size(), 3U);
  EXPECT_EQ(header_of(w.last(), "Via"), "SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK-3");
}

TEST(stream_request, fails_every_request_that_waited_for_a_connection_that_does_not_come) {
  sip_world w;
  w.request(ours(), {tcp_a});
  sip_text second = ours();
  second.cseq = "2";
  w.request(second, {tcp_a});
  w.handle(io::closed{w.opens.at(0).conn, io::fail::refused});
  const auto failed = w.all<sip::request_failed>();
  ASSERT_EQ(failed.size(), 2U);
  for (const auto& f : failed) {
    EXPECT_EQ(f.why, failure::transport);
    EXPECT_FALSE(f.may_have_arrived);
  }
  expect_nothing_left(w);
}

TEST(stream_request, is_not_sent_any_more_once_it_timed_out) {
  sip_world w;
  w.request(ours(), {tcp_a});
  w.advance(32s);
  EXPECT_EQ(only_failure(w).why, failure::timed_out);
  EXPECT_FALSE(only_failure(w).may_have_arrived);
  w.open(w.opens.at(0).conn);
  EXPECT_THAT(w.sends, IsEmpty());
}

TEST(stream_request, may_have_arrived_when_the_connection_is_lost_after_the_write) {
  sip_world w;
  w.request(ours(), {tcp_a});
  w.open(w.opens.at(0).conn);
  w.handle(io::closed{w.opens[0].conn, io::fail::reset});
  EXPECT_EQ(only_failure(w).why, failure::transport);
  EXPECT_TRUE(only_failure(w).may_have_arrived);
  EXPECT_EQ(w.ep.stats().connections, 0U);
  expect_nothing_left(w);
}

TEST(stream_request, waits_while_the_connection_is_blocked) {
  sip_world w;
  w.request(ours(), {tcp_a});
  w.open(w.opens.at(0).conn);
  w.handle(io::blocked{w.opens[0].conn});
  sip_text second = ours();
  second.cseq = "2";
  w.request(second, {tcp_a});
  EXPECT_EQ(w.sends.size(), 1U);
  w.handle(io::writable{w.opens[0].conn});
  EXPECT_EQ(w.sends.size(), 2U);
}

// ---- INVITE ----

TEST(client_invite, retransmits_on_timer_a_without_bound_until_timer_b) {
  sip_world w;
  w.request(ours("INVITE"), {a});
  w.advance(40s);
  EXPECT_THAT(w.timeline(), ElementsAre("0 INVITE", "500 INVITE", "1500 INVITE", "3500 INVITE", "7500 INVITE",
                                        "15500 INVITE", "31500 INVITE"));
  EXPECT_EQ(only_failure(w).why, failure::timed_out);
}

TEST(client_invite, waits_as_long_as_it_rings) {
  sip_world w;
  w.request(ours("INVITE"), {a});
  w.datagram(answer_to(w.last(), 100));
  w.datagram(answer_to(w.last(), 180));
  w.advance(5min);
  EXPECT_THAT(w.timeline(), ElementsAre("0 INVITE"));
  EXPECT_EQ(only_status(w), 180);
}

TEST(client_invite, acknowledges_a_failure_and_each_copy_of_it) {
  sip_world w;
  sip_text t = ours("INVITE");
  t.extra = "Route: <sip:proxy.example;lr>\r\n";
  w.request(t, {a});
  const std::string busy = answer_to(w.last(), 486);
  w.datagram(busy);
  w.datagram(busy);
  ASSERT_EQ(w.sends.size(), 3U);
  EXPECT_EQ(w.sends[1].what.bytes, w.sends[2].what.bytes);
  EXPECT_EQ(w.last(),
            "ACK sip:ana@sip.example SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-1;rport\r\n"
            "Route: <sip:proxy.example;lr>\r\n"
            "Max-Forwards: 70\r\n"
            "From: <sip:bo@xmpp.example>;tag=g1\r\n"
            "To: <sip:ana@sip.example>;tag=peer\r\n"
            "Call-ID: call-1\r\n"
            "CSeq: 1 ACK\r\n"
            "Content-Length: 0\r\n\r\n");
  EXPECT_EQ(only_status(w), 486);
  w.advance(31999ms);
  EXPECT_EQ(w.ep.stats().client_transactions, 1U);
  expect_nothing_left(w);  // Timer D
}

TEST(client_invite, leaves_the_ack_to_a_2xx_to_its_user) {
  sip_world w;
  w.request(ours("INVITE"), {a});
  const std::string ok = answer_to(w.last(), 200);
  w.datagram(ok);
  w.datagram(ok);
  EXPECT_THAT(w.timeline(), ElementsAre("0 INVITE"));
  EXPECT_EQ(only_status(w), 200);
  EXPECT_EQ(w.request(ours("ACK"), {a}), sip::client_tx::none);
  EXPECT_EQ(header_of(w.last(), "Via"), "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-2;rport");
  EXPECT_THAT(w.timeline(), ElementsAre("0 INVITE", "0 ACK"));
  expect_nothing_left(w);  // Timer M
}

TEST(client_invite, is_cancelled_once_a_provisional_response_came) {
  sip_world w;
  const auto tx = w.request(ours("INVITE"), {a});
  const std::string invite = w.last();
  w.cancel(tx);
  EXPECT_EQ(w.sends.size(), 1U);
  w.datagram(answer_to(invite, 180));
  w.cancel(tx);
  ASSERT_EQ(w.sends.size(), 2U);
  EXPECT_EQ(w.last(),
            "CANCEL sip:ana@sip.example SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-1;rport\r\n"
            "Max-Forwards: 70\r\n"
            "From: <sip:bo@xmpp.example>;tag=g1\r\n"
            "To: <sip:ana@sip.example>\r\n"
            "Call-ID: call-1\r\n"
            "CSeq: 1 CANCEL\r\n"
            "Content-Length: 0\r\n\r\n");
  w.datagram(answer_to(w.last(), 200));
  w.cancel(tx);
  EXPECT_EQ(w.sends.size(), 2U) << "once is enough, also when it was answered";
  w.datagram(answer_to(invite, 487));
  const auto got = w.all<sip::response_received>();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].response.status, 180);
  EXPECT_EQ(got[1].response.status, 487);
  EXPECT_THAT(w.timeline(), ElementsAre("0 INVITE", "0 CANCEL", "0 ACK"));
  expect_nothing_left(w);
}

TEST(client_invite, ends_64_t1_after_its_cancel) {
  sip_world w;
  const auto tx = w.request(ours("INVITE"), {a});
  w.datagram(answer_to(w.last(), 180));
  w.advance(1min);
  w.cancel(tx);
  w.advance(32s);
  ASSERT_EQ(w.all<sip::request_failed>().size(), 1U);
  EXPECT_EQ(w.all<sip::request_failed>()[0].why, failure::timed_out);
  expect_nothing_left(w);
}

TEST(client_invite, acknowledges_the_503_that_it_leaves_behind) {
  sip_world w;
  w.request(ours("INVITE"), {a, b});
  w.datagram(answer_to(w.last(), 503));
  EXPECT_THAT(w.timeline(), ElementsAre("0 INVITE", "0 ACK", "0 INVITE"));
  EXPECT_EQ(w.sends[1].what.to, a.to);
  EXPECT_EQ(w.sends[2].what.to, b.to);
}

}  // namespace
}  // namespace stox::test
