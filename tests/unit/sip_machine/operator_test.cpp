#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sip_script.hpp"

// What the operator sees and forbids: peers and blocks.
namespace stox::test {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

sip_text ours() {
  sip_text t;
  t.via.clear();
  t.max_forwards.clear();
  t.uri = "sip:ana@sip.example";
  t.from = "<sip:bo@xmpp.example>;tag=g1";
  t.to = "<sip:ana@sip.example>";
  return t;
}

const sip::target udp_target = sip_world::udp_to("127.0.0.1:5071");
const sip::target tcp_target = sip_world::tcp_to("127.0.0.1:5072");

/// "via address streams/stalled requests failures 'error' [penalty 30s] [paused 10s]" for each.
std::vector<std::string> shown(const sip_world& w) {
  std::vector<std::string> out;
  for (const auto& p : w.ep.peers(w.now)) {
    auto line = std::string(to_string(p.via)) + " " + p.at.to_string() + " " + std::to_string(p.streams) +
                "/" + std::to_string(p.stalled) + " " + std::to_string(p.requests) + " " +
                std::to_string(p.failures);
    const auto add = [&line](const char* what, duration d) {
      if (d > 0s) line += what + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(d).count());
    };
    if (!p.last_error.empty()) line += " '" + p.last_error + "'";
    add(" penalty ", p.penalty);
    add(" paused ", p.pause);
    out.push_back(line);
  }
  return out;
}
using lines = std::vector<std::string>;

TEST(peers, show_open_requests_streams_and_clients) {
  sip_world w;
  EXPECT_THAT(shown(w), IsEmpty());
  w.request(ours(), {udp_target});
  w.request(ours(), {udp_target});
  w.request(ours(), {tcp_target});
  w.open(w.opens.at(0).conn);
  w.handle(io::blocked{w.opens.at(0).conn});
  w.accept(conn_id{20}, "127.0.0.1:40000");
  w.accept(conn_id{21}, "127.0.0.1:40001");
  EXPECT_EQ(shown(w),
            (lines{"udp 127.0.0.1:5071 0/0 2 0", "tcp 127.0.0.1:0 2/0 0 0", "tcp 127.0.0.1:5072 1/1 1 0"}));
  w.datagram(answer_to(w.sends.at(0).what.bytes, 200));
  w.datagram(answer_to(w.sends.at(1).what.bytes, 200));
  EXPECT_EQ(shown(w), (lines{"tcp 127.0.0.1:0 2/0 0 0", "tcp 127.0.0.1:5072 1/1 1 0"}));
}

TEST(peers, show_what_failed_and_for_how_long_it_counts) {
  sip_world w;
  w.fail_send = 1;
  w.request(ours(), {udp_target});
  ASSERT_EQ(shown(w).size(), 1U);
  EXPECT_THAT(shown(w).at(0), testing::MatchesRegex("udp 127.0.0.1:5071 0/0 0 1 '.+' penalty 30"));
  w.advance(30s);
  EXPECT_THAT(shown(w).at(0), testing::MatchesRegex("udp 127.0.0.1:5071 0/0 0 1 '.+'"))
      << "its past stays known";
}

TEST(peers, show_who_asked_for_a_pause) {
  sip_world w;
  w.request(ours(), {udp_target});
  auto busy = answer_to(w.last(), 503);
  w.datagram(busy.insert(busy.find("Content-Length"), "Retry-After: 10\r\n"));
  EXPECT_EQ(shown(w), lines{"udp 127.0.0.1:5071 0/0 0 1 '503' paused 10"});
  w.advance(10s);
  EXPECT_EQ(shown(w), lines{"udp 127.0.0.1:5071 0/0 0 1 '503'"});
}

TEST(peers, remember_a_bounded_number_of_failures) {
  sip_world w;
  for (int i = 0; i < 300; ++i) {
    w.fail_send = 1;
    w.request(ours(), {sip_world::udp_to("127.0.1." + std::to_string(i % 250) + ":" +
                                         std::to_string(6000 + i / 250))});
    w.advance(1ms);
  }
  w.advance(1h);
  EXPECT_EQ(shown(w).size(), 256U);
}

TEST(blocks, make_a_trusted_source_a_stranger_until_they_are_taken_back) {
  sip_world w;
  const auto from = [&w](int n, const char* peer) {
    sip_text t;
    t.via = {"SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK-" + std::to_string(n) + ";rport"};
    t.call_id = "c" + std::to_string(n);
    w.forget();
    w.datagram(t.str(), peer);
    return w.sends.empty() ? std::string() : w.sends.back().first_line();
  };
  w.ep.block(*ip_prefix::parse("127.0.0.0/30"));
  EXPECT_THAT(from(1, "127.0.0.1:5080"), testing::StartsWith("SIP/2.0 403 "));
  EXPECT_THAT(w.all<sip::request_received>(), IsEmpty());
  from(2, "127.0.0.4:5080");
  EXPECT_EQ(w.all<sip::request_received>().size(), 1U);
  for (int i = 0; i < 50; ++i) from(10 + i, "127.0.0.1:5080");
  EXPECT_EQ(from(90, "127.0.0.1:5080"), "") << "its answers are rationed";
  w.ep.unblock(*ip_prefix::parse("127.0.0.0/30"));
  from(91, "127.0.0.1:5080");
  EXPECT_EQ(w.all<sip::request_received>().size(), 1U);
}

TEST(blocks, close_a_stream_that_was_trusted) {
  sip_world w;
  w.accept(conn_id{20}, "127.0.0.9:40000");
  w.accept(conn_id{21}, "127.0.0.1:40000");
  w.ep.block(*ip_prefix::parse("127.0.0.9"));
  w.handle(io::writable{conn_id{21}});
  ASSERT_EQ(w.closes.size(), 1U);
  EXPECT_EQ(w.closes.at(0).conn, conn_id{20});
  w.accept(conn_id{22}, "127.0.0.9:40001");
  sip_text t;
  t.via = "SIP/2.0/TCP 127.0.0.9:40001;branch=z9hG4bK-1;rport";
  w.stream(conn_id{22}, t.str());
  ASSERT_EQ(w.sends.size(), 1U);
  EXPECT_THAT(w.sends.at(0).first_line(), testing::StartsWith("SIP/2.0 403 "));
  EXPECT_EQ(w.closes.size(), 2U);
}

}  // namespace
}  // namespace stox::test
