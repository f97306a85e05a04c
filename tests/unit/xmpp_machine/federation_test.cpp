#include "xmpp/machine/federation.hpp"

#include <gtest/gtest.h>

#include "unit/xmpp_machine/s2s_world.hpp"

// Two or more of our servers with each other: how a stanza finds its way, and what is told when it does not.
namespace {

using namespace stox;
using namespace stox::xmpp;
using lines = std::vector<std::string>;

bool has(const lines& all, const std::string& what) {
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& l) { return l.find(what) != std::string::npos; });
}
TEST(federation, delivers_by_external) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  EXPECT_TRUE(w.send(a, b, 1));
  w.run();
  EXPECT_EQ(b.heard, lines{"message hi"});
  EXPECT_TRUE(has(
      a.log,
      "s2s.up domain=a.example peer=b.example address=192.0.2.2:5269 direction=out how=certificate tls=yes"));
  EXPECT_TRUE(has(
      b.log,
      "s2s.up domain=b.example peer=a.example address=192.0.2.1:40000 direction=in how=certificate tls=yes"));
  const auto said = w.said("a.example", "b.example");
  EXPECT_TRUE(contains(
      said, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>YS5leGFtcGxl</auth>"));
  EXPECT_FALSE(contains(said, "db:result"));
}

TEST(federation, delivers_by_dialback_where_no_certificate_is_valid) {
  s2s_world w;
  auto& a = w.add("a.example", false);
  auto& b = w.add("b.example", false);
  w.send(a, b, 1);
  w.run();
  EXPECT_EQ(b.heard, lines{"message hi"});
  EXPECT_TRUE(has(b.log, "direction=in how=dialback tls=yes"));
  EXPECT_TRUE(contains(w.said("b.example", "a.example"), "<db:verify from='b.example' to='a.example'"));
  EXPECT_TRUE(contains(w.said("b.example", "a.example"),
                       "<db:result from='b.example' to='a.example' type='valid'/>"));
}

TEST(federation, confirms_by_a_count) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  w.send(a, b, 1);
  w.pass(1s);
  EXPECT_EQ(a.heard, (lines{"sent 1", "confirmed 1"}));
  EXPECT_TRUE(contains(w.said("b.example", "a.example"), "<a xmlns='urn:xmpp:sm:3' h='1'/>"));
  EXPECT_TRUE(a.it->is_confirmed());
}

TEST(federation, answers_over_the_same_stream_where_both_directions_are_allowed) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  w.send(a, b, 1);
  w.run();
  w.send(b, a, 2, "back");
  w.pass(1s);
  EXPECT_TRUE(has(a.heard, "message back"));
  EXPECT_TRUE(has(b.heard, "confirmed 2"));
  EXPECT_EQ(w.connections(), 1U);
}

TEST(federation, goes_on_with_the_stream_that_broke) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  w.send(a, b, 1, "one");
  w.pass(1s);
  w.hold = true;
  w.send(a, b, 2, "two");
  w.send(a, b, 3, "three");
  w.run();
  w.cut();
  w.pass(10s);
  EXPECT_TRUE(contains(w.said("a.example", "b.example"), "<resume xmlns='urn:xmpp:sm:3'"));
  EXPECT_TRUE(contains(w.said("b.example", "a.example"), "<resumed xmlns='urn:xmpp:sm:3'"));
  EXPECT_EQ(b.heard, (lines{"message one", "message two", "message three"}));
  EXPECT_TRUE(has(a.heard, "confirmed 3"));
  EXPECT_FALSE(has(a.heard, "lost"));
}

TEST(federation, does_not_send_twice_what_arrived_before_the_stream_broke) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  w.send(a, b, 1, "one");
  w.run();  // it arrived, and no count has come back
  w.cut();
  w.pass(10s);
  EXPECT_EQ(b.heard, lines{"message one"});
  EXPECT_TRUE(has(a.heard, "confirmed 1"));
}

