#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "sip/machine/admission.hpp"
#include "support/sip_script.hpp"

namespace stox::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// The checks in their order: what a request must be like to fail at this one, and the answer.
struct check {
  const char* name;
  std::string code;
  std::function<void(sip_text&)> spoil;
};

const std::vector<check>& checks() {
  static const std::vector<check> all = {
      {"parse", "400", [](sip_text& t) { t.max_forwards = "x"; }},
      {"trust", "403", [](sip_text&) {}},  // the source makes the difference
      {"method", "405", [](sip_text& t) { t.method = "INVITE"; }},
      {"uri_scheme", "416", [](sip_text& t) { t.uri = "tel:+1"; }},
      {"domain", "404",
       [](sip_text& t) {
         if (t.uri[0] == 's') t.uri = "sip:bo@sip.example";
       }},
      {"max_forwards", "483",
       [](sip_text& t) { t.max_forwards = t.max_forwards == "70" ? "0" : t.max_forwards; }},
      {"own_via", "482",
       [](sip_text& t) { t.extra += "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKours\r\n"; }},
      {"require", "420", [](sip_text& t) { t.extra += "Require: something\r\n"; }},
      {"body", "415", [](sip_text& t) { t.type = "image/png"; }},
  };
  return all;
}

bool is_trust(const check& c) { return std::string_view(c.name) == "trust"; }

TEST(order_of_checks, is_the_same_for_every_pair) {
  for (std::size_t i = 0; i < checks().size(); ++i) {
    for (std::size_t j = i; j < checks().size(); ++j) {
      sip_text t;
      // The later one first, so that the earlier one may see what it did.
      checks()[j].spoil(t);
      if (j != i) checks()[i].spoil(t);
      sip_world w;
      const bool stranger = is_trust(checks()[i]) || is_trust(checks()[j]);
      w.datagram(t.str(), stranger ? "192.0.2.1:5080" : "127.0.0.1:5080");
      EXPECT_THAT(w.timeline(), ElementsAre("0 " + checks()[i].code))
          << checks()[i].name << " before " << checks()[j].name;
      EXPECT_THAT(w.events, IsEmpty());
      EXPECT_EQ(w.memory.used(), 0U);
      EXPECT_EQ(w.ep.stats().rejected[std::stoi(checks()[i].code)], 1U);
    }
  }
}

TEST(order_of_checks, has_merged_requests_between_loops_and_require) {
  sip_world w;
  w.datagram(sip_text{}.str());
  sip_text again;
  again.via = "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKb;rport";
  again.extra = "Require: something\r\n";
  again.type = "image/png";
  w.datagram(again.str());
  again.max_forwards = "0";
  w.datagram(again.str());
  EXPECT_THAT(w.timeline(), ElementsAre("0 482", "0 483"));
}

std::string answered(const sip_text& t, sip::endpoint_options o = sip_world::defaults()) {
  sip_world w(std::move(o));
  w.datagram(t.str());
  if (w.sends.empty()) return w.events.empty() ? "nothing" : "passed";
  return w.last();
}

std::string code(const sip_text& t, sip::endpoint_options o = sip_world::defaults()) {
  const std::string text = answered(t, std::move(o));
  return text.rfind("SIP/2.0 ", 0) == 0 ? text.substr(8, 3) : text;
}

TEST(admission, says_what_would_be_allowed) {
  EXPECT_EQ(header_of(answered({.method = "INVITE"}), "Allow"), "MESSAGE, OPTIONS, CANCEL, ACK");
  EXPECT_EQ(header_of(answered({.extra = "Require: a, b\r\nRequire: c\r\n"}), "Unsupported"), "a, b, c");
  EXPECT_EQ(header_of(answered({.type = "image/png"}), "Accept"), "text/plain");
  const std::string coded = answered({.extra = "Content-Encoding: gzip\r\n"});
  EXPECT_EQ(coded.substr(8, 3), "415");
  EXPECT_EQ(header_of(coded, "Accept-Encoding"), "identity");
  EXPECT_EQ(code({.extra = "Content-Encoding: identity\r\n"}), "passed");
  auto inflating = sip_world::defaults();
  inflating.accept_encodings = {"deflate"};
  EXPECT_EQ(code({.extra = "Content-Encoding: Deflate\r\n"}, inflating), "passed");
  EXPECT_EQ(header_of(answered({.extra = "Content-Encoding: deflate, br\r\n"}, inflating), "Accept-Encoding"),
            "identity, deflate");
}

