#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sip/machine/stream_framer.hpp"
#include "support/parsegrind.hpp"
#include "support/sip_script.hpp"

namespace stox::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr conn_id peer{9};

sip_text over_tcp(int n = 1) {
  sip_text t;
  t.via = "SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bKt" + std::to_string(n);
  t.cseq = std::to_string(n);
  return t;
}

std::vector<std::string> bodies(const sip_world& w) {
  std::vector<std::string> out;
  for (const auto& r : w.all<sip::request_received>()) out.push_back(r.request.body);
  return out;
}

std::string frames(const pieces& parts) {
  sip::stream_framer framer;
  std::string out;
  for (const std::string_view part : parts) {
    framer.feed(part);
    for (bool more = true; more;) {
      const sip::frame f = framer.next({});
      switch (f.what) {
        case sip::frame::kind::none: more = false; break;
        case sip::frame::kind::whole: out += "[" + std::string(f.text) + "]"; break;
        case sip::frame::kind::ping: out += "ping "; break;
        case sip::frame::kind::broken: return out + "broken";
      }
    }
    framer.stash();
  }
  return out + (framer.incomplete() ? "..." : "");
}

TEST(stream_framer, finds_the_same_messages_however_the_bytes_come) {
  const std::string one = over_tcp(1).str();
  sip_text with_crlf = over_tcp(2);
  with_crlf.body = "a\r\n\r\nb\n\nINVITE sip:x SIP/2.0\r\n\r\n";
  const std::string two = with_crlf.str();
  const std::string text = "\r\n" + one + "\r\n\r\n" + two + one + "\r\n\r\n\r\n" + one.substr(0, 60);
  EXPECT_EQ(parsegrind(text, frames), "[" + one + "]ping [" + two + "][" + one + "]ping ...");
}

TEST(stream_framer, refuses_a_stream_without_length_or_with_a_wrong_one) {
  EXPECT_EQ(parsegrind("MESSAGE sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n", frames), "broken");
  EXPECT_EQ(parsegrind("MESSAGE sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n", frames), "broken");
  EXPECT_EQ(parsegrind("MESSAGE sip:a SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n", frames),
            "broken");
  EXPECT_EQ(parsegrind("MESSAGE sip:a SIP/2.0\r\nl: 1000000\r\n\r\n", frames), "broken");
}