TEST(federation, tells_what_is_lost_where_nothing_can_be_resumed) {
  s2s_world w;
  auto& a = w.add("a.example", false);
  auto& b = w.add("b.example", false);
  w.send(a, b, 1, "one");
  w.pass(1s);
  w.hold = true;
  w.send(a, b, 2, "two");
  w.run();
  w.cut();
  w.pass(1s);
  EXPECT_TRUE(has(a.heard, "lost 2 written"));
}

TEST(federation, fences_with_a_ping_without_counts) {
  s2s_world w;
  auto& a = w.add("a.example", false);
  auto& b = w.add("b.example", false);
  w.send(a, b, 1, "one");
  w.run();
  EXPECT_FALSE(has(a.heard, "confirmed"));
  w.pass(1s);
  ASSERT_TRUE(has(b.heard, "iq x-"));
  const auto id = b.heard.back().substr(3);
  b.it->send_or_queue("b.example", "a.example",
                      "<iq from='b.example' to='a.example' type='result' id='" + id + "'/>", w.now);
  w.pass(1s);
  EXPECT_TRUE(has(a.heard, "confirmed 1"));
  const auto answers =
      std::count_if(a.heard.begin(), a.heard.end(), [](const auto& l) { return l[0] == 'i'; });
  EXPECT_EQ(answers, 1) << "b's own ping; the answer to ours is nobody else's";
}

TEST(federation, says_that_there_is_no_such_server) {
  s2s_world w;
  auto& a = w.add("a.example");
  s2s_world::server nowhere;
  nowhere.domain = "nowhere.example";
  w.send(a, nowhere, 1);
  w.pass(1s);
  EXPECT_EQ(a.heard, lines{"lost 1 remote-server-not-found"});
  // The answer is kept for a while: no question is asked again for each stanza.
  const auto asked = a.dns->stats().asked;
  w.send(a, nowhere, 2);
  w.run();
  EXPECT_EQ(a.heard.back(), "lost 2 remote-server-not-found");
  EXPECT_EQ(a.dns->stats().asked, asked);
}

TEST(federation, says_that_the_server_cannot_be_reached_and_tries_again_later) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  w.refuses.insert(b.clear);
  w.send(a, b, 1);
  w.pass(1s);
  EXPECT_EQ(a.heard, lines{"lost 1 remote-server-timeout"});
  EXPECT_TRUE(has(a.log,
                  "s2s.unreachable domain=a.example peer=b.example condition=remote-server-timeout "
                  "why=192.0.2.2:5269: connection refused"));
  w.refuses.clear();
  w.send(a, b, 2);
  w.run();
  EXPECT_EQ(a.heard.back(), "lost 2 remote-server-timeout") << "not before the pause is over";
  w.pass(6s);
  w.send(a, b, 3);
  w.run();
  EXPECT_EQ(b.heard, lines{"message hi"});
}

TEST(federation, a_server_that_does_not_answer_is_given_up_in_time) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  w.black.insert(b.clear);
  w.send(a, b, 1);
  w.pass(14s);
  EXPECT_EQ(a.heard, lines{});
  w.pass(2s);
  EXPECT_EQ(a.heard, lines{"lost 1 remote-server-timeout"});
}

TEST(federation, races_the_addresses) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  const std::string v6("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
  w.records[{io::record_type::aaaa, "host.b.example"}] = {v6};
  const auto six = *socket_address::parse("[2001:db8::2]:5269");
  w.black.insert(six);
  w.send(a, b, 1);
  w.pass(240ms);
  EXPECT_EQ(w.tried, std::vector{six});
  w.pass(20ms);
  EXPECT_EQ(w.tried, (std::vector{six, b.clear}));
  EXPECT_EQ(b.heard, lines{"message hi"});
}

TEST(federation, many_silent_addresses_are_tried_four_at_a_time) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  auto& records = w.records[{io::record_type::a, "host.b.example"}];
  for (char n = 101; n < 107; ++n) {
    records.push_back(std::string("\xc0\x00\x02", 3) + n);
    w.black.insert(*socket_address::parse("192.0.2." + std::to_string(n) + ":5269"));
  }
  w.black.insert(b.clear);
  w.send(a, b, 1);
  w.pass(14s);  // and no deadline fires for ever
  EXPECT_EQ(w.tried.size(), 4U);
  w.pass(2s);
  EXPECT_EQ(a.heard, lines{"lost 1 remote-server-timeout"});
}

