#include <gtest/gtest.h>

#include "unit/xmpp_machine/s2s_world.hpp"
#include "xmpp/machine/s2s_stream.hpp"

// What streams may cost, where they may go, and sessions that go on while their stream is still open.
namespace {

using namespace stox;
using namespace stox::xmpp;
using lines = std::vector<std::string>;

std::string attribute(const std::string& text, const std::string& name) {
  const auto at = text.find(" " + name + "='");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 3;
  return text.substr(begin, text.find('\'', begin) - begin);
}

constexpr const char* peer_header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' "
    "xmlns:stream='http://etherx.jabber.org/streams' version='1.0' from='b.example' to='a.example'>";

struct s2s_limits : testing::Test {
  s2s_limits() : us(w.add("a.example", true, [](federation_options& o) { o.max_unauthenticated = 5; })) {}

  static peer_identity proved() {
    peer_identity out;
    out.chain_ok = out.has_san = true;
    out.san_dns = {"b.example"};
    return out;
  }
  /// A stream of b.example, played by the test.
  conn_id log_in(const std::string& from = "198.51.100.1:40000") {
    const auto conn = w.dial_in(us, proved(), from);
    w.say(peer_header);
    w.say(
        "<bidi xmlns='urn:xmpp:bidi'/>"
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
    w.say(peer_header);
    return conn;
  }
  static std::string message(const std::string& id, std::size_t bytes = 1) {
    return "<message from='u@b.example' to='v@a.example' id='" + id + "'><body>" + std::string(bytes, 'x') +
           "</body></message>";
  }
  bool send(std::uint64_t ref, const std::string& id) {
    return us.it->send("a.example", "b.example",
                       "<message from='v@a.example' to='u@b.example' id='" + id + "'/>", stanza_ref{ref},
                       w.now);
  }
  std::string enable() { return attribute(w.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>"), "id"); }
  std::string resume(const std::string& id, const std::string& h) {
    return w.say("<resume xmlns='urn:xmpp:sm:3' previd='" + id + "' h='" + h + "'/>");
  }

  s2s_world w;
  s2s_world::server& us;
};

// ---- where streams go ----

TEST_F(s2s_limits, no_stream_goes_where_none_may_go) {
  auto& careful = w.add("careful.example", true, [](federation_options& o) {
    o.never_connect.add(*ip_prefix::parse("192.0.2.0/24"));
  });
  w.send(careful, us, 1);
  w.pass(1s);
  EXPECT_TRUE(w.tried.empty());
  EXPECT_EQ(careful.heard, lines{"lost 1 remote-server-not-found"});
}

TEST_F(s2s_limits, other_addresses_of_the_same_domain_are_tried) {
  auto& careful = w.add("careful.example", true,
                        [](federation_options& o) { o.never_connect.add(*ip_prefix::parse("127.0.0.0/8")); });
  w.records[{io::record_type::a, "host.a.example"}].push_back(std::string("\x7f\0\0\x01", 4));
  w.send(careful, us, 1, "one");
  w.pass(1s);
  EXPECT_EQ(w.tried, std::vector{us.clear});
  EXPECT_EQ(us.heard, lines{"message one"});
}

// ---- what they cost ----

TEST_F(s2s_limits, addresses_of_one_ipv6_network_are_one) {
  for (int i = 0; i < 21; ++i) {
    EXPECT_FALSE(w.closed());
    log_in("[2001:db8:0:" + std::to_string(i) + "::1]:40000");
  }
  EXPECT_TRUE(w.closed());
  EXPECT_EQ(us.it->stats().refused_address, 1U);
  log_in("[2001:db8:1::1]:40000");
  EXPECT_FALSE(w.closed()) << "another network";
}

TEST_F(s2s_limits, network_that_crowds_in_takes_its_own_places) {
  const auto honest = w.dial_in(us, proved(), "203.0.113.9:40000");
  for (int i = 1; i <= 8; ++i) w.dial_in(us, {}, "198.51.100." + std::to_string(i) + ":40000");
  EXPECT_EQ(us.it->stats().refused_unproved, 4U);
  w.turn_to(honest);
  EXPECT_TRUE(contains(w.say(peer_header), "<stream:features")) << "the oldest of all is still there";
  EXPECT_FALSE(w.closed());
}

TEST_F(s2s_limits, memory_of_streams_is_counted) {
  const auto before = us.memory.used();
  log_in();
  const auto idle = us.memory.used();
  EXPECT_GE(idle - before, s2s_stream_cost);
  const auto whole = message("long", 100'000);
  w.say(whole.substr(0, 90'000));
  EXPECT_GE(us.memory.used() - idle, 90'000U) << "a stanza that is not whole";
  w.say(whole.substr(90'000));
  EXPECT_EQ(us.heard, lines{"message long"});
  EXPECT_LT(us.memory.used(), idle + 1000);
  w.say("</stream:stream>");
  w.pass(10s);
  EXPECT_LT(us.memory.used(), before + 2000) << "what is known of the pair of domains is kept";
}

TEST_F(s2s_limits, no_stream_is_taken_without_memory) {
  us.memory.take(us.memory.limit());
  w.dial_in(us, proved());
  EXPECT_TRUE(contains(w.hear(), "<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"));
  EXPECT_TRUE(w.closed());
  EXPECT_EQ(us.it->stats().refused_memory, 1U);
}

TEST_F(s2s_limits, long_stanza_ends_its_stream_where_there_is_no_memory) {
  log_in();
  us.memory.take(us.memory.limit());
  w.say(message("usual", 10'000));
  EXPECT_EQ(us.heard, lines{"message usual"}) << "its sender is told by who refuses it";
  const auto said = w.say(message("long", 100'000).substr(0, 90'000));
  EXPECT_TRUE(contains(said, "<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"));
  EXPECT_TRUE(w.closed());
}

// ---- sessions (XEP-0198) ----

TEST_F(s2s_limits, session_goes_on_though_its_stream_is_still_open) {
  const auto first = log_in();
  const auto id = enable();
  ASSERT_FALSE(id.empty());
  w.say(message("one"));
  EXPECT_TRUE(send(1, "ours"));
  EXPECT_TRUE(contains(w.hear(), "id='ours'"));
  const auto second = log_in();
  const auto said = resume(id, "0");
  EXPECT_EQ(said.find("<resumed xmlns='urn:xmpp:sm:3' previd='" + id + "' h='1'/>"), 0U) << said;
  EXPECT_TRUE(contains(said, "id='ours'")) << "it was not counted";
  EXPECT_EQ(us.it->stats().streams_in, 1U) << "the old one is closed";
  EXPECT_EQ(us.it->stats().resumed, 1U);
  w.turn_to(first);
  w.say(message("lost"));
  EXPECT_EQ(std::count(us.heard.begin(), us.heard.end(), "message lost"), 0) << "the old one is over";
  w.turn_to(second);
  w.say(message("two"));
  EXPECT_EQ(us.heard.back(), "message two");
  EXPECT_TRUE(send(2, "next"));
  EXPECT_TRUE(contains(w.hear(), "id='next'")) << "over the stream that went on";
  w.say("<a xmlns='urn:xmpp:sm:3' h='2'/>");
  EXPECT_EQ(us.heard.back(), "confirmed 2");
}

TEST_F(s2s_limits, session_of_an_open_stream_is_nobody_elses) {
  log_in();
  const auto id = enable();
  auto other = proved();
  other.san_dns = {"evil.example"};
  const auto theirs =
      std::string(peer_header).replace(std::string(peer_header).find("b.example"), 9, "evil.example");
  w.dial_in(us, other, "198.51.100.2:40000");
  w.say(theirs);
  w.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
  w.say(theirs);
  EXPECT_TRUE(contains(resume(id, "0"), "item-not-found"));
  EXPECT_EQ(us.it->stats().streams_in, 2U);
}

TEST_F(s2s_limits, session_outlives_a_stream_that_ends_as_it_asks_for_it) {
  log_in();
  const auto id = enable();
  EXPECT_TRUE(send(1, "ours"));
  w.hear();
  const auto resume_text = "<resume xmlns='urn:xmpp:sm:3' previd='" + id + "' h='0'/>";
  log_in();
  w.say(resume_text + "</stream:stream>");
  EXPECT_TRUE(w.closed());
  log_in();
  w.say(resume_text + resume_text);
  EXPECT_TRUE(w.closed()) << "twice is once too often";
  EXPECT_EQ(std::count(us.heard.begin(), us.heard.end(), "lost 1 written"), 0);
  log_in();
  EXPECT_TRUE(contains(w.say(resume_text), "id='ours'"));
  w.say("<a xmlns='urn:xmpp:sm:3' h='1'/>");
  EXPECT_EQ(us.heard.back(), "confirmed 1");
}

TEST_F(s2s_limits, session_needs_a_stream_for_both_directions_where_something_of_ours_waits) {
  log_in();
  const auto id = enable();
  EXPECT_TRUE(send(1, "ours"));
  w.hear();
  w.dial_in(us, proved());
  w.say(peer_header);
  w.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
  w.say(peer_header);
  EXPECT_TRUE(contains(resume(id, "0"), "<failed"));
  EXPECT_EQ(us.heard.back(), "lost 1 written");
}

TEST_F(s2s_limits, management_out_of_place_fails_alone_the_first_time) {
  w.dial_in(us, proved());
  w.say(peer_header);
  EXPECT_EQ(w.say("<enable xmlns='urn:xmpp:sm:3'/>"),
            "<failed xmlns='urn:xmpp:sm:3'><unexpected-request "
            "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
  EXPECT_FALSE(w.closed());
  EXPECT_TRUE(contains(w.say("<enable xmlns='urn:xmpp:sm:3'/>"), "<policy-violation"));
}

TEST_F(s2s_limits, what_ends_a_stream_says_how_much_was_handled) {
  log_in();
  enable();
  w.say(message("one"));
  const auto said = w.say("<message from='u@other.example' to='v@a.example'/>");
  EXPECT_EQ(said.find("<a xmlns='urn:xmpp:sm:3' h='1'/><stream:error><invalid-from"), 0U) << said;
}

TEST_F(s2s_limits, error_that_answers_a_header_has_an_id) {
  w.dial_in(us, proved());
  const auto said = w.say(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' "
      "xmlns:stream='http://etherx.jabber.org/streams' to='a.example'>");
  EXPECT_TRUE(contains(said, "<invalid-namespace"));
  EXPECT_FALSE(attribute(said, "id").empty()) << "RFC 6120 §4.7.3";
}

/// RFC 6120 §5.4.3.1: whether or not the peer names it in TLS, too.
TEST_F(s2s_limits, certificate_is_of_the_domain_that_the_header_names) {
  w.dial_in(us, {});
  w.say(peer_header);
  w.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  EXPECT_TRUE(w.asked_tls());
  EXPECT_EQ(w.own_name(), "a.example");
}

/// XEP-0198 §4: the count has 32 bits, and 0 follows 2^32-1.
TEST(s2s_session_count, starts_anew_behind_its_last) {
  federation_options options;
  options.served = {"a.example"};
  const dialback_keys keys(redacted("x"));
  counting_ids ids;
  byte_account memory{1 << 20};
  io_port io;
  std::unordered_map<token, s2s_id> tokens;
  peer_identity who;
  who.chain_ok = who.has_san = true;
  who.san_dns = {"b.example"};
  const instant now{steady_time(std::chrono::seconds(1000)), {}};
  const domain_pair pair{"a.example", "b.example"};
  s2s_stream s(s2s_id{1}, {options, keys, ids, memory, io, tokens}, conn_id{1}, {}, who, pair, "b.example",
               {}, now);
  s2s_session session;
  session.id = "before";
  session.pair = pair;
  session.acknowledged = 0xFFFFFFFE;
  for (std::uint64_t i = 1; i <= 4; ++i) session.waiting.push_back({0, stanza_ref{i}, "<m/>"});
  s.resume(std::move(session));
  s.want(pair);
  const std::string back =
      "<?xml version='1.0'?><stream:stream xmlns='jabber:server' version='1.0' id='1' from='b.example' "
      "xmlns:stream='http://etherx.jabber.org/streams' to='a.example'><stream:features>";
  s.received(back +
                 "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism>"
                 "</mechanisms></stream:features>",
             now);
  s.received("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", now);
  s.received(back + "<sm xmlns='urn:xmpp:sm:3'/></stream:features>", now);
  s.received("<resumed xmlns='urn:xmpp:sm:3' previd='before' h='1'/>", now);
  s.received("<a xmlns='urn:xmpp:sm:3' h='2'/>", now);
  std::vector<std::uint64_t> confirmed;
  while (auto event = s.poll()) {
    EXPECT_FALSE(std::holds_alternative<stream_ended>(*event));
    if (const auto* c = std::get_if<stanza_confirmed>(&*event))
      confirmed.push_back(static_cast<std::uint64_t>(c->ref));
  }
  EXPECT_EQ(confirmed, (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

/// Where TLS is required nothing is believed before it, whoever wrote it.
TEST(s2s_verdict, in_clear_is_not_heard) {
  federation_options options;
  options.served = {"a.example"};
  const dialback_keys keys(redacted("x"));
  counting_ids ids;
  byte_account memory{1 << 20};
  io_port io;
  std::unordered_map<token, s2s_id> tokens;
  const instant now{steady_time(std::chrono::seconds(1000)), {}};
  s2s_stream s(s2s_id{1}, {options, keys, ids, memory, io, tokens}, conn_id{1}, {}, {},
               {"a.example", "b.example"}, "b.example", {}, now);
  s.verify({"a.example", "b.example"}, "asked", "key");
  s.received(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:server' version='1.0' id='1' from='b.example' "
      "xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' to='a.example'>"
      "<db:verify from='b.example' to='a.example' id='asked' type='valid'/>",
      now);
  while (auto event = s.poll()) EXPECT_FALSE(std::holds_alternative<key_answered>(*event));
}

}  // namespace
