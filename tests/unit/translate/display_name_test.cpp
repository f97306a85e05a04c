#include "translate/display_name.hpp"

#include <gtest/gtest.h>

namespace stox::translate {

namespace {

TEST(display_name, ordinary_names_stay) {
  for (const auto* name : {"Ana", "Ana María \"Mia\" Müller", "Dr. B. O'Neill, jr.", "R2D2", "7", "42",
                           "Room 12", "علي‌رضا", "👩‍🎤"}) {
    EXPECT_EQ(safe_display_name(name), name);
  }
}

TEST(display_name, addresses_and_numbers_are_none) {
  for (const auto* name : {"bo@sip.test", "Boss (bo@sip.test)", "bo＠sip.test", "bo﹫sip.test", "sip:bo",
                           " SIPS:bo", "tel:+49", "xmpp:a", "https://sip.test", "110", "+49 30 123",
                           "(030) 12-34/5", "\uFF11\uFF11\uFF10", "1\u200B10", "*100#", "b\u200Bo@x"}) {
    EXPECT_EQ(safe_display_name(name), "") << name;
  }
}

TEST(display_name, is_one_line_that_turns_nothing) {
  EXPECT_EQ(safe_display_name("\u202EAna\r\nTo: b\u2066\u200B \u2069 c"), "Ana To: b c");
  EXPECT_EQ(safe_display_name("\u202E\u200B"), "");
  EXPECT_EQ(safe_display_name(" \t"), "");
  EXPECT_EQ(safe_display_name("a\xFFz"), "a\uFFFDz");
}

TEST(display_name, is_cut_between_characters) {
  std::string umlauts;
  for (int i = 0; i < 40; ++i) umlauts += "ü";
  EXPECT_EQ(safe_display_name("a" + umlauts), "a" + umlauts.substr(0, 62));
  EXPECT_EQ(safe_display_name(std::string(100'000, 'a')), std::string(64, 'a'));
}

}  // namespace

}  // namespace stox::translate