TEST(federation, what_nobody_waits_for_goes_again_once) {
  s2s_world w;
  auto& a = w.add("a.example", false);
  auto& b = w.add("b.example", false);
  w.send(a, b, 1, "one");
  w.pass(1s);
  a.it->send_or_queue(a.domain, b.domain, s2s_world::text(a, b, "kept"), w.now);
  for (int i = 0; i < 3; ++i) {
    w.run();
    w.cut();
  }
  w.pass(20s);
  EXPECT_EQ(std::count(b.heard.begin(), b.heard.end(), "message kept"), 2);
  EXPECT_TRUE(has(a.heard, "unheard <message"));
}

TEST(federation, the_other_direction_waits_for_the_new_stream_behind_sasl) {
  s2s_world w;
  auto& a = w.add("a.example");
  w.black.insert(*socket_address::parse("192.0.2.2:5269"));
  s2s_world::server peer;
  peer.domain = "peer.example";
  w.records[{io::record_type::srv, "_xmpp-server._tcp.peer.example"}] = {
      s2s_world::srv(0, 5269, "host.peer.example")};
  w.records[{io::record_type::a, "host.peer.example"}] = {std::string("\xc0\x00\x02\x02", 4)};
  w.send(a, peer, 1);
  w.run();  // it is being reached, and meanwhile it connects to us
  peer_identity who;
  who.chain_ok = who.has_san = true;
  who.san_dns = {"peer.example"};
  const std::string header =
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' "
      "from='peer.example' to='a.example'>";
  w.dial_in(a, who);
  w.say(header);
  w.say("<bidi xmlns='urn:xmpp:bidi'/>");
  EXPECT_EQ(w.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"),
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  const auto said = w.say(header);
  EXPECT_LT(said.find("</stream:features>"), said.find("<message"));
  EXPECT_TRUE(contains(said, "<message"));
}

TEST(federation, prefers_tls_from_the_first_byte_where_its_priority_says_so) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  w.records[{io::record_type::srv, "_xmpp-server._tcp.b.example"}] = {
      s2s_world::srv(5, 5269, "host.b.example")};
  w.records[{io::record_type::srv, "_xmpps-server._tcp.b.example"}] = {
      s2s_world::srv(1, 5270, "host.b.example")};
  w.send(a, b, 1);
  w.run();
  EXPECT_EQ(w.tried, std::vector{b.tls});
  EXPECT_EQ(b.heard, lines{"message hi"});
  EXPECT_FALSE(contains(w.said("a.example", "b.example"), "starttls"));
}

TEST(federation, takes_no_server_without_tls_where_it_is_required) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example", true, [](federation_options& o) {
    o.has_tls = false;
    o.others.tls_required = false;
  });
  w.send(a, b, 1);
  w.pass(1s);
  EXPECT_EQ(a.heard, lines{"lost 1 remote-server-timeout"});
  EXPECT_FALSE(contains(w.said("a.example", "b.example"), "<message"));
}

TEST(federation, crosses_in_clear_only_where_both_allow_it) {
  s2s_world w([](federation_options& o) { o.others.tls_required = false; });
  auto& a = w.add("a.example");
  auto& b = w.add("b.example", true, [](federation_options& o) { o.has_tls = false; });
  w.send(a, b, 1);
  w.run();
  EXPECT_EQ(b.heard, lines{"message hi"});
  EXPECT_TRUE(has(b.log, "how=dialback tls=no"));
}

TEST(federation, sends_nothing_to_a_server_that_does_not_prove_its_domain_where_that_is_asked_for) {
  s2s_world w;
  auto& a = w.add("a.example", true, [](federation_options& o) { o.others.least = proof::certificate; });
  auto& b = w.add("b.example", false);
  w.send(a, b, 1);
  w.pass(1s);
  EXPECT_EQ(a.heard, lines{"lost 1 remote-server-timeout"});
  EXPECT_TRUE(has(a.log, "its certificate does not prove its domain: self-signed certificate"));
  EXPECT_FALSE(contains(w.said("a.example", "b.example"), "<message"));
}

