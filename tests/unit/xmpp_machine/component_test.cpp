#include "xmpp/machine/component.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "unit/xmpp_machine/link_script.hpp"
#include "xmpp/machine/backoff.hpp"

namespace {

using namespace stox;
using namespace stox::xmpp;
using lines = link_script::lines;

const std::string our_header =
    "> <?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
    "xmlns:stream='http://etherx.jabber.org/streams' to='sip.test'>";
const std::string our_handshake = "> <handshake>b09ea9b3b7f586be8a08d0a3dd7466f110aeb136</handshake>";

// ---- connecting ----

TEST(component, connects_shakes_hands_and_is_up) {
  link_script s;
  s.link.start(s.now);
  EXPECT_EQ(s.did(), lines{"open xmpp.test:5347"});
  EXPECT_FALSE(s.link.up());
  s.opened();
  EXPECT_EQ(s.did(), lines{our_header});
  s.says(link_script::header());
  EXPECT_EQ(s.did(), lines{our_handshake});
  EXPECT_FALSE(s.link.up());
  s.says("<handshake/>");
  EXPECT_EQ(s.did(), lines{"up"});
  EXPECT_TRUE(s.link.up());
  EXPECT_EQ(s.link.stats().connects, 1U);
  EXPECT_EQ(s.logged(), lines{"1 component.up domain=sip.test server=xmpp.test"});
}

TEST(component, comes_up_however_the_servers_bytes_are_cut) {
  const std::string all = link_script::header() + "<handshake/><message from='a@b'/>";
  for (std::size_t cut = 1; cut < all.size(); ++cut) {
    link_script s;
    s.link.start(s.now);
    s.did();
    s.opened();
    s.says(std::string_view(all).substr(0, cut));
    s.says(std::string_view(all).substr(cut));
    ASSERT_EQ(s.heard(), (lines{"up", "got <message from='a@b'/>"})) << cut;
  }
}

TEST(component, hashes_the_stream_id_as_text_not_as_markup) {
  link_script s;
  s.link.start(s.now);
  s.did();
  s.opened();
  s.did();
  s.says(link_script::header("a&amp;b"));
  EXPECT_EQ(s.did(), lines{"> <handshake>fd10f7ed9ca20d08465ff9b235858631136a280d</handshake>"});
}

TEST(component, starts_only_once) {
  link_script s;
  s.link.start(s.now);
  s.link.start(s.now);
  EXPECT_EQ(s.did(), lines{"open xmpp.test:5347"});
}

TEST(component, wrong_secret_is_told_with_a_hint_and_tried_again_later) {
  link_script s;
  s.link.start(s.now);
  s.did();
  s.opened();
  s.says(link_script::header());
  s.did();
  s.says(link_script::stream_error("not-authorized"));
  EXPECT_EQ(s.did(), (lines{our_end, "close", "down: handshake refused: not-authorized"}));
  EXPECT_EQ(s.logged(),
            lines{"3 component.down domain=sip.test server=xmpp.test:5347 why=handshake refused: "
                  "not-authorized hint=the secret differs from the one in the XMPP server's configuration"});
  EXPECT_EQ(s.link.stats().handshake_failures, 1U);
  EXPECT_EQ(s.link.stats().stream_errors, 1U);
  s.passes(249ms);
  EXPECT_EQ(s.did(), lines{});
  s.passes(1ms);
  EXPECT_EQ(s.did(), lines{"open xmpp.test:5347"});
  s.opened();
  s.says(link_script::header() + link_script::stream_error("not-authorized"));
  EXPECT_EQ(s.logged().at(0).substr(0, 2), "0 ") << "the same words again are for debugging only";
}

TEST(component, each_refusal_of_the_stream_has_its_hint) {
  for (const std::string condition : {"host-unknown", "conflict", "invalid-namespace"}) {
    link_script s;
    s.link.start(s.now);
    s.did();
    s.opened();
    s.did();
    s.says("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:component:accept'>" +
           link_script::stream_error(condition));
    EXPECT_EQ(s.heard(), lines{"down: handshake refused: " + condition});
    const auto log = s.logged();
    ASSERT_EQ(log.size(), 1U);
    EXPECT_NE(log[0].find(" hint="), std::string::npos) << log[0];
  }
}

TEST(component, never_logs_the_secret_or_its_hash) {
  link_script s;
  s.bring_up();
  s.closed(io::fail::reset);
  for (const auto& line : s.logged()) {
    EXPECT_EQ(line.find("secret"), std::string::npos) << line;
    EXPECT_EQ(line.find("b09ea9"), std::string::npos) << line;
  }
}

TEST(component, refused_connection_is_told) {
  link_script s;
  s.link.start(s.now);
  s.did();
  s.closed(io::fail::refused);
  EXPECT_EQ(s.did(), lines{"down: connection refused"});
  EXPECT_EQ(s.link.stats().handshake_failures, 0U);
}

TEST(component, server_that_does_not_answer_the_handshake_is_left) {
  for (const bool after_header : {false, true}) {
    link_script s;
    s.link.start(s.now);
    s.did();
    s.opened();
    if (after_header) s.says(link_script::header());
    s.did();
    s.passes(9999ms);
    EXPECT_EQ(s.did(), lines{});
    s.passes(1ms);
    EXPECT_EQ(s.did(), (lines{our_end, "close", "down: the server does not answer the handshake"}));
  }
}

TEST(component, peer_that_is_no_xmpp_server_is_left) {
  link_script s;
  s.link.start(s.now);
  s.did();
  s.opened();
  s.did();
  s.says("<html><body/></html>");
  EXPECT_EQ(
      s.did(),
      (lines{"> <stream:error><invalid-namespace xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
             "</stream:stream>",
             "close", "down: not an XMPP stream"}));
}

// ---- back-off ----

/// Random numbers from a list, or the largest.
class chosen_ids final : public id_source {
 public:
  std::string next(id_kind) override { return "x"; }
  std::uint64_t below(std::uint64_t bound) override { return high ? bound - 1 : 0; }
  bool high = false;
};

TEST(backoff, doubles_up_to_its_cap_with_jitter_in_the_upper_half) {
  chosen_ids ids;
  backoff b(500ms, 3s);
  EXPECT_EQ(b.take(ids), 250ms);
  EXPECT_EQ(b.take(ids), 500ms);
  ids.high = true;
  EXPECT_EQ(b.take(ids), 2s);
  EXPECT_EQ(b.take(ids), 3s);
  ids.high = false;
  EXPECT_EQ(b.take(ids), 1500ms);
  b.reset();
  EXPECT_EQ(b.take(ids), 250ms);
}

TEST(component, waits_longer_after_each_failure) {
  link_script s;
  s.link.start(s.now);
  duration expected = 250ms;
  for (int i = 0; i < 12; ++i) {
    s.did();
    s.closed(io::fail::refused);
    EXPECT_EQ(s.did(), lines{"down: connection refused"});
    s.passes(expected - 1ms);
    EXPECT_EQ(s.did(), lines{});
    s.passes(1ms);
    EXPECT_EQ(s.did(), lines{"open xmpp.test:5347"}) << i;
    expected = std::min<duration>(expected * 2, 30s);
  }
}

TEST(component, link_that_stood_for_a_while_starts_the_back_off_anew) {
  for (const auto& [stood, wait] : {std::pair<duration, duration>{1s, 2s}, {60s, 250ms}}) {
    auto options = link_script::defaults();
    options.idle_ping = 1h;
    link_script s(options);
    s.link.start(s.now);
    for (int i = 0; i < 3; ++i) {
      s.did();
      s.closed(io::fail::refused);
      s.passes(2s);
    }
    s.come_up();
    s.passes(stood);
    s.closed(io::fail::reset);
    EXPECT_EQ(s.did(), lines{"down: connection reset"});
    s.passes(wait - 1ms);
    EXPECT_EQ(s.did(), lines{});
    s.passes(1ms);
    EXPECT_EQ(s.did(), lines{"open xmpp.test:5347"});
  }
}

// ---- stanzas ----

TEST(component, passes_on_what_the_server_sends) {
  link_script s;
  s.bring_up();
  s.says(
      "<message from='ana@xmpp.test/desk' to='bo@sip.test'><body>hi</body></message><iq from='ana@xmpp.test' "
      "to='sip.test' type='get' id='x-1'><ping xmlns='urn:xmpp:ping'/></iq>");
  EXPECT_EQ(s.did(),
            (lines{"got <message from='ana@xmpp.test/desk' to='bo@sip.test'><body>hi</body></message>",
                   "got <iq from='ana@xmpp.test' to='sip.test' type='get' id='x-1'><ping "
                   "xmlns='urn:xmpp:ping'/></iq>"}));
  EXPECT_EQ(s.link.stats().stanzas_in, 2U);
}

TEST(component, takes_nothing_while_it_is_down) {
  link_script s;
  EXPECT_FALSE(s.sends("<message/>", 1));
  s.link.start(s.now);
  EXPECT_FALSE(s.sends("<message/>", 1));
  EXPECT_EQ(s.did(), lines{"open xmpp.test:5347"});
}

TEST(component, tells_that_a_stanza_left_only_when_the_kernel_took_it) {
  link_script s;
  s.bring_up();
  EXPECT_TRUE(s.sends("<message id='1'/>", 7));
  EXPECT_EQ(s.did(), lines{"> <message id='1'/>"});
  s.takes();
  EXPECT_EQ(s.did(), lines{"sent 7"});
}

TEST(component, gathers_stanzas_that_the_rim_has_not_taken_into_one_send) {
  link_script s;
  s.bring_up();
  s.sends("<a/>", 1);
  s.sends("<b/>");
  s.sends("<c/>", 2);
  EXPECT_EQ(s.did(), lines{"> <a/><b/><c/>"});
  s.sends("<d/>");
  s.sends("<e/>", 3);
  EXPECT_EQ(s.did(), lines{"> <d/><e/>"});
  ASSERT_EQ(s.tokens.size(), 2U);
  s.takes();
  EXPECT_EQ(s.did(), (lines{"sent 1", "sent 2"}));
  s.takes();
  EXPECT_EQ(s.did(), lines{"sent 3"});
}

TEST(component, does_not_add_to_a_send_that_was_moved_out) {
  link_script s;
  s.bring_up();
  s.sends("<a/>", 1);
  auto taken = std::move(std::get<io::send>(s.port.actions().back()));
  s.sends("<b/>", 2);
  EXPECT_EQ(taken.bytes, "<a/>");
  ASSERT_EQ(s.port.actions().size(), 2U);
  const auto& next = std::get<io::send>(s.port.actions().back());
  EXPECT_EQ(next.bytes, "<b/>");
  EXPECT_NE(next.tok, taken.tok);
}

TEST(component, begins_another_send_when_one_is_large) {
  link_script s;
  s.bring_up();
  s.sends(std::string(40'000, 'a'), 1);
  s.sends(std::string(40'000, 'b'), 2);
  EXPECT_EQ(s.did().size(), 2U);
}

TEST(component, owns_only_its_connection_and_its_tokens) {
  link_script s;
  s.bring_up();
  s.sends("<a/>", 1);
  s.did();
  EXPECT_TRUE(s.link.owns(io::sent{s.tokens.at(0)}));
  EXPECT_FALSE(s.link.owns(io::sent{token{static_cast<std::uint64_t>(s.tokens.at(0)) + 1}}));
  EXPECT_FALSE(s.link.owns(io::sent{token::none}));
  EXPECT_TRUE(s.link.owns(io::blocked{s.conn}));
  EXPECT_FALSE(s.link.owns(io::blocked{conn_id::none}));
  EXPECT_FALSE(s.link.owns(io::closed{conn_id{5}, io::fail::reset}));
  s.takes();
  EXPECT_EQ(s.tokens.size(), 0U);
}

TEST(component, says_while_it_is_blocked) {
  link_script s;
  s.bring_up();
  EXPECT_FALSE(s.link.blocked());
  s.link.handle(io::blocked{s.conn}, s.now);
  EXPECT_TRUE(s.link.blocked());
  s.link.handle(io::writable{s.conn}, s.now);
  EXPECT_FALSE(s.link.blocked());
  s.link.handle(io::blocked{s.conn}, s.now);
  s.closed(io::fail::reset);
  EXPECT_FALSE(s.link.blocked());
}

}  // namespace
