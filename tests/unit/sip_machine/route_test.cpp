// Where requests go when the next hop is a name, and what is left out for whom.
#include <gtest/gtest.h>

#include "support/sip_script.hpp"

namespace {

using namespace stox;
using namespace stox::test;
using namespace std::chrono_literals;
using io::lookup_status;
using sip::failure;

std::string ip(int last) { return {'\x7f', '\0', '\0', static_cast<char>(last)}; }
std::string srv(int priority, const std::string& host) {
  std::string out{'\0', static_cast<char>(priority), '\0', '\0', '\x13', '\xC4'};
  return out + static_cast<char>(host.size()) + host + '\0';
}

sip_text ours(std::string method = "MESSAGE") {
  sip_text t;
  t.method = std::move(method);
  t.via.clear();
  t.max_forwards.clear();
  t.uri = t.to = "sip:bo@sip.example";
  t.from = "<sip:ana@xmpp.example>;tag=t";
  t.extra = "P-Asserted-Identity: <sip:ana@xmpp.example>\r\n";
  return t;
}

const sip::request_failed& only_failure(const sip_world& w) {
  static sip::request_failed none;
  const auto all = w.all<sip::request_failed>();
  EXPECT_EQ(all.size(), 1U);
  if (!all.empty()) none = all.front();
  return none;
}

TEST(route, a_name_is_asked_for_before_anything_is_sent) {
  sip_world w;
  w.request_to(ours(), "sip:a.example;transport=udp");
  EXPECT_TRUE(w.sends.empty());
  ASSERT_EQ(w.lookups.size(), 1U);
  EXPECT_EQ(w.lookups[0].name, "_sip._udp.a.example");
  w.answer(lookup_status::found, {srv(1, "x")});
  ASSERT_EQ(w.lookups.size(), 2U);  // both families
  w.answer(lookup_status::no_data);
  w.answer(lookup_status::found, {ip(9)});
  ASSERT_EQ(w.sends.size(), 1U);
  EXPECT_EQ(w.sends[0].what.to.to_string(), "127.0.0.9:5060");
}

TEST(route, a_name_that_is_not_there_fails_without_doubt) {
  sip_world w;
  w.request_to(ours(), "sip:a.example:5060");
  w.answer(lookup_status::no_name);
  w.answer(lookup_status::no_name);
  EXPECT_EQ(only_failure(w).why, failure::not_found);
  EXPECT_FALSE(only_failure(w).may_have_arrived);
  w.advance(40s);
  EXPECT_EQ(w.memory.used() > 0, true);  // the answers are remembered
  w.dns.tidy(w.now + 1h);
  EXPECT_EQ(w.memory.used(), 0U);
  EXPECT_EQ(w.deadlines.size(), 0U);
}

TEST(route, a_silent_dns_fails_within_the_budget) {
  sip_world w;
  w.request_to(ours(), "sip:a.example");
  w.advance(31s);
  EXPECT_EQ(only_failure(w).why, failure::no_answer);
  EXPECT_EQ(w.deadlines.size(), 0U);
}

TEST(route, asserted_identity_goes_only_where_every_server_is_trusted) {
  sip_world w;
  w.request_to(ours(), "sip:a.example:5060");
  w.answer(lookup_status::no_data);
  w.answer(lookup_status::found, {ip(1), ip(2)});
  EXPECT_NE(w.sends.at(0).what.bytes.find("P-Asserted-Identity"), std::string::npos);
  w.request_to(ours(), "sip:b.example:5060");
  w.answer(lookup_status::no_data);
  w.answer(lookup_status::found, {ip(1), std::string("\xC6\x33\x64\1", 4)});
  EXPECT_EQ(w.sends.at(1).what.bytes.find("P-Asserted-Identity"), std::string::npos);
}

TEST(route, a_server_that_did_not_answer_is_last_until_it_answers_again) {
  sip_world w;
  w.request_to(ours(), "sip:a.example:5060");
  w.answer(lookup_status::no_data);
  w.answer(lookup_status::found, {ip(1), ip(2)});
  w.advance(6s);
  EXPECT_EQ(w.sends.back().what.to.to_string(), "127.0.0.2:5060");
  w.sends.clear();
  w.request_to(ours(), "sip:a.example:5060");
  EXPECT_EQ(w.sends.at(0).what.to.to_string(), "127.0.0.2:5060");
  w.advance(30s);
  w.sends.clear();
  w.request_to(ours(), "sip:a.example:5060");
  EXPECT_EQ(w.sends.at(0).what.to.to_string(), "127.0.0.1:5060");
}

TEST(route, an_ack_to_a_2xx_waits_for_the_dns) {
  sip_world w;
  for (int n = 0; n < 2; ++n) {
    auto parsed = sip::parse_message(ours("ACK").str(), sip::framing::datagram, {});
    const auto used = w.memory.used();
    EXPECT_EQ(w.request_by(std::get<sip::request>(*parsed), {{"a.example", 5060, {}, false}}),
              sip::client_tx::none);
    EXPECT_GT(w.memory.used(), used + 100);
  }
  EXPECT_TRUE(w.sends.empty());
  w.answer(lookup_status::no_data);
  w.answer(lookup_status::found, {ip(1)});
  w.dns.tidy(w.now + 1h);
  EXPECT_EQ(w.memory.used(), 0U);
  ASSERT_EQ(w.sends.size(), 2U);
  EXPECT_EQ(w.sends[0].first_line(), "ACK sip:bo@sip.example SIP/2.0");
  EXPECT_EQ(w.sends[1].what.to.to_string(), "127.0.0.1:5060");
}

/// A MESSAGE over TCP whose connection breaks before its answer; gives its number.
sip::server_tx answered_too_late(sip_world& w, const std::string& sent_by) {
  sip_text text;
  text.via = "SIP/2.0/TCP " + sent_by + ";branch=z9hG4bKa1";
  w.accept(conn_id{70});
  w.stream(conn_id{70}, text.str());
  w.handle(io::closed{conn_id{70}, io::fail::reset});
  const auto got = w.all<sip::request_received>();
  EXPECT_EQ(got.size(), 1U);
  return got.empty() ? sip::server_tx::none : got[0].tx;
}

// RFC 3261 §18.2.2, RFC 3263 §5
TEST(response, whose_streams_are_gone_goes_to_the_servers_of_the_name_in_the_via) {
  sip_world w;
  w.respond(answered_too_late(w, "proxy.example"), 200);
  ASSERT_EQ(w.opens.size(), 1U);
  EXPECT_EQ(w.opens[0].to.to_string(), "127.0.0.1:5060");
  EXPECT_TRUE(w.lookups.empty());
  w.handle(io::closed{w.opens[0].conn, io::fail::refused});
  ASSERT_EQ(w.lookups.size(), 1U);
  EXPECT_EQ(w.lookups[0].name, "_sip._tcp.proxy.example");
  w.answer(lookup_status::found, {srv(1, "x"), srv(2, "y")});
  w.answer(lookup_status::no_data);
  w.answer(lookup_status::found, {ip(8)});
  w.answer(lookup_status::no_data);
  w.answer(lookup_status::found, {ip(9)});
  ASSERT_EQ(w.opens.size(), 2U);
  EXPECT_EQ(w.opens[1].to.to_string(), "127.0.0.8:5060");
  w.handle(io::closed{w.opens[1].conn, io::fail::refused});
  ASSERT_EQ(w.opens.size(), 3U);
  EXPECT_EQ(w.opens[2].to.to_string(), "127.0.0.9:5060");
  w.open(w.opens[2].conn);
  ASSERT_EQ(w.sends.size(), 1U);
  EXPECT_EQ(w.last().substr(0, 14), "SIP/2.0 200 OK");
  EXPECT_EQ(w.ep.stats().server_transactions, 0U);
}

TEST(response, is_lost_once_nobody_is_left_and_holds_nothing) {
  for (const auto* end : {"no name", "no answer", "nobody listens", "an address"}) {
    sip_world w;
    const std::string_view what(end);
    w.respond(answered_too_late(w, what == "an address" ? "127.0.0.1:5080" : "proxy.example:5070"), 200);
    w.handle(io::closed{w.opens.at(0).conn, io::fail::refused});
    if (what == "an address") {
      EXPECT_TRUE(w.lookups.empty());
    } else if (what == "no name") {
      w.answer(lookup_status::no_name);
      w.answer(lookup_status::no_name);
    } else if (what == "nobody listens") {
      w.answer(lookup_status::no_data);
      w.answer(lookup_status::found, {ip(8)});
      w.handle(io::closed{w.opens.at(1).conn, io::fail::refused});
    } else {
      EXPECT_EQ(w.ep.stats().server_transactions, 1U);
      w.stream(conn_id{70}, "\r\n");  // gone: nothing of it counts
      w.advance(40s);
    }
    EXPECT_EQ(w.ep.stats().server_transactions, 0U) << end;
    EXPECT_EQ(std::count_if(w.log.begin(), w.log.end(),
                            [](const log_record& r) { return r.event == "sip.response_lost"; }),
              1)
        << end;
    w.advance(40s);
    w.dns.tidy(w.now + 1h);
    EXPECT_EQ(w.memory.used(), 0U) << end;
    EXPECT_EQ(w.deadlines.size(), 0U) << end;
  }
}

TEST(route, a_cancelled_search_sends_nothing) {
  sip_world w;
  auto parsed = sip::parse_message(ours("INVITE").str(), sip::framing::datagram, {});
  const auto tx = w.request_by(std::get<sip::request>(*parsed), {{"a.example", 5060, {}, false}});
  w.ep.cancel(tx, w.now);
  w.answer(lookup_status::no_data);
  w.answer(lookup_status::found, {ip(1)});
  EXPECT_TRUE(w.sends.empty());
  EXPECT_EQ(only_failure(w).why, failure::transport);
}

}  // namespace
