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
const std::string our_end = "> </stream:stream>";
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

// ---- the fence ----

TEST(fence, ping_follows_the_stanzas_after_their_age) {
  link_script s;
  s.bring_up();
  s.sends("<a/>", 1);
  EXPECT_EQ(s.did(), lines{"> <a/>"});
  s.passes(10ms);
  s.sends("<b/>", 2);
  EXPECT_EQ(s.did(), lines{"> <b/>"});
  s.passes(9ms);
  EXPECT_EQ(s.did(), lines{});
  s.passes(1ms);
  EXPECT_EQ(s.did(), lines{"> " + link_script::ping(1)});
  s.takes_all();
  EXPECT_EQ(s.did(), (lines{"sent 1", "sent 2"}));
  EXPECT_EQ(s.link.stats().unconfirmed, 2U);
  s.returns_ping(1);
  EXPECT_EQ(s.did(), (lines{"confirmed 1", "confirmed 2"}));
  EXPECT_EQ(s.link.stats().unconfirmed, 0U);
  EXPECT_EQ(s.link.stats().pings, 1U);
  EXPECT_EQ(s.memory.used(), 0U);
}

TEST(fence, ping_follows_the_stanzas_after_their_number) {
  auto options = link_script::defaults();
  options.fence_stanzas = 3;
  link_script s(options);
  s.bring_up();
  s.sends("<a/>", 1);
  s.sends("<b/>", 2);
  EXPECT_EQ(s.did(), lines{"> <a/><b/>"});
  s.sends("<c/>", 3);
  s.sends("<d/>", 4);
  EXPECT_EQ(s.did(), lines{"> <c/>" + link_script::ping(1) + "<d/>"});
  s.takes_all();
  s.heard();
  s.returns_ping(1);
  EXPECT_EQ(s.did(), (lines{"confirmed 1", "confirmed 2", "confirmed 3"})) << "4 was written behind the ping";
}

TEST(fence, has_one_ping_out_and_the_next_when_it_is_back) {
  auto options = link_script::defaults();
  options.fence_stanzas = 2;
  link_script s(options);
  s.bring_up();
  for (std::uint64_t ref = 1; ref <= 6; ++ref) s.sends("<m/>", ref);
  EXPECT_EQ(s.did(), lines{"> <m/><m/>" + link_script::ping(1) + "<m/><m/><m/><m/>"});
  s.passes(1s);
  EXPECT_EQ(s.did(), lines{});
  s.takes_all();
  s.heard();
  s.returns_ping(1);
  EXPECT_EQ(s.did(), (lines{"> " + link_script::ping(2), "confirmed 1", "confirmed 2"}));
  s.takes_all();
  s.returns_ping(2);
  EXPECT_EQ(s.did(), (lines{"confirmed 3", "confirmed 4", "confirmed 5", "confirmed 6"}));
}

TEST(fence, waits_out_the_age_of_what_came_after_the_ping) {
  link_script s;
  s.bring_up();
  s.sends("<a/>", 1);
  s.passes(20ms);
  s.sends("<b/>", 2);
  s.did();
  s.takes_all();
  s.passes(5ms);
  s.returns_ping(1);
  EXPECT_EQ(s.heard(), (lines{"sent 1", "sent 2", "confirmed 1"}));
  s.passes(14ms);
  EXPECT_EQ(s.did(), lines{});
  s.passes(1ms);
  EXPECT_EQ(s.did(), lines{"> " + link_script::ping(2)});
}

TEST(fence, answer_as_result_or_error_confirms_too) {
  for (const std::string answer :
       {"<iq from='sip.test' to='sip.test' type='result' id='x-1'/>",
        "<iq to='sip.test' type='result' id='x-1'/>",
        "<iq from='sip.test' to='sip.test' type='error' id='x-1'><error type='cancel'/></iq>"}) {
    link_script s;
    s.bring_up();
    s.sends("<a/>", 1);
    s.passes(20ms);
    s.did();
    s.takes_all();
    s.says(answer);
    EXPECT_EQ(s.heard(), (lines{"sent 1", "confirmed 1"})) << answer;
  }
}