TEST(federation, takes_nothing_of_a_server_that_does_not_prove_its_domain_where_that_is_asked_for) {
  s2s_world w;
  auto& a = w.add("a.example", false);
  auto& b = w.add("b.example", true, [](federation_options& o) {
    o.peers["a.example"] = {true, proof::certificate};
  });
  w.send(a, b, 1);
  w.pass(1s);
  EXPECT_TRUE(b.heard.empty());
  EXPECT_TRUE(has(a.heard, "lost 1 policy-violation"));
}

TEST(federation, believes_tlsa_records_that_dnssec_proves) {
  s2s_world w;
  auto& a = w.add("a.example", true, [](federation_options& o) { o.others.least = proof::dane; });
  auto& b = w.add("b.example", false);
  b.certificate.spki = "abcd";
  const s2s_world::question service{io::record_type::srv, "_xmpp-server._tcp.b.example"};
  const s2s_world::question promise{io::record_type::tlsa, "_5269._tcp.host.b.example"};
  w.records[promise] = {std::string("\x03\x01\x01\xab\xcd", 5)};
  w.send(a, b, 1);
  w.pass(1s);
  EXPECT_TRUE(b.heard.empty()) << "without DNSSEC they are anybody's word";
  w.secured_names = {service, promise};
  w.pass(5min);
  w.send(a, b, 2);
  w.run();
  EXPECT_EQ(b.heard, lines{"message hi"});
}

TEST(federation, a_promise_of_the_dns_is_for_its_own_domain_only) {
  s2s_world w;
  auto& a = w.add("a.example", true, [](federation_options& o) { o.others.least = proof::dane; });
  auto& b = w.add("b.example", false);
  b.certificate.spki = "abcd";
  const s2s_world::question service{io::record_type::srv, "_xmpp-server._tcp.b.example"};
  const s2s_world::question promise{io::record_type::tlsa, "_5269._tcp.host.b.example"};
  w.records[promise] = {std::string("\x03\x01\x01\xab\xcd", 5)};
  w.secured_names = {service, promise};
  w.send(a, b, 1);
  w.run();
  ASSERT_EQ(b.heard, lines{"message hi"});
  // The server of b.example says over the same stream that it is another domain, too.
  w.inject(b, a, "<db:result from='bank.example' to='a.example'>key</db:result>");
  EXPECT_TRUE(contains(w.said("a.example", "b.example"),
                       "to='bank.example' type='error'><error type='cancel'><policy-violation"));
}

TEST(federation, new_rules_hold_for_streams_that_are_there) {
  s2s_world w;
  auto& a = w.add("a.example", false);
  auto& b = w.add("b.example");
  w.send(a, b, 1);
  w.run();
  ASSERT_EQ(b.heard, lines{"message hi"});
  auto o = federation_options{};
  o.served = {"b.example"};
  o.others.least = proof::certificate;
  b.it->configure(o, w.now);
  w.pass(1s);
  EXPECT_EQ(w.connections(), 0U);
}

TEST(federation, refuses_more_than_waits_well) {
  s2s_world w([](federation_options& o) { o.queue_stanzas = 3; });
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  w.black.insert(b.clear);
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(w.send(a, b, i));
  EXPECT_FALSE(w.send(a, b, 4));
  EXPECT_EQ(a.it->stats().queued, 3U);
  EXPECT_EQ(a.it->stats().queue_refused, 1U);
}

TEST(federation, reaches_few_domains_at_one_time) {
  s2s_world w([](federation_options& o) { o.max_connecting = 10; });
  auto& a = w.add("a.example");
  std::vector<s2s_world::server*> all;
  for (int i = 0; i < 100; ++i) all.push_back(&w.add("d" + std::to_string(i) + ".example"));
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(w.send(a, *all[i], i + 1));
    most = std::max(most, a.it->stats().connecting);
  }
  EXPECT_EQ(most, 10U);
  EXPECT_EQ(a.it->stats().waiting, 90U);
  w.run();
  for (const auto* d : all) EXPECT_EQ(d->heard, lines{"message hi"}) << d->domain;
  EXPECT_EQ(a.it->stats().connecting, 0U);
}

