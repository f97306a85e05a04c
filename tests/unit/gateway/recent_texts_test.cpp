#include "gateway/recent_texts.hpp"

#include <gtest/gtest.h>

#include "gateway/conversation.hpp"

using namespace stox;
using namespace stox::gateway;

namespace {

const steady_time start{std::chrono::hours(1)};
constexpr auto mine = direction::to_sip;
constexpr auto theirs = direction::to_xmpp;

TEST(recent_texts, finds_a_text_by_each_of_its_ids) {
  recent_texts texts;
  texts.add(mine, {{"m1"}, {"o1", true}, {"s1", true}, {}}, "Are you there?", start);
  texts.add(theirs, {{"x1"}}, "Yes", start);
  for (const auto* id : {"m1", "o1", "s1"}) EXPECT_EQ(texts.find(id), "Are you there?") << id;
  EXPECT_EQ(texts.find("x1"), "Yes");
  EXPECT_EQ(texts.find("m"), std::nullopt);
  EXPECT_EQ(texts.find(""), std::nullopt);
}

TEST(recent_texts, tells_the_ways_apart) {
  recent_texts texts;
  texts.add(mine, {{"1"}}, "mine", start);
  texts.add(theirs, {{"1"}}, "theirs", start);
  EXPECT_EQ(texts.find("1"), "theirs") << "the newest";
  EXPECT_EQ(texts.find("1", mine), "mine");
}

TEST(recent_texts, names_what_came_before_the_same_way) {
  recent_texts texts;
  texts.add(theirs, {{"x1"}}, "one", start);
  texts.add(mine, {{"m1"}}, "between", start);
  texts.add(theirs, {{"x2"}}, "two", start);
  texts.add(theirs, {{"x3"}}, "three", start);
  EXPECT_EQ(texts.ids_before(theirs, "x3"), (std::vector<std::string>{"x1", "x2"}));
  EXPECT_EQ(texts.ids_before(theirs, "x1"), std::vector<std::string>());
  EXPECT_EQ(texts.ids_before(theirs, "m1"), std::vector<std::string>());
  EXPECT_EQ(texts.ids_before(theirs, "?"), std::vector<std::string>());
}

TEST(recent_texts, owes_the_news_of_a_failure_once) {
  recent_texts texts;
  texts.add(theirs, {{"x1"}}, "Are you there?", start, true);
  texts.add(theirs, {{"x2"}}, "more", start);
  texts.add(mine, {{"x3"}}, "not theirs", start, true);
  using failed = recent_texts::failed_text;
  EXPECT_EQ(texts.take_failed("x2"), (failed{"more", false})) << "ours, but nobody is to be told";
  EXPECT_EQ(texts.take_failed("x3"), std::nullopt);
  EXPECT_EQ(texts.take_failed("x1"), (failed{"Are you there?", true}));
  EXPECT_EQ(texts.take_failed("x1"), std::nullopt);
  EXPECT_EQ(texts.find("x1"), "Are you there?") << "it may still be quoted";
}

TEST(recent_texts, keeps_one_line_of_60_characters) {
  recent_texts texts;
  std::string umlauts;
  for (int i = 0; i < 61; ++i) umlauts += "ü";
  texts.add(mine, {{"long"}}, umlauts, start);
  EXPECT_EQ(texts.find("long"), umlauts.substr(2) + "...");
  texts.add(mine, {{"just"}}, umlauts.substr(2), start);
  EXPECT_EQ(texts.find("just"), umlauts.substr(2));
  texts.add(mine, {{"lines"}}, "\n a\r\nb\n", start);
  EXPECT_EQ(texts.find("lines"), "a  b");
}

TEST(recent_texts, remembers_that_a_message_without_text_was_there) {
  recent_texts texts;
  texts.add(mine, {{"m1"}, {"o1", true}}, "", start);
  EXPECT_EQ(texts.find("m1"), std::nullopt);
  EXPECT_TRUE(texts.seen(mine, "o1", start));
}

TEST(recent_texts, only_unique_ids_are_seen_again) {
  recent_texts texts;
  texts.add(mine, {{"1"}, {"o1", true}}, "a", start);
  EXPECT_TRUE(texts.seen(mine, "o1", start));
  EXPECT_FALSE(texts.seen(mine, "1", start)) << "another device counts from 1, too";
  EXPECT_FALSE(texts.seen(theirs, "o1", start));
}

TEST(recent_texts, are_seen_again_for_five_minutes) {
  recent_texts texts;
  texts.add(mine, {{"m1"}, {"o1", true}}, "a", start);
  EXPECT_TRUE(texts.seen(mine, "o1", start + std::chrono::minutes(5)));
  EXPECT_FALSE(texts.seen(mine, "o1", start + std::chrono::minutes(5) + std::chrono::seconds(1)));
}

TEST(recent_texts, what_failed_may_come_again) {
  recent_texts texts;
  texts.add(mine, {{"m1"}, {"o1", true}}, "a", start);
  texts.add(mine, {{"m2"}, {"o2", true}}, "b", start);
  texts.forget(mine, "m1");
  texts.forget(theirs, "m2");
  texts.forget(mine, "m3");
  EXPECT_FALSE(texts.seen(mine, "o1", start));
  EXPECT_TRUE(texts.seen(mine, "o2", start));
  EXPECT_EQ(texts.find("m2"), "b");
}

TEST(recent_texts, what_failed_is_forgotten_with_its_corrections) {
  recent_texts texts;
  texts.add(mine, {{"m1"}, {"o1", true}}, "a", start);
  texts.add(mine, {{"m2"}, {"o2", true}, {"m1"}}, "b", start);
  texts.forget(mine, "m1");
  EXPECT_FALSE(texts.seen(mine, "o1", start));
  EXPECT_EQ(texts.size(), 0U);
}

TEST(recent_texts, what_was_taken_back_is_not_quoted_and_still_known) {
  recent_texts texts;
  texts.add(mine, {{"m1"}, {"o1", true}}, "secret", start);
  texts.add(mine, {{"m2"}}, "b", start);
  texts.add(mine, {{"m3"}, {"m1"}}, "secret, corrected", start);
  texts.forget_text(theirs, "m2");
  texts.forget_text(mine, "m1");
  EXPECT_EQ(texts.find("m1"), std::nullopt);
  EXPECT_EQ(texts.find("m3"), std::nullopt);
  EXPECT_EQ(texts.find("m2"), "b");
  EXPECT_TRUE(texts.seen(mine, "o1", start));
}

TEST(recent_texts, the_oldest_makes_room) {
  recent_texts texts;
  for (int i = 0; i < 20; ++i) texts.add(mine, {{std::to_string(i)}}, std::to_string(i), start);
  EXPECT_EQ(texts.size(), recent_texts::max_messages);
  EXPECT_EQ(texts.find("3"), std::nullopt);
  EXPECT_EQ(texts.find("4"), "4");
  EXPECT_EQ(texts.find("19"), "19");
}

TEST(recent_texts, take_no_more_than_they_may) {
  recent_texts texts;
  const std::string id(128, 'i'), too_long(129, 'j');
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\U0001F44B";
  for (int i = 0; i < 100; ++i) {
    const auto before = texts.memory_used();
    const auto growth = texts.growth({{id}, {id}, {id, true}, {too_long}}, text);
    texts.add(mine, {{id}, {id}, {id, true}, {too_long}}, text, start);
    ASSERT_EQ(texts.memory_used(), before + growth);
    ASSERT_LE(texts.memory_used(), recent_texts::max_bytes);
  }
  EXPECT_EQ(texts.find(too_long), std::nullopt);
  EXPECT_TRUE(texts.find(id));
}

struct noted : testing::Test {
  byte_account memory{std::size_t{16} << 20};
  counting_ids ids;
  conversations talk{memory, ids};
};

TEST_F(noted, texts_are_charged_and_given_back) {
  auto& pair = talk.pair("a@x", "b@y", start);
  const auto before = memory.used();
  talk.note(pair, mine, {{"m1"}}, "Are you there?", start);
  EXPECT_EQ(memory.used(), before + pair.texts.memory_used());
  EXPECT_GT(memory.used(), before);
  talk.expire(start + std::chrono::hours(2));
  EXPECT_EQ(memory.used(), 0U);
}

TEST_F(noted, texts_take_no_more_than_the_quarter_of_all_conversations) {
  const std::string text(60, 'a');
  for (int i = 0; i < 5'000; ++i) {
    auto& pair = talk.pair("a@x", std::to_string(i), start);
    for (int n = 0; n < 16; ++n) talk.note(pair, mine, {{std::string(100, 'i')}}, text, start);
    ASSERT_LE(memory.used(), memory.limit() / 4);
    ASSERT_EQ(talk.find_pair("a@x", std::to_string(i), start), &pair);
  }
  EXPECT_GT(memory.used(), memory.limit() / 5);
}

}  // namespace