TEST(admission, refuses_a_method_that_nobody_knows_with_501) {
  const std::string text = answered({.method = "DANCE"});
  EXPECT_EQ(text.substr(8, 3), "501");
  EXPECT_EQ(header_of(text, "Allow"), "MESSAGE, OPTIONS, CANCEL, ACK");
}

TEST(admission, names_no_method_twice) {
  auto o = sip_world::defaults();
  o.methods = {sip::method::invite, sip::method::ack, sip::method::cancel, sip::method::message};
  EXPECT_EQ(sip::allowed_methods(o), "INVITE, MESSAGE, CANCEL, ACK");
}

TEST(admission, knows_no_dialog_that_a_message_could_be_in) {
  EXPECT_EQ(code({.to = "<sip:bo@xmpp.example>;tag=x"}), "481");
}

TEST(admission, never_carries_sips_over) {
  for (const sip_text& t :
       {sip_text{.uri = "sips:bo@xmpp.example"}, sip_text{.to = "<sips:bo@xmpp.example>"}}) {
    const std::string text = answered(t);
    EXPECT_EQ(text.substr(8, 3), "480");
    EXPECT_EQ(header_of(text, "Warning"), "380 127.0.0.1 \"SIPS Not Allowed\"");
  }
}

TEST(admission, serves_the_domains_of_the_options) {
  EXPECT_EQ(code({.uri = "sip:bo@SIP.example"}), "404");
  EXPECT_EQ(code({.uri = "sip:bo@sip.example."}), "404");
  EXPECT_EQ(code({.uri = "sip:bo@any.example"}), "passed");
  EXPECT_EQ(code({.uri = "sip:bo@127.0.0.1"}), "404");  // nobody lives at our own address
  auto o = sip_world::defaults();
  o.xmpp_domains = {"xmpp.example"};
  EXPECT_EQ(code({.uri = "sip:bo@xmpp.EXAMPLE"}, o), "passed");
  EXPECT_EQ(code({.uri = "sip:bo@any.example"}, o), "404");
}

TEST(admission, sees_a_loop_in_any_via) {
  auto o = sip_world::defaults();
  o.advertise = {{std::nullopt, "gw.example", 0}};
  for (const char* ours :
       {"SIP/2.0/UDP gw.example:5060;branch=z9hG4bKx", "SIP/2.0/TCP GW.example ;branch=z9hG4bKx",
        "SIP/2.0/UDP [::1]:5060;branch=z9hG4bKx", "SIP/2.0/UDP [0:0::1];branch=z9hG4bKx"}) {
    EXPECT_EQ(code({.extra = "Via: SIP/2.0/UDP far.example;branch=1, " + std::string(ours) + "\r\n"}, o),
              "482")
        << ours;
  }
  EXPECT_EQ(code({.extra = "Via: SIP/2.0/UDP gw.example:5099;branch=z9hG4bKx\r\n"}, o), "passed");
}

TEST(admission, sees_its_own_via_behind_a_wildcard_listener) {
  auto o = sip_world::defaults();
  o.advertise = {{std::nullopt, "gw.example", 0}};
  for (const auto& [address, top] :
       {std::pair("0.0.0.0:5062", "gw.example:5062"), std::pair("[::]:5063", "gw.example:5063")}) {
    sip_world w(o);
    const conn_id wildcard{8};
    w.handle(io::listening{wildcard, transport::udp, sip_world::address(address)});
    // Our own request, come back from ourselves.
    w.request({.uri = "sip:bo@xmpp.example", .via = {}, .max_forwards = {}},
              {sip_world::udp_to("127.0.0.1:5071")});
    const auto via = header_of(w.last(), "Via");
    EXPECT_THAT(via, testing::StartsWith("SIP/2.0/UDP gw.example:5060;"));
    w.datagram(w.last(), "127.0.0.1:5060", wildcard);
    EXPECT_THAT(w.last(), testing::StartsWith("SIP/2.0 482 "));
    // The listener's own port is ours as well; the wildcard address is nobody's.
    w.datagram(
        sip_text{.via = "SIP/2.0/UDP " + std::string(top) + ";branch=z9hG4bKx1", .call_id = "call-2"}.str(),
        "127.0.0.1:5070", wildcard);
    EXPECT_THAT(w.last(), testing::StartsWith("SIP/2.0 482 "));
    w.datagram(
        sip_text{.via = "SIP/2.0/UDP " + std::string(address) + ";branch=z9hG4bKx2", .call_id = "call-3"}
            .str(),
        "127.0.0.1:5070", wildcard);
    EXPECT_EQ(w.all<sip::request_received>().size(), 1U);
  }
}