/// A stanza each to servers that say nothing: dead1.example and so on.
void send_to_dead(s2s_world& w, s2s_world::server& a, std::uint64_t servers) {
  for (std::uint64_t i = 1; i <= servers; ++i) {
    auto& dead = w.add("dead" + std::to_string(i) + ".example");
    w.black.insert(dead.clear);
    w.send(a, dead, i);
  }
}

TEST(federation, servers_that_do_not_answer_keep_no_places_for_long) {
  s2s_world w([](federation_options& o) { o.max_connecting = 2; });
  auto& a = w.add("a.example");
  send_to_dead(w, a, 6);
  auto& alive = w.add("alive.example");
  w.send(a, alive, 7);
  EXPECT_EQ(a.it->stats().waiting, 5U);
  w.pass(7s);
  EXPECT_EQ(alive.heard, lines{"message hi"});
  EXPECT_EQ(a.it->stats().connecting, 6U);
  w.pass(10s);
  EXPECT_EQ(a.it->stats().connecting, 0U) << "nobody waits for them any more";
  EXPECT_EQ(a.it->stats().waiting, 0U);
  EXPECT_TRUE(has(a.heard, "lost 6 remote-server-timeout"));
  // They are known to be away, so the next one is told at once.
  w.send(a, *w.find("dead6.example"), 8);
  w.run();
  EXPECT_TRUE(has(a.heard, "lost 8 remote-server-timeout"));
}

TEST(federation, who_waited_for_a_place_in_vain_is_not_waiting_any_more) {
  s2s_world w([](federation_options& o) { o.max_connecting = 1; });
  auto& a = w.add("a.example");
  send_to_dead(w, a, 30);
  EXPECT_EQ(a.it->stats().waiting, 29U);
  w.pass(16s);
  EXPECT_EQ(a.it->stats().waiting, 0U);
  EXPECT_TRUE(has(a.heard, "lost 30 remote-server-timeout"));
}

TEST(federation, closes_what_is_idle_in_good_order) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  w.send(a, b, 1);
  w.pass(1s);
  EXPECT_EQ(w.connections(), 1U);
  w.pass(16min);
  EXPECT_EQ(w.connections(), 0U);
  EXPECT_TRUE(contains(w.said("a.example", "b.example"), "</stream:stream>"));
  w.send(a, b, 2, "again");
  w.pass(1s);
  EXPECT_EQ(b.heard.back(), "message again");
}

TEST(federation, ends_in_good_order) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  w.send(a, b, 1);
  w.pass(1s);
  a.it->stop(w.now);
  w.pass(1s);
  EXPECT_TRUE(a.it->stopped());
  EXPECT_EQ(w.connections(), 0U);
  EXPECT_FALSE(w.send(a, b, 2));
  EXPECT_FALSE(has(a.heard, "lost"));
}

TEST(federation, an_error_stanza_that_nobody_confirmed_goes_again) {
  s2s_world w;
  auto& a = w.add("a.example", false);
  auto& b = w.add("b.example", false);
  w.send(a, b, 1, "one");
  w.pass(1s);
  w.hold = true;
  a.it->send_or_queue(a.domain, b.domain, s2s_world::text(a, b, "kept"), w.now);
  w.run();
  w.cut();
  w.pass(1s);
  EXPECT_TRUE(has(b.heard, "message kept"));
}

TEST(federation, gives_back_all_memory) {
  s2s_world w;
  auto& a = w.add("a.example");
  auto& b = w.add("b.example");
  for (std::uint64_t i = 1; i <= 50; ++i) w.send(a, b, i, std::to_string(i));
  w.pass(1s);
  w.cut();
  w.pass(30min);
  for (auto* s : {&a, &b}) {
    s->it->tidy(w.now);
    s->dns->clear();
    EXPECT_EQ(s->memory.used(), 0U) << s->domain;
  }
}

}  // namespace
