#include "gateway/conversation.hpp"

#include <gtest/gtest.h>

#include "gateway/counters.hpp"
#include "gateway/recent_map.hpp"

using namespace stox;
using namespace stox::gateway;

namespace {

const steady_time start{std::chrono::hours(1)};

TEST(recent_map, forgets_the_stalest_beyond_its_capacity) {
  recent_map<int> map(2);
  map.get("a", start) = 1;
  map.get("b", start) = 2;
  ASSERT_NE(map.find("a", start), nullptr);  // "b" is now the stalest
  map.get("c", start) = 3;
  EXPECT_EQ(map.find("b", start), nullptr);
  ASSERT_NE(map.find("a", start), nullptr);
  EXPECT_EQ(*map.find("a", start), 1);
  EXPECT_EQ(map.size(), 2U);
}

TEST(recent_map, expires_what_was_not_used_since) {
  recent_map<int> map(10);
  map.get("old", start);
  map.get("new", start + std::chrono::minutes(2));
  map.expire(start + std::chrono::minutes(1));
  EXPECT_EQ(map.find("old", start), nullptr);
  EXPECT_NE(map.find("new", start + std::chrono::minutes(2)), nullptr);
}

TEST(conversations, one_thread_of_two_pairs_gives_two_tags) {
  byte_account memory(1 << 20);  // outlives what is charged to it
  counting_ids ids;
  conversations talk;
  const auto& first = talk.thread("a@x", "b@y", "same", start, ids, memory);
  const auto& second = talk.thread("e@x", "b@y", "same", start, ids, memory);
  EXPECT_EQ(first.call_id, second.call_id);
  EXPECT_NE(first.from_tag, second.from_tag);
}

TEST(conversations, keys_do_not_run_into_each_other) {
  byte_account memory(1 << 20);  // outlives what is charged to it
  counting_ids ids;
  conversations talk;
  talk.thread("a", "bc", "d", start, ids, memory).cseq = 7;
  EXPECT_EQ(talk.find_thread("ab", "c", "d", start), nullptr);
  EXPECT_EQ(talk.find_thread("a", "b", "cd", start), nullptr);
  ASSERT_NE(talk.find_thread("a", "bc", "d", start), nullptr);
  EXPECT_EQ(talk.find_thread("a", "bc", "d", start)->cseq, 7U);
}

TEST(conversations, forgotten_ones_give_their_memory_back) {
  byte_account memory(1 << 20);  // outlives what is charged to it
  counting_ids ids;
  conversations talk;
  talk.pair("a@x", "b@y", start, memory);
  talk.thread("a@x", "b@y", "t", start, ids, memory);
  EXPECT_GT(memory.used(), 0U);
  talk.expire(start + std::chrono::hours(2));
  EXPECT_EQ(memory.used(), 0U);
  EXPECT_EQ(talk.size(), 0U);
}

TEST(repeats_too_often, counts_equal_bodies_within_the_window_only) {
  pair_state::repeat r;
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(repeats_too_often(r, "ping", start)) << i;
  EXPECT_TRUE(repeats_too_often(r, "ping", start));
  EXPECT_FALSE(repeats_too_often(r, "pong", start));
  for (int i = 0; i < 19; ++i) repeats_too_often(r, "pong", start);
  EXPECT_TRUE(repeats_too_often(r, "pong", start));
  EXPECT_FALSE(repeats_too_often(r, "pong", start + std::chrono::seconds(11)));
}

TEST(counters, keep_direction_outcome_and_cause_apart) {
  counters c;
  c.count(direction::to_sip, outcome::failed, "404");
  c.count(direction::to_sip, outcome::failed, "404");
  c.count(direction::to_sip, outcome::failed, "480");
  c.count(direction::to_xmpp, outcome::failed, "404");
  EXPECT_EQ(c.messages().size(), 3U);
  EXPECT_EQ(c.messages().at({direction::to_sip, outcome::failed, "404"}), 2U);
  EXPECT_EQ(c.total(direction::to_sip, outcome::failed), 3U);
  EXPECT_EQ(c.total(direction::to_sip, outcome::delivered), 0U);
}

}  // namespace
