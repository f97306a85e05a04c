#include "gateway/lock.hpp"

#include <gtest/gtest.h>

#include "gateway/timer_keys.hpp"

using namespace stox;
using namespace stox::gateway;
using xmpp::chat_state;

namespace {

const steady_time start{std::chrono::hours(1)};

xmpp::message from(const std::string& resource, const std::string& thread = {}) {
  xmpp::message m;
  m.type = xmpp::message_type::chat;
  m.from = xmpp::jid{"ana", "xmpp.test", resource};
  m.to = xmpp::jid{"bo", "sip.test", {}};
  if (!thread.empty()) m.thread = thread;
  return m;
}

struct lock_test : testing::Test {
  std::string after(chat_state s, const std::string& resource) {
    auto& pair = talk.pair("ana@xmpp.test", "bo@sip.test", start);
    pair.locked.speaks("desk", start);
    follow_state(from(resource), s, talk, start);
    return pair.locked.at(start);
  }
  byte_account memory{std::size_t{16} << 20};
  counting_ids ids;
  conversations talk{memory, ids};
};

TEST_F(lock_test, the_resource_itself_stays_until_it_leaves) {
  EXPECT_EQ(after(chat_state::composing, "desk"), "desk");
  EXPECT_EQ(after(chat_state::paused, "desk"), "desk");
  EXPECT_EQ(after(chat_state::active, "desk"), "desk");
  EXPECT_EQ(after(chat_state::inactive, "desk"), "");
  EXPECT_EQ(after(chat_state::gone, "desk"), "");
}

TEST_F(lock_test, another_resource_takes_over_by_typing_and_unlocks_by_looking) {
  EXPECT_EQ(after(chat_state::composing, "phone"), "phone");
  EXPECT_EQ(after(chat_state::active, "phone"), "");
  EXPECT_EQ(after(chat_state::paused, "phone"), "");
  EXPECT_EQ(after(chat_state::inactive, "phone"), "desk");
  EXPECT_EQ(after(chat_state::gone, "phone"), "desk");
}

TEST_F(lock_test, gone_ends_the_lock_of_its_thread_too) {
  talk.pair("ana@xmpp.test", "bo@sip.test", start).locked.speaks("desk", start);
  auto& thread =
      talk.keep_thread("ana@xmpp.test", "bo@sip.test", "t1", conversations::new_thread("t1", ids), start);
  thread.locked.speaks("desk", start);
  follow_state(from("desk", "t1"), chat_state::gone, talk, start);
  EXPECT_EQ(thread.locked.at(start), "");
}

TEST_F(lock_test, a_state_without_a_conversation_makes_none) {
  follow_state(from("desk"), chat_state::composing, talk, start);
  EXPECT_EQ(talk.size(), 0U);
}

TEST_F(lock_test, only_an_error_of_the_locked_resource_ends_it) {
  auto& pair = talk.pair("ana@xmpp.test", "bo@sip.test", start);
  pair.locked.speaks("desk", start);
  auto error = from("phone");
  error.type = xmpp::message_type::error;
  error.error = xmpp::stanza_error{};
  follow_error(error, talk, start);
  EXPECT_EQ(pair.locked.at(start), "desk");
  error.from.resource = "desk";
  error.error->type = xmpp::error_type::continue_;
  follow_error(error, talk, start);
  EXPECT_EQ(pair.locked.at(start), "desk") << "a warning";
  error.error->type = xmpp::error_type::cancel;
  follow_error(error, talk, start);
  EXPECT_EQ(pair.locked.at(start), "");
}

TEST_F(lock_test, a_device_is_meant_by_name_or_for_15_minutes_after_it_spoke) {
  auto& pair = talk.pair("ana@xmpp.test", "bo@sip.test", start);
  const xmpp::jid user{"bo", "sip.test", {}}, device{"bo", "sip.test", "desk"};
  EXPECT_EQ(device_for(user, nullptr, start), "");
  EXPECT_EQ(device_for(user, &pair, start), "");
  pair.sip_gr = "desk%20phone";
  EXPECT_EQ(device_for(user, &pair, start), "") << "what spoke last showed none";
  pair.device_spoke = start;
  EXPECT_EQ(device_for(user, &pair, start + lock_lasts - std::chrono::seconds(1)), "desk phone");
  EXPECT_EQ(device_for(user, &pair, start + lock_lasts), "");
  EXPECT_EQ(device_for(device, &pair, start), "desk");
}

TEST(timer_keys, name_their_owner_and_its_number) {
  for (const auto s : {timer_space::pager_to_xmpp, timer_space::typing_to_sip, timer_space::typing_to_xmpp}) {
    EXPECT_EQ(space_of(key_in(s, 77)), s);
    EXPECT_EQ(number_of(key_in(s, 77)), 77U);
  }
}

}  // namespace