TEST(fence, answer_that_somebody_else_forges_confirms_nothing) {
  link_script s;
  s.bring_up();
  s.sends("<a/>", 1);
  s.passes(20ms);
  s.did();
  s.takes_all();
  s.heard();
  for (const std::string forged : {"<iq from='eve@xmpp.test/x' to='sip.test' type='result' id='x-1'/>",
                                   "<iq from='sip.test' to='sip.test' type='result' id='x-2'/>",
                                   "<iq from='bo@sip.test' to='sip.test' type='result' id='x-1'/>",
                                   "<message from='sip.test' to='sip.test' id='x-1'/>"}) {
    s.says(forged);
    EXPECT_EQ(s.heard(), lines{"got " + forged});
  }
  EXPECT_EQ(s.link.stats().unconfirmed, 1U);
}

TEST(fence, late_ping_of_an_earlier_link_reaches_nobody) {
  link_script s;
  s.bring_up();
  s.says(link_script::ping(77));
  EXPECT_EQ(s.did(), lines{});
}

TEST(fence, confirmation_before_the_kernels_report_tells_both_in_order) {
  link_script s;
  s.bring_up();
  s.sends("<a/>", 1);
  s.passes(20ms);
  s.did();
  s.returns_ping(1);
  EXPECT_EQ(s.did(), (lines{"sent 1", "confirmed 1"}));
  s.takes_all();
  EXPECT_EQ(s.did(), lines{});
}

TEST(fence, unanswered_ping_ends_the_link_and_everything_is_in_doubt) {
  link_script s;
  s.bring_up();
  s.sends("<a/>", 1);
  s.passes(20ms);
  s.sends("<b/>", 2);
  s.did();
  s.takes();
  s.heard();
  s.passes(9999ms);
  EXPECT_EQ(s.did(), lines{});
  s.passes(1ms);
  EXPECT_EQ(s.did(),
            (lines{our_end, "close", "in doubt 1", "in doubt 2", "down: the server does not answer pings"}));
  EXPECT_EQ(s.link.stats().losses, 1U);
  EXPECT_EQ(s.memory.used(), 0U);
}

