#include <gtest/gtest.h>

#include "unit/xmpp_machine/s2s_world.hpp"
#include "xmpp/machine/dialback_key.hpp"

// A peer that breaks the rules: what it gets, and that nobody else notices.
namespace {

using namespace stox;
using namespace stox::xmpp;
using lines = std::vector<std::string>;

std::string error(const std::string& condition) {
  return "<stream:error><" + condition +
         " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>";
}

struct s2s_attack : testing::Test {
  explicit s2s_attack()
      : us(w.add("a.example", true, [](federation_options& o) { o.max_unauthenticated = 5; })) {}

  static std::string header(const std::string& from = "evil.example", const std::string& to = "a.example") {
    return "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
           "xmlns:stream='http://etherx.jabber.org/streams' "
           "xmlns:db='jabber:server:dialback' version='1.0' from='" +
           from + "' to='" + to + "'>";
  }
  static peer_identity nobody() {
    peer_identity out;
    out.why_not = "self-signed certificate";
    out.has_san = true;
    out.san_dns = {"evil.example"};
    return out;
  }
  static peer_identity proved(const std::string& domain) {
    auto out = nobody();
    out.chain_ok = true;
    out.san_dns = {domain};
    return out;
  }
  static std::string message(const std::string& from, const std::string& to = "v@a.example") {
    return "<message from='" + from + "' to='" + to + "' id='m'><body>x</body></message>";
  }
  /// A stream of somebody who has proved evil.example by its certificate.
  void log_in() {
    w.dial_in(us, proved("evil.example"));
    w.say(header());
    w.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
    w.say(header());
  }
  /// Another domain's messages still come.
  void others_are_well() {
    auto& b = w.add("b.example");
    EXPECT_TRUE(w.send(b, us, 7, "well"));
    w.run();
    EXPECT_EQ(us.heard.empty() ? "" : us.heard.back(), "message well");
  }

