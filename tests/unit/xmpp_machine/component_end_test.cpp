#include "xmpp/machine/component.hpp"

#include <gtest/gtest.h>

#include "unit/xmpp_machine/link_script.hpp"

namespace {

using namespace stox;
using namespace stox::xmpp;
using lines = link_script::lines;

// ---- bad streams ----

TEST(component, refuses_a_stanza_of_too_many_parts_and_stays_up) {
  auto options = link_script::defaults();
  options.limits.max_depth = 3;
  link_script s(options);
  s.bring_up();
  s.heard();
  s.did();
  s.says("<message from='a@b' id='1'><x><y><z/></y></x></message><presence from='a@b'/>");
  EXPECT_EQ(s.heard(), (std::vector<std::string>{
                           "refused <message from='a@b' id='1'/> xml/too_deep: elements in elements",
                           "got <presence from='a@b'/>"}));
  EXPECT_TRUE(s.did().empty());
}

TEST(component, answers_bad_xml_with_a_stream_error_and_reconnects) {
  auto options = link_script::defaults();
  options.limits.max_stanza_bytes = 1000;
  const std::vector<std::pair<std::string, std::string>> table{
      {"<a></b>", "not-well-formed"},
      {"<a>\xFF</a>", "not-well-formed"},
      {"<!-- c -->", "restricted-xml"},
      {"<?pi x?>", "restricted-xml"},
      {"<message><body>" + std::string(2000, 'x'), "policy-violation"},
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
  EXPECT_EQ(s.did(), lines{"> <a/><b/></stream:stream>"});
  EXPECT_FALSE(s.link.up());
  EXPECT_FALSE(s.sends("<c/>", 2));
  EXPECT_FALSE(s.link.send_or_queue("<c/>", s.now));
  s.takes_all();
  s.link.stop(s.now);
  s.says("<message from='a@b'/><iq type='get' id='q' from='a@b'/></stream:stream>");
  EXPECT_EQ(s.did(), (lines{"close", "sent 1", "got <message from='a@b'/>"}))
      << "somebody must know of the message";
  s.closed(io::fail::closed_here);
  EXPECT_EQ(s.did(), (lines{"in doubt 1", "down: stopped, unheard <b/>"}));
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
  EXPECT_EQ(s.did(), (lines{"close", "in doubt 1", "down: stopped"}));
}

TEST(component, garbage_after_our_closing_tag_ends_the_connection) {
  link_script s;
  s.bring_up();
  s.link.stop(s.now);
  s.did();
  s.says("<a></b>");
  EXPECT_EQ(s.did(), lines{"close"});
  s.says("<a/>");
  s.closed(io::fail::closed_here);
  EXPECT_EQ(s.did(), lines{"down: stopped"});
}

TEST(component, that_is_held_keeps_stanzas_and_opens_nothing) {
  link_script s;
  s.link.hold();
  EXPECT_TRUE(s.link.send_or_queue("<a/>", s.now));
  s.passes(1h);
  EXPECT_EQ(s.did(), lines{});
  EXPECT_EQ(s.link.status().state, "idle");
  s.bring_up();
  EXPECT_EQ(s.link.stats().stanzas_out, 1U);
  EXPECT_EQ(s.link.status().state, "up");

  link_script ended;
  ended.link.hold();
  ended.link.send_or_queue("<a/>", ended.now);
  ended.link.stop(ended.now);
  EXPECT_EQ(ended.did(), lines{"down: stopped, unheard <a/>"});
}

TEST(component, tells_where_it_stands_since_when_and_why) {
  link_script s;
  s.link.start(s.now);
  const auto began = s.now.wall;
  EXPECT_EQ(s.link.status().state, "connecting");
  s.did();
  s.passes(1s);
  s.closed(io::fail::refused);
  EXPECT_EQ(s.link.status().state, "waiting");
  EXPECT_EQ(s.link.status().why, "connection refused");
  EXPECT_EQ(s.link.status().since.wall, began) << "it was not up before";
  s.passes(1s);
  s.come_up();
  EXPECT_EQ(s.link.status().state, "up");
  EXPECT_EQ(s.link.status().why, "");
  EXPECT_EQ(s.link.status().since.wall, s.now.wall);
  s.passes(1s);
  s.says("</stream:stream>");
  EXPECT_EQ(s.link.status().since.wall, s.now.wall);
  EXPECT_EQ(s.link.status().why, "the server closed the stream");
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
  EXPECT_EQ(waiting.did(), lines{"down: stopped, unheard <a/>"});
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

TEST(component, gives_up_at_once_and_tells_what_nobody_may_have_heard) {
  link_script s;
  s.bring_up();
  s.link.send_or_queue("<written/>", s.now);
  s.takes_all();
  s.link.handle(io::blocked{s.conn}, s.now);
  s.link.send_or_queue("<waits/>", s.now);
  s.did();
  s.logged();
  s.link.give_up(s.now);
  EXPECT_TRUE(s.link.stopped());
  EXPECT_EQ(s.did(), (lines{"> <waits/></stream:stream>", "close",
                            "down: stopped, unheard <written/>, unheard <waits/>"}));
  EXPECT_EQ(s.logged(), lines{"2 component.stopped domain=sip.test stanzas_dropped=0 stanzas_unconfirmed=2"});
  EXPECT_EQ(s.memory.used(), 0U);
}

TEST(component, what_was_confirmed_in_the_last_moment_was_heard) {
  link_script s;
  s.bring_up();
  s.link.send_or_queue("<a/>", s.now);
  s.passes(20ms);
  s.takes_all();
  s.did();
  s.returns_ping(1);
  s.link.give_up(s.now);
  EXPECT_EQ(s.did(), (lines{our_end, "close", "down: stopped"}));
}

TEST(component, gives_up_while_it_waits_for_the_next_attempt) {
  link_script s;
  s.link.start(s.now);
  s.link.send_or_queue("<a/>", s.now);
  s.did();
  s.closed(io::fail::refused);
  s.did();
  s.link.give_up(s.now);
  EXPECT_EQ(s.did(), lines{"down: stopped, unheard <a/>"});
}

}  // namespace
