#include "gateway/rate_limit.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace stox::gateway {
namespace {

using namespace std::chrono_literals;

const steady_time begin{1000s};

struct table {
  byte_account memory{std::size_t{16} << 20U};
  counting_ids ids;
  rate_limit buckets{memory, ids};
};

/// How many of the next ten thousand may go at once.
unsigned at_once(rate_limit& buckets, std::string_view key, const rate& r, steady_time now) {
  unsigned n = 0;
  while (n < 10'000 && !buckets.take(rate_scope::sender, key, r, now)) ++n;
  return n;
}

TEST(rate, of_nothing_is_no_limit) { EXPECT_FALSE(rate::per_minute(0, 1min).has_value()); }

TEST(rate_limit, saves_up_a_burst_and_then_goes_at_the_rate) {
  table t;
  auto& buckets = t.buckets;
  const auto r = *rate::per_minute(60, 10s);
  EXPECT_EQ(at_once(buckets, "ana", r, begin), 10U);
  EXPECT_EQ(buckets.take(rate_scope::sender, "ana", r, begin + 400ms), 600ms);
  EXPECT_EQ(at_once(buckets, "ana", r, begin + 1s), 1U);
  EXPECT_EQ(at_once(buckets, "ana", r, begin + 4s), 3U) << "what is refused costs nothing";
  EXPECT_EQ(at_once(buckets, "ana", r, begin + 1h), 10U) << "more than the bucket holds is never saved";
}

TEST(rate_limit, lets_one_go_however_short_the_burst) {
  table t;
  auto& buckets = t.buckets;
  const auto r = *rate::per_minute(1, 1s);
  EXPECT_EQ(at_once(buckets, "ana", r, begin), 1U);
  EXPECT_EQ(at_once(buckets, "ana", r, begin + 59s), 0U);
  EXPECT_EQ(at_once(buckets, "ana", r, begin + 60s), 1U);
}

TEST(rate_limit, has_a_bucket_for_each_key_and_scope) {
  table t;
  auto& buckets = t.buckets;
  const rate r{1s, 1s};
  EXPECT_FALSE(buckets.take(rate_scope::sender, "ana", r, begin));
  EXPECT_TRUE(buckets.take(rate_scope::sender, "ana", r, begin));
  EXPECT_FALSE(buckets.take(rate_scope::sender, "bob", r, begin));
  EXPECT_FALSE(buckets.take(rate_scope::pair, "ana", r, begin));
}

TEST(rate_limit, takes_a_smaller_bucket_over_from_a_larger_one) {
  table t;
  auto& buckets = t.buckets;
  EXPECT_EQ(at_once(buckets, "ana", {1s, 1h}, begin), 3600U);
  EXPECT_EQ(buckets.take(rate_scope::sender, "ana", {1s, 10s}, begin), 1s)
      << "nobody waits longer than the new bucket takes to fill";
}

// The table is bounded: a crowd may push out a bucket, which is then full again for its user, but while the
// crowd's own buckets fill up as fast as they come, nobody is forgotten.
TEST(rate_limit, forgets_full_buckets_first) {
  table t;
  auto& buckets = t.buckets;
  const rate tight{1min, 1min};
  EXPECT_FALSE(buckets.take(rate_scope::sender, "eve", tight, begin));
  auto now = begin;
  for (int i = 0; i < 500'000; ++i, now += 100us)
    EXPECT_FALSE(buckets.take(rate_scope::sender, "user" + std::to_string(i), {100ms, 1min}, now));
  EXPECT_TRUE(buckets.take(rate_scope::sender, "eve", tight, now));
}

TEST(rate_limit, forgets_the_fullest_when_all_are_in_use) {
  table t;
  auto& buckets = t.buckets;
  for (int i = 0; i < 1'000'000; ++i)
    EXPECT_FALSE(buckets.take(rate_scope::sender, "user" + std::to_string(i), {1min, 1min}, begin));
}

TEST(rate_limit, is_charged_as_a_whole_and_never_grows) {
  byte_account memory(std::size_t{16} << 20U);
  {
    counting_ids ids;
    rate_limit buckets(memory, ids);
    constexpr auto both = (std::size_t{1} << 20U) + (std::size_t{1} << 17U);
    EXPECT_EQ(memory.used(), both);
    for (int i = 0; i < 100'000; ++i)
      buckets.take(rate_scope::sender, "user" + std::to_string(i), {1min, 1min}, begin);
    EXPECT_EQ(memory.used(), both);
    EXPECT_EQ(buckets.memory_used(), memory.used());
  }
  EXPECT_EQ(memory.used(), 0U);
}

// Lines of the log are asked for by what no rate comes before, under names that anybody can make up.
TEST(rate_limit, is_not_pushed_out_by_notices) {
  byte_account memory(std::size_t{16} << 20U);
  counting_ids ids;
  rate_limit buckets(memory, ids);
  EXPECT_EQ(buckets.take(rate_scope::sender, "eve", {1min, {}}, begin), std::nullopt);
  for (int i = 0; i < 200'000; ++i)
    buckets.take(rate_scope::notice, "loop" + std::to_string(i), {5min, {}}, begin);
  EXPECT_NE(buckets.take(rate_scope::sender, "eve", {1min, {}}, begin), std::nullopt);
}

TEST(tells_refusal, of_each_sender_and_cause_a_few) {
  byte_account memory(std::size_t{16} << 20U);
  counting_ids ids;
  rate_limit buckets(memory, ids);
  int told = 0;
  for (int i = 0; i < 100; ++i) told += tells_refusal(buckets, "blocked", "eve", begin) ? 1 : 0;
  EXPECT_EQ(told, 20);
  EXPECT_TRUE(tells_refusal(buckets, "blocked", "mallory", begin));
  EXPECT_TRUE(tells_refusal(buckets, "groupchat", "eve", begin));
}

TEST(allows_typing, counts_a_typist_over_all_his_contacts) {
  byte_account memory(std::size_t{16} << 20U);
  counting_ids ids;
  rate_limit buckets(memory, ids);
  settings::limits limits;
  limits.rate_per_pair = 3;
  limits.rate_burst = 1min;
  for (const auto* to : {"a", "b", "c"}) EXPECT_TRUE(allows_typing(buckets, "eve", to, limits, begin)) << to;
  EXPECT_FALSE(allows_typing(buckets, "eve", "d", limits, begin));
  EXPECT_TRUE(allows_typing(buckets, "ana", "d", limits, begin));
  limits.rate_per_pair = 0;
  EXPECT_TRUE(allows_typing(buckets, "eve", "d", limits, begin));
}

TEST(refuse_rate, tries_sender_then_pair_then_domain_and_speaks_once_a_minute) {
  table t;
  auto& buckets = t.buckets;
  settings::limits limits;
  limits.rate_per_sender = 4;
  limits.rate_per_pair = 2;
  limits.rate_burst = 1min;
  const auto from = [&](std::string_view user, std::string_view to, steady_time now) {
    const std::string jid = std::string(user) + "@xmpp.test";
    return refuse_rate(buckets, {jid, to, "xmpp.test", "sip.test"}, limits, 5, now);
  };
  EXPECT_FALSE(from("ana", "bo", begin));
  EXPECT_FALSE(from("ana", "bo", begin));
  auto r = from("ana", "bo", begin);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->scope, rate_scope::pair);
  EXPECT_EQ(r->wait, 30s);
  EXPECT_TRUE(r->tell);
  EXPECT_FALSE(from("ana", "ed", begin)) << "another contact";
  r = from("ana", "ed", begin);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->scope, rate_scope::sender);
  EXPECT_TRUE(r->tell) << "another bucket";
  EXPECT_FALSE(from("ana", "bo", begin + 30s));
  r = from("ana", "bo", begin + 31s);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->scope, rate_scope::pair);
  EXPECT_FALSE(r->tell);
  r = from("ana", "bo", begin + 32s);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->scope, rate_scope::sender);
  EXPECT_FALSE(r->tell);
  for (const auto* user : {"bob", "cat", "dan"}) from(user, "bo", begin + 33s);
  r = from("eve", "bo", begin + 33s);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->scope, rate_scope::domain);
  EXPECT_FALSE(refuse_rate(buckets, {"eve@two.test", "bo", "two.test", "sip.test"}, limits, 5, begin + 33s));
}

// Anybody can write the mark of a loop, to ever new addresses.
TEST(tells_loop, once_for_each_pair_and_never_as_often_as_somebody_forges_marks) {
  table t;
  EXPECT_TRUE(tells_loop(t.buckets, "ana", "bo", begin));
  EXPECT_FALSE(tells_loop(t.buckets, "ana", "bo", begin));
  EXPECT_TRUE(tells_loop(t.buckets, "bo", "ana", begin)) << "the other way is another loop";
  const auto told = [&](const std::string& whom, steady_time now) {
    int n = 0;
    for (int i = 0; i < 1000; ++i) n += tells_loop(t.buckets, "eve", whom + std::to_string(i), now) ? 1 : 0;
    return n;
  };
  EXPECT_EQ(told("a", begin), 18);
  EXPECT_EQ(told("b", begin + 1min), 4);
  EXPECT_TRUE(tells_loop(t.buckets, "ana", "bo", begin + 10min));
}

TEST(seconds_of, is_never_none) {
  EXPECT_EQ(seconds_of(1ms), 1);
  EXPECT_EQ(seconds_of(0ms), 1);
  EXPECT_EQ(seconds_of(1001ms), 2);
}

}  // namespace
}  // namespace stox::gateway