  s2s_world w;
  s2s_world::server& us;
};

TEST_F(s2s_attack, a_stanza_before_anything_is_proved) {
  w.dial_in(us, nobody());
  w.say(header());
  EXPECT_EQ(w.say(message("u@evil.example")), error("not-authorized"));
  EXPECT_TRUE(w.closed());
  EXPECT_TRUE(us.heard.empty());
  others_are_well();
}

TEST_F(s2s_attack, a_stanza_of_somebody_else) {
  log_in();
  w.say(message("u@evil.example"));
  EXPECT_EQ(us.heard, lines{"message m"});
  EXPECT_EQ(w.say(message("u@good.example")), error("invalid-from"));
  EXPECT_EQ(us.heard, lines{"message m"});
  others_are_well();
}

TEST_F(s2s_attack, a_stanza_for_a_domain_that_is_not_served) {
  log_in();
  EXPECT_EQ(w.say(message("u@evil.example", "v@other.example")), error("host-unknown"));
  EXPECT_TRUE(us.heard.empty());
}

TEST_F(s2s_attack, a_stanza_without_addresses) {
  log_in();
  EXPECT_EQ(w.say("<message to='v@a.example'/>"), error("improper-addressing"));
}

TEST_F(s2s_attack, a_domain_that_looks_like_another) {
  log_in();
  for (const char* from : {"u@evil.example.", "evil.example/evil.example"}) w.say(message(from));
  EXPECT_EQ(us.heard.size(), 2U) << "a trailing dot and a resource name the same domain";
  EXPECT_EQ(w.say(message("evil.example@good.example/evil.example")), error("invalid-from"));
}

TEST_F(s2s_attack, it_says_that_it_is_us) {
  w.dial_in(us, nobody());
  EXPECT_TRUE(contains(w.say(header("a.example")), error("invalid-from")));
}

TEST_F(s2s_attack, it_wants_a_domain_that_is_not_served) {
  w.dial_in(us, nobody());
  const auto said = w.say(header("evil.example", "other.example"));
  EXPECT_TRUE(contains(said, error("host-unknown")));
  EXPECT_TRUE(contains(said, "<stream:stream")) << "RFC 6120 4.9.1.1: in a stream of ours";
}

TEST_F(s2s_attack, external_with_a_certificate_that_proves_another_domain) {
  w.dial_in(us, proved("other.example"));
  EXPECT_FALSE(contains(w.say(header()), "EXTERNAL"));
  EXPECT_EQ(w.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"),
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
}

TEST_F(s2s_attack, external_for_another_domain_than_the_header_says) {
  w.dial_in(us, proved("evil.example"));
  EXPECT_TRUE(contains(w.say(header()), "EXTERNAL"));
  EXPECT_EQ(
      w.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>Z29vZC5leGFtcGxl</auth>"),
      "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-authzid/></failure>");
}

TEST_F(s2s_attack, another_domain_in_the_header_behind_the_proof) {
  w.dial_in(us, proved("evil.example"));
  w.say(header());
  w.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
  EXPECT_TRUE(contains(w.say(header("good.example")), error("invalid-from")));
}

TEST_F(s2s_attack, external_without_tls) {
  w.dial_in(us, std::nullopt);
  EXPECT_FALSE(contains(w.say(header()), "EXTERNAL"));
  EXPECT_EQ(w.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"),
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><encryption-required/></failure>");
}

TEST_F(s2s_attack, dialback_without_tls) {
  w.dial_in(us, std::nullopt);
  w.say(header());
  EXPECT_EQ(w.say("<db:result from='evil.example' to='a.example'>key</db:result>"),
            error("policy-violation"));
}

TEST_F(s2s_attack, bytes_in_clear_behind_starttls) {
  w.dial_in(us, std::nullopt);
  w.say(header());
  EXPECT_EQ(w.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + message("u@evil.example")),
            error("policy-violation"));
  EXPECT_FALSE(w.asked_tls());
}

TEST_F(s2s_attack, half_an_element_in_clear_behind_starttls_is_thrown_away) {
  w.dial_in(us, std::nullopt);
  w.say(header());
  w.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><message from='u@evil.example' ");
  EXPECT_TRUE(w.asked_tls());
  w.say("to='v@a.example'/>");
  w.secure(proved("evil.example"));
  EXPECT_TRUE(contains(w.say(header()), "EXTERNAL")) << "the stream begins anew";
  EXPECT_TRUE(us.heard.empty());
}

TEST_F(s2s_attack, starttls_twice) {
  w.dial_in(us, nobody());
  w.say(header());
  EXPECT_EQ(w.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + error("policy-violation"));
}

TEST_F(s2s_attack, a_key_that_the_domain_did_not_make) {
  auto& good = w.add("good.example");
  w.dial_in(us, nobody());
  w.say(header("good.example"));
  EXPECT_EQ(w.say("<db:result from='good.example' to='a.example'>0123456789abcdef</db:result>"),
            "<db:result from='a.example' to='good.example' type='invalid'/></stream:stream>")
      << "XEP-0220 2.2.1: the stream is over";
  EXPECT_EQ(us.it->stats().keys_refused, 1U);
  w.say(message("u@good.example"));
  EXPECT_TRUE(w.closed());
  EXPECT_TRUE(us.heard.empty());
  (void)good;
}

TEST_F(s2s_attack, a_key_of_another_stream) {
  auto& good = w.add("good.example");
  // One that good.example really made, for a stream that it had with us.
  const auto key = dialback_keys(redacted("secret of good.example")).make("a.example", "good.example", "x-0");
  w.dial_in(us, nobody());
  w.say(header("good.example"));
  EXPECT_EQ(w.say("<db:result from='good.example' to='a.example'>" + key + "</db:result>"),
            "<db:result from='a.example' to='good.example' type='invalid'/></stream:stream>");
  (void)good;
}

TEST_F(s2s_attack, an_answer_that_nobody_asked_for) {
  w.dial_in(us, nobody());
  w.say(header("good.example"));
  EXPECT_EQ(w.say("<db:verify from='good.example' to='a.example' id='x-1' type='valid'/>"
                  "<db:result from='good.example' to='a.example' type='valid'/>"),
            "");
  EXPECT_EQ(w.say(message("u@good.example")), error("not-authorized"));
}

TEST_F(s2s_attack, a_domain_that_cannot_be_reached_is_not_believed) {
  w.dial_in(us, nobody());
  w.say(header());
  EXPECT_EQ(w.say("<db:result from='evil.example' to='a.example'>key</db:result>"),
            "<db:result from='a.example' to='evil.example' type='error'><error "
            "type='cancel'><remote-server-not-found "
            "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>");
}

TEST_F(s2s_attack, many_keys_at_once) {
  for (int i = 0; i < 12; ++i) {
    auto& d = w.add("d" + std::to_string(i) + ".example");
    w.black.insert(d.clear);
  }
  w.dial_in(us, nobody());
  w.say(header());
  std::string said;
  for (int i = 0; i < 12; ++i)
    said += w.say("<db:result from='d" + std::to_string(i) + ".example' to='a.example'>key</db:result>");
  EXPECT_TRUE(contains(said, "to='d10.example' type='error'><error type='cancel'><resource-constraint"));
  EXPECT_FALSE(contains(said, "to='d9.example'"));
}

TEST_F(s2s_attack, as_many_domains_as_a_wildcard_has) {
  w.dial_in(us, proved("*.evil.example"));
  w.say(header("r.evil.example"));
  std::string said;
  for (int i = 0; i < 101; ++i)
    said = w.say("<db:result from='r" + std::to_string(i) + ".evil.example' to='a.example'>key</db:result>");
  EXPECT_TRUE(
      contains(said, "to='r100.evil.example' type='error'><error type='cancel'><resource-constraint"));
  EXPECT_EQ(us.log.size(), 1U) << "one line, not a hundred";
}

TEST_F(s2s_attack, keys_do_not_take_the_places_of_stanzas) {
  auto& b = w.add("b.example");
  for (int i = 0; i < 30; ++i) {
    auto& d = w.add("s" + std::to_string(i) + ".example");
    w.black.insert(d.clear);
  }
  for (int n = 0; n < 3; ++n) {
    w.dial_in(us, nobody());
    w.say(header());
    for (int i = 10 * n; i < 10 * n + 10; ++i)
      w.say("<db:result from='s" + std::to_string(i) + ".example' to='a.example'>key</db:result>");
  }
  EXPECT_EQ(us.it->stats().connecting, 25U) << "a quarter of max_connecting";
  w.send(us, b, 1);
  w.run();
  EXPECT_EQ(b.heard, lines{"message hi"});
}

TEST_F(s2s_attack, xml_that_is_forbidden) {
  const std::pair<const char*, const char*> bad[] = {
      {"<!DOCTYPE x [<!ENTITY a 'b'>]>", "restricted-xml"},
      {"<!-- c -->", "restricted-xml"},
      {"<?pi x?>", "restricted-xml"},
      {"<a><b></a>", "not-well-formed"},
      {"<a>\xff\xfe</a>", "not-well-formed"},
      {"<x:a/>", "not-well-formed"},
      {"<a>&bomb;</a>", "not-well-formed"},
  };
  for (const auto& [text, condition] : bad) {
    w.dial_in(us, nobody());
    w.say(header());
    const auto said = w.say(text);
    EXPECT_TRUE(said == error(condition) || said == error("restricted-xml")) << text << ": " << said;
    EXPECT_TRUE(w.closed()) << text;
  }
  others_are_well();
}

TEST_F(s2s_attack, too_much_before_anything_is_proved) {
  w.dial_in(us, nobody());
  w.say(header());
  EXPECT_EQ(w.say("<x a='" + std::string(20'000, 'a') + "'/>"), error("policy-violation"));
  w.dial_in(us, nobody());
  w.say(header());
  std::string said;
  for (int i = 0; i < 100 && said.empty(); ++i) said = w.say(std::string(1000, ' '));
  EXPECT_EQ(said, error("policy-violation")) << "also of blanks";
  others_are_well();
}

TEST_F(s2s_attack, nesting_and_attributes) {
  w.dial_in(us, nobody());
  w.say(header());
  std::string deep;
  for (int i = 0; i < 50; ++i) deep += "<a>";
  for (int i = 0; i < 50; ++i) deep += "</a>";
  EXPECT_EQ(w.say(deep), error("policy-violation"));
  w.dial_in(us, nobody());
  w.say(header());
  std::string wide = "<a";
  for (int i = 0; i < 60; ++i) wide += " a" + std::to_string(i) + "='x'";
  EXPECT_EQ(w.say(wide + "/>"), error("policy-violation"));
}

TEST_F(s2s_attack, a_stream_in_a_stream) {
  log_in();
  EXPECT_EQ(w.say("<stream:stream to='a.example' version='1.0'>"), error("bad-format"))
      << "it need not end first";
}

TEST_F(s2s_attack, stanzas_of_another_namespace) {
  log_in();
  EXPECT_EQ(w.say("<message xmlns='jabber:client' from='u@evil.example' to='v@a.example'/>"),
            error("unsupported-stanza-type"));
}

TEST_F(s2s_attack, one_that_says_nothing) {
  w.dial_in(us, nobody());
  w.pass(29s);
  EXPECT_FALSE(w.closed());
  w.pass(2s);
  EXPECT_TRUE(w.closed());
  EXPECT_TRUE(contains(w.hear(), error("connection-timeout")));
}

TEST_F(s2s_attack, one_that_says_little_for_ever) {
  w.dial_in(us, nobody());
  w.say(header());
  for (int i = 0; i < 40; ++i) {
    w.say(" ");
    w.pass(1s);
  }
  EXPECT_TRUE(w.closed());
}

TEST_F(s2s_attack, streams_of_one_address) {
  std::string said;
  for (int i = 0; i < 21; ++i) {
    // Proved ones count as well.
    log_in();
  }
  EXPECT_TRUE(w.closed());
  EXPECT_EQ(us.it->stats().refused_address, 1U);
  EXPECT_EQ(us.it->stats().streams_in, 20U);
}

TEST_F(s2s_attack, streams_that_prove_nothing) {
  for (int i = 0; i < 8; ++i) {
    w.dial_in(us, nobody(), "198.51.100." + std::to_string(i + 1) + ":40000");
    EXPECT_FALSE(w.closed()) << "the newest has its chance";
  }
  EXPECT_EQ(us.it->stats().unproved, 5U);
  EXPECT_EQ(us.it->stats().refused_unproved, 3U);
  others_are_well();
}

TEST_F(s2s_attack, counts_more_than_it_was_given) {
  log_in();
  w.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
  EXPECT_TRUE(contains(w.say("<a xmlns='urn:xmpp:sm:3' h='5'/>"),
                       "<handled-count-too-high xmlns='urn:xmpp:sm:3' h='5' send-count='0'/>"));
}

TEST_F(s2s_attack, resumes_what_is_somebody_elses) {
  auto& b = w.add("b.example");
  w.send(b, us, 1);
  w.pass(1s);
  w.cut();
  // The ids here are counted, so that one can be guessed; the session is b.example's.
  for (int i = 1; i < 10; ++i) {
    const auto resume = "<resume xmlns='urn:xmpp:sm:3' previd='x-" + std::to_string(i) + "' h='0'/>";
    log_in();
    const auto said = w.say(resume);
    EXPECT_TRUE(contains(said, "<failed xmlns='urn:xmpp:sm:3'><item-not-found")) << said;
    EXPECT_TRUE(contains(w.say(resume), error("policy-violation"))) << "one guess a stream";
  }
}

}  // namespace