TEST(admission, lets_a_body_pass_that_its_sender_calls_optional) {
  EXPECT_EQ(code({.extra = "Content-Disposition: render;handling=optional\r\n", .type = "image/png"}),
            "passed");
  EXPECT_EQ(code({.extra = "Content-Disposition: render;handling=required\r\n", .type = "image/png"}), "415");
  EXPECT_EQ(code({.type = ""}), "415");
  EXPECT_EQ(code({.type = "Text/PLAIN;charset=UTF-8"}), "passed");
  EXPECT_EQ(code({.type = "image/png", .body = ""}), "passed");
}

TEST(admission, knows_the_option_tags_of_the_options) {
  auto o = sip_world::defaults();
  o.supported = {"gruu"};
  EXPECT_EQ(code({.extra = "Require: GRUU\r\n"}, o), "passed");
}

// ---- malformed ----

TEST(malformed_request, hears_what_is_wrong) {
  sip_world w;
  sip_text t;
  t.from.clear();
  w.datagram(t.str());
  EXPECT_THAT(w.last(), testing::StartsWith("SIP/2.0 400 Bad Request ("));
  EXPECT_EQ(header_of(w.last(), "Call-ID"), "call-1");
  std::string future = sip_text{}.str();
  future.replace(future.find("SIP/2.0\r\n"), 7, "SIP/7.0");
  w.datagram(future);
  EXPECT_THAT(w.last(), testing::StartsWith("SIP/2.0 505 "));
  EXPECT_EQ(w.ep.stats().garbage, 0U);
  EXPECT_EQ(w.memory.used(), 0U);
}

// Found by fuzzing: the first Via line had nothing in it.
TEST(malformed_request, with_an_empty_first_via_line_is_answered_by_the_next_one) {
  for (const char* nothing : {"Via: ,\r\n", "Via: \r\n", "v: , ,\r\nVia:\r\n"}) {
    for (const bool whole : {false, true}) {
      sip_world w;
      sip_text t;
      if (!whole) t.from.clear();
      auto text = t.str();
      text.insert(text.find("Via: "), nothing);
      w.datagram(text);
      w.advance(1s);
      for (const auto& s : w.sends) EXPECT_EQ(s.what.to.to_string(), "127.0.0.1:5080") << nothing;
    }
  }
}

TEST(malformed_request, is_not_answered_where_it_cannot_be) {
  sip_world w;
  sip_text no_via;
  no_via.via.clear();
  w.datagram(no_via.str());
  sip_text ack;
  ack.method = "ACK";
  ack.call_id.clear();
  w.datagram(ack.str());
  w.datagram("no SIP at all");
  w.datagram("SIP/2.0 999 Odd\r\n\r\n");
  EXPECT_THAT(w.sends, IsEmpty());
  EXPECT_EQ(w.ep.stats().garbage, 4U);
}

TEST(keepalive, is_ignored) {
  sip_world w;
  const std::vector<std::string_view> quiet = {"\r\n\r\n", "\r\n", std::string_view("\0\0\0\0", 4), ""};
  for (const std::string_view text : quiet) w.datagram(text);
  w.datagram(std::string_view("\x00\x01\x00\x00\x21\x12\xA4\x42 stun", 13));
  w.datagram(std::string_view("\x01\x01\x00\x00\x21\x12\xA4\x42 stun", 13));
  EXPECT_THAT(w.sends, IsEmpty());
  EXPECT_EQ(w.ep.stats().garbage, 0U);
  w.datagram("\r\n\r\n" + sip_text{}.str());
  EXPECT_EQ(w.all<sip::request_received>().size(), 1U);
}

// ---- OPTIONS ----