TEST(fence, quiet_link_is_pinged) {
  link_script s;
  s.bring_up();
  s.passes(30s);
  s.says("<message from='a@b'/>");
  s.did();
  s.passes(59'999ms);
  EXPECT_EQ(s.did(), lines{});
  s.passes(1ms);
  EXPECT_EQ(s.did(), lines{"> " + link_script::ping(1)});
  s.passes(5s);
  s.returns_ping(1);
  EXPECT_EQ(s.did(), lines{});
  s.passes(60s);
  EXPECT_EQ(s.did(), lines{"> " + link_script::ping(2)});
  s.passes(10s);
  EXPECT_EQ(s.did(), (lines{our_end, "close", "down: the server does not answer pings"}));
}

TEST(fence, link_loss_tells_exactly_what_is_confirmed_in_doubt_and_never_left) {
  auto options = link_script::defaults();
  options.fence_stanzas = 2;
  link_script s(options);
  s.bring_up();
  s.sends("<a/>", 1);
  s.sends("<b/>", 2);  // the ping follows
  s.did();
  s.sends("<c/>", 3);
  s.did();
  s.sends("<d/>", 4);
  s.sends("<e/>", 5);
  s.did();
  s.sends("<f/>", 6);
  s.did();
  s.takes(2);
  s.returns_ping(1);
  EXPECT_EQ(s.did(),
            (lines{"> " + link_script::ping(2), "sent 1", "sent 2", "sent 3", "confirmed 1", "confirmed 2"}));
  s.closed(io::fail::reset);
  // 3 was taken; 4 and 5 were being written; 6 waited behind them.
  EXPECT_EQ(s.did(),
            (lines{"in doubt 3", "in doubt 4", "in doubt 5", "never left 6", "down: connection reset"}));
  EXPECT_EQ(s.memory.used(), 0U);
}

TEST(fence, batch_that_the_rim_refused_is_lost_at_once_and_the_link_stays) {
  link_script s;
  s.bring_up();
  s.sends("<a/>", 1);
  s.did();
  s.sends("<b/>", 2);
  s.sends("<c/>", 3);
  s.did();
  s.link.handle(io::send_failed{s.tokens.at(1), io::fail::overflow}, s.now);
  EXPECT_EQ(s.did(), (lines{"never left 2", "never left 3"}));
  EXPECT_TRUE(s.link.up());
  s.tokens.pop_back();
  s.takes();
  s.passes(20ms);
  s.returns_ping(1);
  EXPECT_EQ(s.heard(), (lines{"sent 1", "confirmed 1"}));
}

TEST(fence, ping_that_the_rim_refused_is_repeated) {
  link_script s;
  s.bring_up();
  s.sends("<a/>", 1);
  s.did();
  s.takes();
  s.passes(20ms);
  EXPECT_EQ(s.did(), (lines{"> " + link_script::ping(1), "sent 1"}));
  s.passes(1ms);
  s.link.handle(io::send_failed{s.tokens.at(0), io::fail::overflow}, s.now);
  s.tokens.clear();
  EXPECT_EQ(s.did(), lines{});
  s.passes(19ms);
  EXPECT_EQ(s.did(), lines{"> " + link_script::ping(2)});
  s.returns_ping(2);
  EXPECT_EQ(s.did(), lines{"confirmed 1"});
}

TEST(fence, nothing_confirms_twice_over_a_long_run_of_batches) {
  auto options = link_script::defaults();
  options.fence_stanzas = 5;
  link_script s(options);
  s.bring_up();
  std::deque<int> pings;
  int next_ping = 1;
  std::uint64_t confirmed = 0;
  for (std::uint64_t ref = 1; ref <= 3000; ++ref) {
    s.sends("<m/>", ref);
    if (ref % 3 == 0) {
      for (const auto& line : s.did()) {
        if (line.find("urn:xmpp:ping") != std::string::npos) pings.push_back(next_ping++);
        if (line.starts_with("confirmed ")) {
          EXPECT_EQ(line, "confirmed " + std::to_string(++confirmed));
        }
      }
      s.takes_all();
    }
    if (ref % 7 == 0 && !pings.empty()) {
      s.returns_ping(pings.front());
      pings.pop_front();
    }
  }
  for (const auto& line : s.did()) confirmed += line.starts_with("confirmed ") ? 1 : 0;
  EXPECT_GT(confirmed, 2900U);
  EXPECT_EQ(confirmed + s.link.stats().unconfirmed, 3000U);
}

// ---- the queue ----

TEST(component_queue, keeps_stanzas_while_the_link_is_down_and_sends_them_in_order) {
  link_script s;
  s.link.start(s.now);
  EXPECT_TRUE(s.link.send_or_queue("<a/>", s.now));
  EXPECT_TRUE(s.link.send_or_queue("<b/>", s.now));
  EXPECT_EQ(s.link.stats().queued, 2U);
  EXPECT_GT(s.memory.used(), 0U);
  s.did();
  s.opened();
  s.says(link_script::header());
  s.did();
  s.says("<handshake/>");
  EXPECT_EQ(s.did(), (lines{"> <a/><b/>", "up"}));
  EXPECT_EQ(s.link.stats().queued, 0U);
  EXPECT_EQ(s.link.stats().queued_bytes, 0U);
  EXPECT_EQ(s.link.stats().stanzas_out, 2U);
  EXPECT_EQ(s.link.stats().tracked, 2U);
  EXPECT_TRUE(s.link.send_or_queue("<c/>", s.now));
  EXPECT_EQ(s.did(), lines{"> <c/>"});
}

TEST(component_queue, is_bounded_by_its_own_limit) {
  auto options = link_script::defaults();
  options.queue_bytes = 1000;
  link_script s(options);
  s.link.start(s.now);
  std::size_t kept = 0;
  while (s.link.send_or_queue(std::string(100, 'x'), s.now)) ++kept;
  EXPECT_EQ(kept, 1000 / (100 + sizeof(std::string)));
  EXPECT_EQ(s.link.stats().queue_refused, 1U);
  EXPECT_LE(s.link.stats().queued_bytes, 1000U);
}

TEST(component_queue, is_bounded_by_the_byte_account) {
  link_script s(link_script::defaults(), 500);
  s.link.start(s.now);
  std::size_t kept = 0;
  while (s.link.send_or_queue(std::string(100, 'x'), s.now)) ++kept;
  EXPECT_EQ(kept, 500 / (100 + sizeof(std::string)));
}

TEST(component_queue, long_queue_goes_out_in_batches_as_the_kernel_takes_them) {
  link_script s;
  s.link.start(s.now);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(s.link.send_or_queue(std::string(1000, 'x'), s.now));
  s.come_up();
  EXPECT_EQ(s.link.stats().queued, 200U - 66U);
  EXPECT_TRUE(s.link.send_or_queue("<last/>", s.now)) << "goes behind the others";
  EXPECT_EQ(s.did(), lines{});
  std::string out;
  for (int i = 0; i < 10 && !s.tokens.empty(); ++i) {
    s.takes_all();
    for (const auto& line : s.did()) out += line.substr(2);
  }
  EXPECT_EQ(out.size(), 134U * 1000U + 7U);
  EXPECT_TRUE(out.ends_with("<last/>"));
  EXPECT_EQ(s.link.stats().queued, 0U);
}

TEST(component_queue, waits_while_the_connection_is_blocked) {
  link_script s;
  s.bring_up();
  s.link.handle(io::blocked{s.conn}, s.now);
  EXPECT_TRUE(s.link.send_or_queue("<a/>", s.now));
  EXPECT_EQ(s.did(), lines{});
  s.link.handle(io::writable{s.conn}, s.now);
  EXPECT_EQ(s.did(), lines{"> <a/>"});
}

TEST(component_queue, survives_a_lost_link) {
  link_script s;
  s.link.start(s.now);
  s.link.send_or_queue("<a/>", s.now);
  s.did();
  s.closed(io::fail::refused);
  s.did();
  s.passes(250ms);
  s.did();
  s.opened();
  s.says(link_script::header());
  s.did();
  s.says("<handshake/>");
  EXPECT_EQ(s.did(), (lines{"> <a/>", "up"}));
}

// ---- bad streams ----

TEST(component, answers_bad_xml_with_a_stream_error_and_reconnects) {
  auto options = link_script::defaults();
  options.limits.max_stanza_bytes = 1000;
  options.limits.max_depth = 5;
  options.limits.max_attributes = 4;
  options.limits.max_children = 10;
  std::string deep;
  for (int i = 0; i < 10; ++i) deep += "<x>";
  std::string wide = "<message>";
  for (int i = 0; i < 20; ++i) wide += "<x/>";
  const std::vector<std::pair<std::string, std::string>> table{
      {"<a></b>", "not-well-formed"},
      {"<a>\xFF</a>", "not-well-formed"},
      {"<!-- c -->", "restricted-xml"},
      {"<?pi x?>", "restricted-xml"},
      {"<message><body>" + std::string(2000, 'x'), "policy-violation"},
      {deep, "policy-violation"},
      {"<a b='1' c='2' d='3' e='4' f='5'/>", "policy-violation"},
      {wide, "policy-violation"},
  };
  for (const auto& [bad, condition] : table) {
    link_script s(options);
    s.bring_up();
    s.sends("<m/>", 1);
    s.did();
    s.takes();
    s.heard();
    s.says("<message from='a@b'/>" + bad);
    const auto did = s.did();
    ASSERT_EQ(did.size(), 5U) << bad;
    EXPECT_EQ(did[0], "> <stream:error><" + condition +
                          " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>");
    EXPECT_EQ(did[1], "close");
    EXPECT_EQ(did[2], "got <message from='a@b'/>");
    EXPECT_EQ(did[3], "in doubt 1");
    EXPECT_TRUE(did[4].starts_with("down: the server sent XML that we refuse: xml/")) << did[4];
    EXPECT_EQ(s.link.stats().stream_errors, 1U);
    s.passes(250ms);
    EXPECT_EQ(s.did(), lines{"open xmpp.test:5347"});
  }
}

TEST(component, stream_error_and_closing_tag_end_the_link) {
  const std::vector<std::pair<std::string, std::string>> table{
      {link_script::stream_error("system-shutdown"), "down: stream error: system-shutdown"},
      {"</stream:stream>", "down: the server closed the stream"}};
  for (const auto& [bytes, why] : table) {
    link_script s;
    s.bring_up();
    s.says(bytes);
    EXPECT_EQ(s.did(), (lines{our_end, "close", why}));
    s.passes(250ms);
    EXPECT_EQ(s.did(), lines{"open xmpp.test:5347"});
  }
}

TEST(component, ignores_what_still_comes_from_a_connection_it_left) {
  link_script s;
  s.bring_up();
  s.sends("<a/>", 1);
  s.did();
  const auto old = s.conn;
  const auto old_token = s.tokens.at(0);
  s.says("</stream:stream>");
  s.heard();
  s.passes(250ms);
  s.did();
  s.link.handle(io::received{old, {}, "<message from='a@b'/>"}, s.now);
  s.link.handle(io::sent{old_token}, s.now);
  s.link.handle(io::closed{old, io::fail::closed_here}, s.now);
  EXPECT_EQ(s.did(), lines{});
  s.tokens.clear();
  s.come_up();
  EXPECT_TRUE(s.link.up());
}

// ---- stopping ----

TEST(component, stop_writes_what_is_queued_and_the_closing_tag) {
  link_script s;
  s.bring_up();
  s.link.handle(io::blocked{s.conn}, s.now);
  s.sends("<a/>", 1);
  s.link.send_or_queue("<b/>", s.now);
  s.link.stop(s.now);
  EXPECT_EQ(s.did(), (lines{"> <a/><b/></stream:stream>", "close"}));
  EXPECT_FALSE(s.link.up());
  EXPECT_FALSE(s.sends("<c/>", 2));
  EXPECT_FALSE(s.link.send_or_queue("<c/>", s.now));
  s.takes_all();
  s.link.stop(s.now);
  s.says("<message from='a@b'/></stream:stream>");
  EXPECT_EQ(s.did(), lines{"sent 1"});
  s.closed(io::fail::closed_here);
  EXPECT_EQ(s.did(), (lines{"in doubt 1", "down: stopped"}));
  s.passes(1h);
  EXPECT_EQ(s.did(), lines{}) << "no reconnect";
  EXPECT_EQ(s.link.stats().losses, 0U);
}

TEST(component, confirmation_that_arrives_while_closing_counts) {
  link_script s;
  s.bring_up();
  s.sends("<a/>", 1);
  s.passes(20ms);
  s.link.stop(s.now);
  s.did();
  s.takes_all();
  s.returns_ping(1);
  s.closed(io::fail::closed_here);
  EXPECT_EQ(s.did(), (lines{"sent 1", "confirmed 1", "down: stopped"}));
}

TEST(component, stop_ends_even_if_the_connection_does_not) {
  link_script s;
  s.bring_up();
  s.sends("<a/>", 1);
  s.link.stop(s.now);
  s.did();
  s.passes(10s);
  EXPECT_EQ(s.did(), (lines{"in doubt 1", "down: stopped"}));
}

TEST(component, stop_before_the_link_is_up) {
  link_script waiting;
  waiting.link.start(waiting.now);
  waiting.link.send_or_queue("<a/>", waiting.now);
  waiting.did();
  waiting.closed(io::fail::refused);
  waiting.did();
  waiting.logged();
  waiting.link.stop(waiting.now);
  EXPECT_EQ(waiting.did(), lines{"down: stopped"});
  EXPECT_EQ(waiting.logged(),
            lines{"2 component.stopped domain=sip.test stanzas_dropped=1 stanzas_unconfirmed=0"});
  EXPECT_EQ(waiting.memory.used(), 0U);
  waiting.passes(1h);
  EXPECT_EQ(waiting.did(), lines{});

  link_script connecting;
  connecting.link.start(connecting.now);
  connecting.did();
  connecting.link.stop(connecting.now);
  EXPECT_EQ(connecting.did(), lines{"close"});
  connecting.opened();
  connecting.closed(io::fail::closed_here);
  EXPECT_EQ(connecting.did(), lines{"down: stopped"});

  link_script idle;
  idle.link.stop(idle.now);
  EXPECT_EQ(idle.did(), lines{});
}

TEST(component, can_start_again_after_a_stop) {
  link_script s;
  s.bring_up();
  s.link.stop(s.now);
  s.did();
  s.closed(io::fail::closed_here);
  s.did();
  s.bring_up();
  EXPECT_TRUE(s.link.up());
}

TEST(component, leaves_nothing_in_the_index_or_the_account_when_it_goes) {
  deadline_index deadlines;
  counting_ids ids;
  byte_account memory(1'000'000);
  io_port port;
  const instant now{steady_time(1s), wall_time(1s)};
  {
    component link(link_id{1}, link_script::defaults(), deadlines, ids, memory, port);
    link.start(now);
    link.send_or_queue("<a/>", now);
    link.handle(io::closed{std::get<io::open>(port.actions().at(0)).conn, io::fail::refused}, now);
    EXPECT_EQ(deadlines.size(), 1U);
    EXPECT_GT(memory.used(), 0U);
  }
  EXPECT_EQ(deadlines.size(), 0U);
  EXPECT_EQ(memory.used(), 0U);
}

}  // namespace
