#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "sip/machine/rate_limit.hpp"
#include "support/sip_script.hpp"

namespace {
std::size_t live_bytes = 0;
constexpr std::size_t mark = 16;
}  // namespace

// Counts what is really taken, for the figure per transaction.
void* operator new(std::size_t n) {
  auto* p = static_cast<std::size_t*>(std::malloc(n + mark));
  if (p == nullptr) throw std::bad_alloc();
  *p = n;
  live_bytes += n;
  return reinterpret_cast<char*>(p) + mark;
}
// Standard algorithms ask by this one; a sanitizer's own would not have the mark.
void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
  try {
    return operator new(n);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* p) noexcept {
  if (p == nullptr) return;
  auto* start = reinterpret_cast<std::size_t*>(static_cast<char*>(p) - mark);
  live_bytes -= *start;
  std::free(start);
}
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { operator delete(p); }

namespace stox::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

sip_text numbered(int n) {
  const std::string id = std::to_string(n);
  sip_text t;
  t.via = "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK-524287-1---0123456789abcdef" + id + ";rport";
  t.from = "<sip:ana@sip.example>;tag=0123456789abcdef" + id;
  t.call_id = "0123456789abcdef0123456789abcdef" + id + "@host.sip.example";
  return t;
}

TEST(memory, of_a_finished_transaction_is_at_most_1_kb_beside_its_response) {
  constexpr int count = 10000;
  sip_world w;
  w.report_sends = false;
  std::size_t responses = 0;
  const std::size_t live_before = live_bytes;
  const std::size_t account_before = w.memory.used();
  for (int i = 0; i < count; ++i) {
    w.datagram(numbered(i).str());
    w.respond(w.all<sip::request_received>().at(0).tx, 200);
    responses += w.last().size();
    w.forget();
  }
  const std::size_t account = (w.memory.used() - account_before - responses) / count;
  const std::size_t live = (live_bytes - live_before - responses) / count;
  RecordProperty("account_bytes", static_cast<int>(account));
  RecordProperty("live_bytes", static_cast<int>(live));
  EXPECT_EQ(w.ep.stats().server_transactions, static_cast<unsigned>(count));
  EXPECT_LE(live, 1024U);
  EXPECT_LE(account, 1024U);
  // What the account says is what is there.
  EXPECT_GE(account + 150, live);
  w.advance(32s);
  EXPECT_EQ(w.memory.used(), account_before);
}

TEST(memory, above_the_limit_refuses_new_requests_without_state) {
  sip_world w(sip_world::defaults(), 20000);
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 100; ++i) {
    w.forget();
    w.datagram(numbered(i).str());
    accepted += static_cast<int>(w.all<sip::request_received>().size());
    if (w.sends.empty()) continue;
    ++refused;
    EXPECT_THAT(w.timeline(), ElementsAre("0 480"));
    EXPECT_EQ(header_of(w.last(), "Retry-After"), "30");
  }
  EXPECT_GT(accepted, 3);
  EXPECT_GT(refused, 3);
  EXPECT_EQ(accepted + refused, 100);
  EXPECT_LE(w.memory.used(), 20000U + 2000);
  // What was accepted goes on: its copies are absorbed, not refused.
  w.forget();
  w.datagram(numbered(0).str());
  EXPECT_THAT(w.sends, IsEmpty());
  w.advance(32s);
  EXPECT_EQ(w.memory.used(), 0U);
}

TEST(rate_limit, holds_one_second_of_answers_per_prefix_and_fills_again) {
  sip::rate_limit limit(0);
  const auto near = *ip_address::parse("192.0.2.1");
  const auto beside = *ip_address::parse("192.0.2.254");
  const auto far = *ip_address::parse("192.0.3.1");
  steady_time now{};
  int taken = 0;
  for (int i = 0; i < 50; ++i) taken += limit.take(i % 2 == 0 ? near : beside, 10, now) ? 1 : 0;
  EXPECT_EQ(taken, 10);
  EXPECT_TRUE(limit.take(far, 10, now));
  now += 100ms;
  EXPECT_TRUE(limit.take(near, 10, now));
  EXPECT_FALSE(limit.take(near, 10, now));
  now += 1h;
  taken = 0;
  for (int i = 0; i < 50; ++i) taken += limit.take(near, 10, now) ? 1 : 0;
  EXPECT_EQ(taken, 10);
  EXPECT_FALSE(limit.take(near, 0, now));
}

