#include "gateway/conversation.hpp"

#include <gtest/gtest.h>

#include "gateway/counters.hpp"
#include "gateway/recent_map.hpp"

using namespace stox;
using namespace stox::gateway;

namespace {

const steady_time start{std::chrono::hours(1)};

TEST(recent_map, forgets_the_stalest_beyond_its_capacity) {
  recent_map<int> map(2, 0);
  map.get("a", start) = 1;
  map.get("b", start) = 2;
  ASSERT_NE(map.find("a", start + std::chrono::seconds(1)), nullptr);  // "b" is now the stalest
  map.get("c", start) = 3;
  EXPECT_EQ(map.find("b", start), nullptr);
  ASSERT_NE(map.find("a", start), nullptr);
  EXPECT_EQ(*map.find("a", start), 1);
  EXPECT_EQ(map.size(), 2U);
}

TEST(recent_map, knows_to_the_second_what_was_used_last) {
  recent_map<int> map(2, 0);
  map.get("a", start);
  map.get("b", start);
  map.find("a", start + std::chrono::milliseconds(999));
  map.get("c", start);
  EXPECT_EQ(map.peek("a"), nullptr);
  EXPECT_NE(map.peek("b"), nullptr);
}

TEST(recent_map, never_forgets_the_one_in_use) {
  recent_map<int> map(10, 0);
  auto& used = map.get("a", start) = 1;
  map.get("b", start) = 2;
  EXPECT_TRUE(map.forget_stalest_but(used));
  EXPECT_EQ(map.peek("b"), nullptr);
  EXPECT_FALSE(map.forget_stalest_but(used));
  EXPECT_EQ(map.peek("a"), &used);
}

TEST(recent_map, erases_and_makes_again) {
  recent_map<int> map(100, 7);
  for (int i = 0; i < 100; ++i) map.get(std::to_string(i), start) = i;
  for (int i = 0; i < 100; i += 2) EXPECT_TRUE(map.erase(std::to_string(i)));
  EXPECT_FALSE(map.erase("0"));
  EXPECT_EQ(map.size(), 50U);
  EXPECT_EQ(map.get("0", start), 0);
  EXPECT_EQ(map.get("1", start), 1);
  EXPECT_EQ(map.size(), 51U);
}

TEST(recent_map, expires_what_was_not_used_since) {
  recent_map<int> map(10, 0);
  map.get("old", start);
  map.get("new", start + std::chrono::minutes(2));
  map.expire(start + std::chrono::minutes(1));
  EXPECT_EQ(map.find("old", start), nullptr);
  EXPECT_NE(map.find("new", start + std::chrono::minutes(2)), nullptr);
}

/// What conversations need, in the order in which it must go.
struct conversations_test : testing::Test {
  thread_state& thread(const std::string& jid, const std::string& aor, const std::string& call_id) {
    return talk.keep_thread(jid, aor, call_id, conversations::new_thread(call_id, ids), start);
  }
  byte_account memory{std::size_t{16} << 20};
  counting_ids ids;
  conversations talk{memory, ids};
};

TEST_F(conversations_test, one_thread_of_two_pairs_gives_two_tags) {
  const auto& first = thread("a@x", "b@y", "same");
  const auto& second = thread("e@x", "b@y", "same");
  EXPECT_EQ(first.call_id, second.call_id);
  EXPECT_NE(first.from_tag, second.from_tag);
}

TEST_F(conversations_test, keys_do_not_run_into_each_other) {
  thread("a", "bc", "d").locked.speaks("desk", start);
  EXPECT_EQ(talk.find_thread("ab", "c", "d", start), nullptr);
  EXPECT_EQ(talk.find_thread("a", "b", "cd", start), nullptr);
  ASSERT_NE(talk.find_thread("a", "bc", "d", start), nullptr);
  EXPECT_EQ(talk.find_thread("a", "bc", "d", start)->locked.at(start), "desk");
}

TEST_F(conversations_test, forgotten_ones_give_their_memory_back) {
  talk.pair("a@x", "b@y", start);
  thread("a@x", "b@y", "t");
  EXPECT_GT(memory.used(), 0U);
  EXPECT_EQ(memory.used(), talk.memory_used());
  talk.expire(start + std::chrono::hours(2));
  EXPECT_EQ(memory.used(), 0U);
  EXPECT_EQ(talk.memory_used(), 0U);
  EXPECT_EQ(talk.size(), 0U);
}

TEST_F(conversations_test, what_is_learned_is_charged) {
  auto& pair = talk.pair("a@x", "b@y", start);
  const auto before = memory.used();
  pair.sip_gr = std::string(900, 'g');
  pair.locked.speaks(std::string(800, 'r'), start);
  pair.sip_user = std::string(700, 'u');
  pair.weigh();
  EXPECT_EQ(memory.used(), before + 2400);
  pair.sip_gr.clear();
  pair.weigh();
  EXPECT_EQ(memory.used(), before + 1500);
}

TEST_F(conversations_test, costs_no_more_than_it_says) {
  const std::string jid(2000, 'a');
  const std::string aor(2000, 'b');
  talk.pair(jid, aor, start);
  thread(jid, aor, std::string(128, 'c'));
  EXPECT_LE(memory.used(), conversations::cost(jid, aor));
  EXPECT_GE(memory.used(), 8000U);
}

TEST_F(conversations_test, takes_at_most_a_quarter_of_the_account) {
  const std::string long_name(1000, 'a');
  for (int i = 0; i < 10'000; ++i) {
    const auto aor = long_name + std::to_string(i);
    thread(long_name, aor, {});
    auto& pair = talk.pair(long_name, aor, start);
    ASSERT_LE(memory.used(), memory.limit() / 4);
    EXPECT_EQ(talk.find_pair(long_name, aor, start), &pair) << "the newest is never forgotten";
  }
  EXPECT_GT(memory.used(), memory.limit() / 5);
}

TEST_F(conversations_test, names_do_not_come_again_after_a_restart) {
  struct other_ids final : id_source {
    std::string next(id_kind) override { return "t"; }
    std::uint64_t below(std::uint64_t bound) override { return bound - 1; }
  } random;
  conversations after{memory, random};
  EXPECT_EQ(talk.pair("a@x", "b@y", start).name, "aaaaaaaa-1");
  EXPECT_EQ(after.pair("a@x", "b@y", start).name, "77777777-1");
  EXPECT_EQ(after.pair("a@x", "c@y", start).name, "77777777-2");
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
  c.count(direction::to_sip, outcome::failed, "404", "a");
  c.count(direction::to_sip, outcome::failed, "404", "a");
  c.count(direction::to_sip, outcome::failed, "480", "a");
  c.count(direction::to_xmpp, outcome::failed, "404", "a");
  EXPECT_EQ(c.messages().size(), 3U);
  EXPECT_EQ(c.messages().at({direction::to_sip, outcome::failed, "404"}), 2U);
  EXPECT_EQ(c.total(direction::to_sip, outcome::failed), 3U);
  EXPECT_EQ(c.total(direction::to_sip, outcome::delivered), 0U);
}

TEST(counters, only_served_domains_have_counts_of_their_own) {
  counters c;
  c.serve({"a", "b"});
  const auto count = [&c](const char* domain) { c.count(direction::to_sip, outcome::failed, "404", domain); };
  for (const auto* domain : {"a", "c", "d", "", "a"}) count(domain);
  const auto failed = [&c](const char* domain) { return c.domains().at(domain)[1][1]; };
  EXPECT_EQ(c.domains().size(), 3U);
  EXPECT_EQ(failed("a"), 2U);
  EXPECT_EQ(failed("b"), 0U);
  EXPECT_EQ(failed("other"), 3U);
  c.serve({"b", "c"});
  EXPECT_EQ(c.domains().count("a"), 0U);
  EXPECT_EQ(failed("c"), 0U);
  c.serve({"b", "c"});
  count("c");
  c.serve({"b", "c"});
  EXPECT_EQ(failed("c"), 1U) << "a reload does not forget";
}

TEST(counters, what_comes_later_is_no_outcome) {
  counters c;
  c.came_in(direction::to_xmpp);
  c.count(direction::to_xmpp, outcome::delivered, "accepted", "a");
  c.count(aside::late_error);
  EXPECT_EQ(c.received(direction::to_xmpp), 1U);
  EXPECT_EQ(c.received(direction::to_sip), 0U);
  EXPECT_EQ(c.messages().size(), 1U);
  EXPECT_EQ(c.total(aside::late_error), 1U);
  EXPECT_EQ(c.total(aside::sender_unreachable), 0U);
}

}  // namespace