sip_text options_to(std::string uri) {
  sip_text t;
  t.method = "OPTIONS";
  t.uri = std::move(uri);
  t.body.clear();
  return t;
}

TEST(options, says_what_we_are) {
  auto o = sip_world::defaults();
  o.product = "stox";
  sip_world w(o);
  w.datagram(options_to("sip:127.0.0.1:5060").str());
  EXPECT_THAT(w.timeline(), ElementsAre("0 200"));
  EXPECT_EQ(header_of(w.last(), "Allow"), "MESSAGE, OPTIONS, CANCEL, ACK");
  EXPECT_EQ(header_of(w.last(), "Accept"), "text/plain");
  EXPECT_EQ(header_of(w.last(), "Accept-Encoding"), "identity");
  EXPECT_EQ(header_of(w.last(), "Accept-Language"), "*");
  EXPECT_EQ(header_of(w.last(), "Server"), "stox");
  EXPECT_THAT(w.last(), HasSubstr("\r\nSupported:"));
  EXPECT_THAT(w.events, IsEmpty());
  EXPECT_EQ(w.ep.stats().server_transactions, 0U);
}

TEST(options, is_the_same_whoever_is_asked_about) {
  std::vector<std::string> answers;
  for (const char* uri :
       {"sip:ana@xmpp.example", "sip:nobody@xmpp.example", "sip:127.0.0.1", "sip:x@127.0.0.1:5060"}) {
    sip_world w;
    w.datagram(options_to(uri).str());
    answers.push_back(w.last());
  }
  for (const auto& text : answers) EXPECT_EQ(text, answers[0]);
}

TEST(options, skips_the_domain_and_the_hops_where_it_ends_here) {
  EXPECT_EQ(code(options_to("sip:far.example")), "200");
  EXPECT_EQ(code(options_to("sip:bo@sip.example")), "404");
  sip_text last_hop = options_to("sip:127.0.0.1");
  last_hop.max_forwards = "0";
  EXPECT_EQ(code(last_hop), "200");
}

TEST(options, is_503_while_not_ready_or_draining) {
  for (const bool draining : {false, true}) {
    sip_world w;
    w.ep.set_ready(draining);
    w.ep.set_draining(draining);
    w.datagram(options_to("sip:127.0.0.1").str());
    EXPECT_THAT(w.timeline(), ElementsAre("0 503"));
    EXPECT_EQ(header_of(w.last(), "Retry-After"), "30");
  }
}

TEST(draining, refuses_new_requests_and_finishes_open_ones) {
  sip_world w;
  w.datagram(sip_text{}.str());
  w.ep.set_draining(true);
  w.datagram(sip_text{}.str());
  EXPECT_THAT(w.sends, IsEmpty());
  sip_text other;
  other.via = "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKb;rport";
  other.call_id = "call-2";
  w.datagram(other.str());
  EXPECT_THAT(w.timeline(), ElementsAre("0 503"));
  EXPECT_EQ(header_of(w.last(), "Retry-After"), "30");
  w.respond(w.all<sip::request_received>().at(0).tx, 200);
  EXPECT_THAT(w.timeline(), ElementsAre("0 503", "0 200"));
}

TEST(stateless_answer, has_the_same_tag_for_each_copy_and_another_for_another_request) {
  sip_world w;
  sip_text t;
  t.type = "image/png";
  w.datagram(t.str());
  w.datagram(t.str());
  t.cseq = "2";
  w.datagram(t.str());
  EXPECT_EQ(w.sends.at(0).what.bytes, w.sends.at(1).what.bytes);
  EXPECT_NE(header_of(w.sends[0].what.bytes, "To"), header_of(w.sends.at(2).what.bytes, "To"));
}

TEST(log, names_no_body_and_no_words_of_the_peer) {
  sip_world w;
  sip_text t;
  t.body = "SECRET";
  t.type = "image/png";
  w.datagram(t.str());
  t.from.clear();
  w.datagram(t.str());
  w.datagram("SECRET");
  ASSERT_THAT(w.log, Not(IsEmpty()));
  for (const auto& record : w.log) {
    for (const auto& [name, value] : record.fields) EXPECT_THAT(value, Not(HasSubstr("SECRET"))) << name;
  }
}

}  // namespace
}  // namespace stox::test