TEST(rate_limit, counts_a_56_bit_prefix_of_ipv6_as_one) {
  sip::rate_limit limit(0);
  int taken = 0;
  for (int i = 0; i < 50; ++i) {
    taken +=
        limit.take(*ip_address::parse("2001:db8:0:" + std::to_string(i) + "::1"), 10, steady_time{}) ? 1 : 0;
  }
  EXPECT_EQ(taken, 10);
}

TEST(stranger, floods_without_getting_more_than_it_may) {
  sip_world w;
  const std::string text = sip_text{}.str();
  for (int second = 0; second < 5; ++second) {
    for (int i = 0; i < 1000; ++i) w.datagram(text, "203.0.113." + std::to_string(i % 250) + ":5080");
    w.advance(1s);
  }
  EXPECT_EQ(w.sends.size(), 50U);
  EXPECT_EQ(w.ep.stats().suppressed, 4950U);
  EXPECT_EQ(w.memory.used(), 0U);
  EXPECT_EQ(w.deadlines.size(), 0U);
}

TEST(stranger, never_gets_more_bytes_than_it_sent) {
  std::vector<std::string> texts;
  texts.push_back(sip_text{}.str());
  texts.push_back(sip_text{.extra = "Require: x\r\n"}.str());
  sip_text small;
  small.method = "OPTIONS";
  small.uri = "sip:a";
  small.via = "SIP/2.0/UDP a;branch=z9hG4bK1;rport";
  small.max_forwards.clear();
  small.from = "<sip:a>;tag=1";
  small.to = "<sip:a>";
  small.call_id = "1";
  small.body.clear();
  texts.push_back(small.str());
  texts.push_back("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n");
  texts.push_back("A b SIP/9.0\r\nv: SIP/2.0/UDP a;rport\r\n\r\n");
  int answered = 0;
  for (const std::string& text : texts) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      const std::string part = text.substr(0, cut);
      sip_world w;
      w.datagram(part, "203.0.113.1:9");
      for (const auto& s : w.sends) {
        ++answered;
        EXPECT_LE(s.what.bytes.size(), part.size()) << part << s.what.bytes;
        EXPECT_EQ(s.what.to, sip_world::address("203.0.113.1:9"));
      }
    }
  }
  EXPECT_GT(answered, 0);
}

// RFC 3261 §18.2.2 would send to maddr, and §18.2.1's received to whom the sender names: nobody may point us
// at others (docs/decisions/0008).
TEST(stranger, is_answered_at_its_source_only) {
  for (const char* via :
       {"SIP/2.0/UDP 198.51.100.7:53;branch=z9hG4bK1",
        "SIP/2.0/UDP 203.0.113.1:9;maddr=198.51.100.7;branch=z9hG4bK1",
        "SIP/2.0/UDP 203.0.113.1;maddr=224.0.1.75;ttl=16;rport;branch=z9hG4bK1",
        "SIP/2.0/UDP 203.0.113.1;received=198.51.100.7;rport=53;branch=z9hG4bK1", "SIP/2.0/UDP ;;;"}) {
    sip_world w;
    w.datagram(sip_text{.via = via}.str(), "203.0.113.1:9");
    ASSERT_EQ(w.sends.size(), 1U) << via;
    EXPECT_EQ(w.sends[0].what.to, sip_world::address("203.0.113.1:9")) << via;
  }
}

TEST(maddr, does_not_lead_answers_over_streams_astray) {
  sip_world w;
  constexpr conn_id peer{9};
  w.accept(peer, "127.0.0.1:40000");
  w.stream(peer, sip_text{.via = "SIP/2.0/TCP 127.0.0.1:5080;maddr=198.51.100.7;branch=z9hG4bKa1"}.str());
  w.handle(io::closed{peer, io::fail::reset});
  w.respond(w.all<sip::request_received>().at(0).tx, 200);
  ASSERT_EQ(w.opens.size(), 1U);  // the stream is gone: back to the sender, not to maddr
  EXPECT_EQ(w.opens[0].to, sip_world::address("127.0.0.1:5080"));
}

}  // namespace
}  // namespace stox::test
