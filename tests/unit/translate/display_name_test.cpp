#include "translate/display_name.hpp"

#include <gtest/gtest.h>

namespace stox::translate {

namespace {

TEST(display_name, ordinary_names_stay) {
  for (const auto* name :
       {"Ana", "Ana María \"Mia\" Müller", "Dr. B. O'Neill, jr.", "R2D2", "Room 12", "علي‌رضا",
        "क्‍ष", "👩‍🎤", "👩🏽‍🎤 Ana", "❤️", "1. FC"}) {
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

TEST(display_name, digits_of_no_script_are_a_name) {
  for (const auto* name :
       {"7", "42", "49\u20131573", "49\u20111573", "49\u00A01573", "\u00B9\u00B9\u2070", "\u0661\u0661\u0660",
        "1\u200D1\u200C0", "\U0001D7CF\U0001D7CF\U0001D7CE", "\u2460\u2460\u24EA", "\u2170\u2170",
        "1\uFE0F\u20E31\uFE0F\u20E3", "📞 110", "...", "\u2014"}) {
    EXPECT_EQ(safe_display_name(name), "") << name;
  }
}

TEST(display_name, nothing_hidden_stays) {
  for (const auto* hidden :
       {"\u115F", "\u1160",     "\u3164",     "\uFFA0",     "\u034F", "\u2061", "\u2064", "\u206A",
        "\u206F", "\U000E0001", "\U000E0041", "\U000E007F", "\u00AD", "\u061C", "\u200B", "\u200E",
        "\u202E", "\u2060",     "\u2069",     "\uFEFF",     "\uFFFC", "\uFE00", "\uFE0F"}) {
    EXPECT_EQ(safe_display_name("A" + std::string(hidden) + "na"), "Ana") << hidden;
    EXPECT_EQ(safe_display_name(hidden), "") << hidden;
  }
}

TEST(display_name, joiners_stand_between_what_they_join) {
  EXPECT_EQ(safe_display_name("\u200DAna\u200C"), "Ana");
  EXPECT_EQ(safe_display_name("Ana\u200D 1\u200D2"), "Ana 12");
  EXPECT_EQ(safe_display_name("A\u200D\u200D\u200Cb"), "A\u200Cb");
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
  EXPECT_EQ(safe_display_name("110" + std::string(61, '.') + "Ana"), "") << "what is left is no name";
  EXPECT_EQ(safe_display_name(std::string(100'000, 'a')), std::string(64, 'a'));
}

}  // namespace

}  // namespace stox::translate
