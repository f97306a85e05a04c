#include "xmpp/machine/fence.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "unit/xmpp_machine/link_script.hpp"

namespace {

using namespace stox;
using namespace stox::xmpp;
using lines = link_script::lines;

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

}  // namespace