// Each byte in a read of its own, as TLS records may bring them: the head is read once.
TEST(stream_framer, takes_linear_time_whatever_the_head_looks_like) {
  std::string head = "MESSAGE sip:a SIP/2.0\r\n";
  while (head.size() < 15'000) head += "X: y\r\n";
  const std::string body(60'000, 'b');
  for (const std::string length : {"Content-Length: 60000\r\n\r\n", "Content-Length:\r\n 60000\r\n\r\n"}) {
    const std::string text = head + length + body;
    sip::stream_framer framer;
    framer.feed(std::string_view(text).substr(0, head.size() + length.size()));
    EXPECT_EQ(framer.next({}).what, sip::frame::kind::none);
    framer.stash();
    std::size_t whole = 0;
    for (const char& c : body) {
      framer.feed({&c, 1});
      whole += framer.next({}).what == sip::frame::kind::whole ? 1 : 0;
      framer.stash();
    }
    EXPECT_EQ(whole, 1U) << length;
  }
  // Lines that end in LF alone make no end of a head, however many there are.
  sip::stream_framer framer;
  framer.feed("MESSAGE sip:a SIP/2.0\n\n");
  std::size_t fed = 24;
  for (bool broken = false; !broken; ++fed) {
    ASSERT_LE(fed, 17'000U);
    broken = framer.next({}).what == sip::frame::kind::broken;
    framer.stash();
    framer.feed("\r");
  }
}

TEST(stream_framer, holds_no_more_than_the_limits_allow) {
  sip::stream_framer framer;
  const std::string junk(4096, 'x');
  std::size_t fed = 0;
  for (;;) {
    framer.feed(junk);
    fed += junk.size();
    const auto f = framer.next({});
    if (f.what == sip::frame::kind::broken) break;
    framer.stash();
    ASSERT_LE(fed, 32U * 1024);
  }
  EXPECT_LE(fed, 16U * 1024 + junk.size());
}

TEST(stream, delivers_a_message_fed_at_every_byte) {
  const std::string text = over_tcp(1).str() + over_tcp(2).str();
  const auto run = [](const pieces& parts) {
    sip_world w;
    w.accept(peer);
    for (const auto part : parts) w.stream(peer, part);
    return bodies(w).size();
  };
  EXPECT_EQ(parsegrind(text, run), 2U);
}

TEST(stream, answers_a_ping_with_one_crlf) {
  sip_world w;
  w.accept(peer);
  w.stream(peer, "\r\n\r\n");
  ASSERT_EQ(w.sends.size(), 1U);
  EXPECT_EQ(w.last(), "\r\n");
  w.stream(peer, "\r\n");
  EXPECT_EQ(w.sends.size(), 1U);
  w.stream(peer, "\r");
  w.stream(peer, "\n");
  EXPECT_EQ(w.sends.size(), 2U);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "\r\n\r\n";
  w.stream(peer, many);
  EXPECT_EQ(w.sends.size(), 3U);
}

TEST(stream, is_closed_when_idle_and_not_before) {
  sip_world w;
  w.accept(peer);
  w.advance(4min);
  w.stream(peer, over_tcp().str());
  w.advance(1s);
  w.respond(w.all<sip::request_received>().at(0).tx, 200);
  w.advance(4min + 59s + 999ms);
  EXPECT_THAT(w.closes, IsEmpty());
  w.advance(1ms);
  ASSERT_EQ(w.closes.size(), 1U);
  EXPECT_EQ(w.closes[0].conn, peer);
  w.stream(peer, over_tcp(2).str());
  EXPECT_EQ(bodies(w).size(), 1U);
  w.handle(io::closed{peer, io::fail::closed_here});
  EXPECT_EQ(w.ep.stats().connections, 0U);
  EXPECT_EQ(w.memory.used(), 0U);
  EXPECT_EQ(w.deadlines.size(), 0U);
}

TEST(stream, is_closed_when_a_message_is_not_finished_in_time) {
  sip_world w;
  w.accept(peer);
  const std::string text = over_tcp().str();
  for (int i = 0; i < 9; ++i) {  // a byte a second does not help
    w.stream(peer, text.substr(static_cast<std::size_t>(i), 1));
    w.advance(1s);
  }
  EXPECT_THAT(w.closes, IsEmpty());
  w.advance(1s);
  EXPECT_EQ(w.closes.size(), 1U);
  EXPECT_EQ(w.ep.stats().garbage, 1U);
}

TEST(stream, gives_each_message_its_own_time) {
  sip_world w;
  w.accept(peer);
  const std::string text = over_tcp(1).str();
  w.stream(peer, text.substr(0, 20));
  w.advance(9s);
  w.stream(peer, text.substr(20) + over_tcp(2).str().substr(0, 20));
  w.advance(9s);
  w.stream(peer, over_tcp(2).str().substr(20));
  w.advance(20s);
  EXPECT_EQ(bodies(w).size(), 2U);
  EXPECT_THAT(w.closes, IsEmpty());
}

TEST(stream, with_a_content_length_too_small_is_closed_at_what_follows) {
  sip_world w;
  w.accept(peer);
  sip_text t = over_tcp();
  t.body = "ab";
  w.stream(peer,
           t.str() + "MESSAGE sip:smuggled@xmpp.example\r\nContent-Length: 0\r\n\r\n" + over_tcp(2).str());
  EXPECT_THAT(bodies(w), ElementsAre("ab"));
  EXPECT_EQ(w.closes.size(), 1U);
  EXPECT_EQ(w.ep.stats().garbage, 1U);
}

TEST(stream, with_a_content_length_too_large_waits_and_is_closed) {
  sip_world w;
  w.accept(peer);
  std::string text = over_tcp().str();
  text.replace(text.find("Content-Length: 5"), 17, "Content-Length: 9");
  w.stream(peer, text);
  w.advance(10s);
  EXPECT_THAT(w.events, IsEmpty());
  EXPECT_EQ(w.closes.size(), 1U);
}

TEST(stream, without_content_length_is_answered_and_closed) {
  sip_world w;
  w.accept(peer);
  std::string text = over_tcp().str();
  text.erase(text.find("Content-Length: 5\r\n"), 19);
  w.stream(peer, text);
  EXPECT_THAT(w.timeline(), ElementsAre("0 400"));
  EXPECT_EQ(w.closes.size(), 1U);
  EXPECT_THAT(w.events, IsEmpty());
}

TEST(stream, of_something_else_is_closed_without_an_answer) {
  sip_world w;
  w.accept(peer);
  w.stream(peer, "GET / HTTP/1.1\r\nHost: example\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(w.closes.size(), 1U);
  EXPECT_THAT(w.sends, IsEmpty());
}

TEST(stream, goes_on_after_a_message_that_was_refused) {
  sip_world w;
  w.accept(peer);
  sip_text bad = over_tcp(1);
  bad.call_id.clear();
  w.stream(peer, bad.str() + over_tcp(2).str());
  EXPECT_THAT(w.timeline(), ElementsAre("0 400"));
  EXPECT_EQ(bodies(w).size(), 1U);
  EXPECT_THAT(w.closes, IsEmpty());
}

TEST(stream, is_refused_beyond_the_limit) {
  auto o = sip_world::defaults();
  o.max_connections = 2;
  sip_world w(o);
  w.accept(conn_id{11}, "127.0.0.1:1");
  w.accept(conn_id{12}, "127.0.0.1:2");
  w.accept(conn_id{13}, "127.0.0.1:3");
  ASSERT_EQ(w.closes.size(), 1U);
  EXPECT_EQ(w.closes[0].conn, conn_id{13});
  w.stream(conn_id{13}, over_tcp().str());
  EXPECT_THAT(w.events, IsEmpty());
  EXPECT_EQ(w.ep.stats().connections, 2U);
}

TEST(stream, of_a_trusted_peer_takes_the_place_of_the_quietest_stranger) {
  auto o = sip_world::defaults();
  o.max_connections = 8;
  sip_world w(o);
  w.accept(conn_id{11}, "192.0.2.1:1");
  w.advance(1s);
  w.accept(conn_id{12}, "192.0.2.1:2");
  w.advance(1s);
  w.stream(conn_id{11}, "\r\n");
  for (std::uint64_t i = 21; i < 27; ++i) w.accept(conn_id{i});
  EXPECT_THAT(w.closes, IsEmpty());
  w.accept(conn_id{27}, "127.0.0.1:4");
  ASSERT_EQ(w.closes.size(), 1U);
  EXPECT_EQ(w.closes[0].conn, conn_id{12});
  w.stream(conn_id{27}, over_tcp().str());
  EXPECT_EQ(bodies(w).size(), 1U);
}

/// A world whose clock and tables show that nothing is left of a closed stream.
void expect_forgotten(sip_world& w) {
  for (const io::close& c : std::vector(w.closes)) w.handle(io::closed{c.conn, io::fail::closed_here});
  EXPECT_EQ(w.ep.stats().connections, 0U);
  EXPECT_EQ(w.ep.stats().strangers, 0U);
  EXPECT_EQ(w.memory.used(), 0U);
  EXPECT_EQ(w.deadlines.size(), 0U);
}

std::size_t loud_lines(const sip_world& w) {
  return static_cast<std::size_t>(std::count_if(
      w.log.begin(), w.log.end(), [](const log_record& r) { return r.level > log_level::debug; }));
}

TEST(stream, of_a_stranger_ends_with_its_first_answer) {
  sip_world w;
  w.accept(peer, "192.0.2.1:1");
  w.stream(peer, over_tcp(1).str() + over_tcp(2).str());
  w.stream(peer, over_tcp(3).str());
  EXPECT_THAT(w.timeline(), ElementsAre("0 403"));
  ASSERT_EQ(w.closes.size(), 1U);
  EXPECT_EQ(w.closes[0].conn, peer);
  EXPECT_THAT(bodies(w), IsEmpty());
  EXPECT_EQ(w.ep.stats().strangers_cut, 0U);
  expect_forgotten(w);
}

// RFC 3261 §18.1.1: the connection of our request broke, and its server opens one for the answers.
TEST(stream, of_a_stranger_whose_answers_are_awaited_goes_on) {
  sip_world w;
  sip_text ours;
  ours.via.clear();
  ours.max_forwards.clear();
  w.request(ours, {sip_world::udp_to("192.0.2.1:5060")});
  const auto sent = w.last();
  w.accept(peer, "192.0.2.1:1");
  w.stream(peer, answer_to(sent, 100));
  EXPECT_THAT(w.closes, IsEmpty());
  w.stream(peer, answer_to(sent, 200));
  EXPECT_EQ(w.all<sip::response_received>().size(), 1U);
  w.stream(peer,
           "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP gw.test;branch=z9hG4bKnone\r\nFrom: <sip:a@b>;tag=1\r\n"
           "To: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(w.closes.size(), 1U);  // nobody waits for that one
}

TEST(stream, of_a_stranger_is_given_seconds_however_it_fills_them) {
  const std::string text = over_tcp().str();
  for (const bool pings : {false, true}) {
    sip_world w;
    w.accept(peer, "192.0.2.1:1");
    for (std::size_t i = 0; i < 9; ++i) {
      w.stream(peer, pings ? "\r\n\r\n" : text.substr(i, 1));
      w.advance(500ms);
    }
    EXPECT_THAT(w.closes, IsEmpty());
    w.advance(500ms);
    EXPECT_EQ(w.closes.size(), 1U);
    EXPECT_THAT(w.sends, IsEmpty());
    EXPECT_EQ(w.ep.stats().strangers_cut, 1U);
    expect_forgotten(w);
  }
}

TEST(stream, of_a_stranger_gets_one_of_a_quarter_of_the_places) {
  auto o = sip_world::defaults();
  o.max_connections = 8;
  sip_world w(o);
  std::uint64_t next = 10;
  const auto knock = [&](std::string_view from) { w.accept(conn_id{next++}, from); };
  for (int i = 0; i < 3; ++i) knock("192.0.2.1:1");
  ASSERT_EQ(w.closes.size(), 1U);
  EXPECT_EQ(w.closes[0].conn, conn_id{12});
  EXPECT_EQ(w.ep.stats().strangers, 2U);
  EXPECT_EQ(w.ep.stats().strangers_refused, 1U);
  // One that is being closed keeps its place among strangers until its bytes are gone ...
  w.stream(conn_id{10}, over_tcp(1).str());
  knock("192.0.2.1:1");
  EXPECT_EQ(w.ep.stats().strangers_refused, 2U);
  // ... and takes none from trusted peers.
  w.stream(conn_id{11}, over_tcp(2).str());
  for (int i = 0; i < 8; ++i) knock("127.0.0.1:1");
  EXPECT_EQ(w.ep.stats().connections, 10U);
  knock("127.0.0.1:1");
  EXPECT_EQ(w.ep.stats().connections, 10U);
  EXPECT_EQ(loud_lines(w), 1U + 3U);  // the trusted peer's, and the three listeners at the start
}

TEST(stream, of_strangers_share_a_small_total_of_bytes) {
  auto o = sip_world::defaults();
  const std::string text = over_tcp().str();
  sip_world measure;
  measure.accept(peer, "192.0.2.1:1");
  measure.stream(peer, text);
  o.stranger_bytes = 2 * measure.last().size();
  sip_world w(o);
  for (std::uint64_t i = 10; i < 13; ++i) w.accept(conn_id{i}, "192.0.2.1:1");
  for (std::uint64_t i = 10; i < 13; ++i) w.stream(conn_id{i}, text);
  EXPECT_EQ(w.sends.size(), 2U);
  EXPECT_EQ(w.closes.size(), 3U);
  EXPECT_EQ(w.ep.stats().suppressed, 1U);
  // What left the rim makes room again.
  w.handle(io::closed{conn_id{10}, io::fail::closed_here});
  w.accept(conn_id{13}, "192.0.2.1:1");
  w.stream(conn_id{13}, text);
  EXPECT_EQ(w.sends.size(), 3U);
}

TEST(stream, of_a_stranger_writes_nothing_into_the_log_that_is_read) {
  auto o = sip_world::defaults();
  o.max_connections = 4;
  sip_world w(o);
  const auto before = loud_lines(w);
  const auto visit = [&w](std::string_view says) {
    w.accept(peer, "192.0.2.1:1");
    w.accept(conn_id{10}, "192.0.2.1:2");
    if (!says.empty()) w.stream(peer, says);
    w.advance(5s);
    expect_forgotten(w);
    w.closes.clear();
  };
  visit("");
  visit("GET / HTTP/1.1\r\nHost: example\r\nContent-Length: 0\r\n\r\n");
  visit("MESSAGE sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n");
  visit(std::string(20'000, 'x'));
  visit(over_tcp().str());
  visit(over_tcp().str().substr(0, 50));
  EXPECT_EQ(loud_lines(w), before);
  EXPECT_EQ(w.ep.stats().strangers_refused, 6U);
}

TEST(stream, goes_on_after_a_malformed_response) {
  sip_world w;
  w.accept(peer);
  w.stream(peer,
           "SIP/2.0 200 OK\r\nVia: nonsense\r\nCSeq: x\r\nContent-Length: 0\r\n\r\n" + over_tcp(2).str());
  EXPECT_EQ(w.ep.stats().garbage, 1U);
  EXPECT_THAT(w.closes, IsEmpty());
  EXPECT_EQ(bodies(w).size(), 1U);
}

TEST(stream, that_does_not_read_is_closed_when_too_much_waits) {
  sip_world w;
  w.accept(peer);
  w.handle(io::blocked{peer});
  for (int i = 1; i < 2000 && w.closes.empty(); ++i) {
    w.events.clear();
    w.stream(peer, over_tcp(i).str());
    w.respond(w.all<sip::request_received>().at(0).tx, 200);
  }
  ASSERT_EQ(w.closes.size(), 1U);
  EXPECT_LT(w.memory.used(), 2U * 1024 * 1024);
  // What waited goes to one new connection; when that does not come either, it is lost.
  w.handle(io::closed{peer, io::fail::closed_here});
  ASSERT_EQ(w.opens.size(), 1U);
  w.handle(io::closed{w.opens[0].conn, io::fail::refused});
  EXPECT_EQ(w.memory.used(), 0U);
  EXPECT_EQ(w.deadlines.size(), 0U);
}

TEST(stream, keeps_the_account_of_what_it_holds) {
  sip_world w;
  w.accept(peer);
  const auto empty = w.memory.used();
  w.stream(peer, over_tcp().str().substr(0, 100) + "X-Long: " + std::string(5000, 'x'));
  EXPECT_GE(w.memory.used(), empty + 5000);
  w.handle(io::closed{peer, io::fail::reset});
  EXPECT_EQ(w.memory.used(), 0U);
}

}  // namespace
}  // namespace stox::test
