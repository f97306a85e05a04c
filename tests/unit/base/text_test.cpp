#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace stox;
using testing::ElementsAre;

TEST(text, folds_ascii_letters_and_nothing_else) {
  EXPECT_EQ(text::to_lower("AZ az @[`{ \xC3\x84"), "az az @[`{ \xC3\x84");
  EXPECT_TRUE(text::iequals("Call-ID", "cALL-id"));
  EXPECT_FALSE(text::iequals("Call-ID", "Call-I"));
  EXPECT_FALSE(text::iequals("a@b", "a`b"));
  EXPECT_FALSE(text::iequals("\xC3\x84", "\xC3\xA4"));
  EXPECT_TRUE(text::istarts_with("SIPS:a@b", "sips:"));
  EXPECT_FALSE(text::istarts_with("sip", "sips"));
  EXPECT_TRUE(text::istarts_with("x", ""));
}

TEST(text, trims_blanks_and_line_ends_on_both_sides) {
  EXPECT_EQ(text::trim(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(text::trim(" \t"), "");
  EXPECT_EQ(text::trim(""), "");
  EXPECT_EQ(text::trim("\va\v"), "\va\v");
}

TEST(text, reads_whole_numbers_within_the_limit_only) {
  EXPECT_EQ(text::to_number("0"), 0U);
  EXPECT_EQ(text::to_number("007"), 7U);
  EXPECT_EQ(text::to_number("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(text::to_number("65535", 65535), 65535U);
  for (const char* bad : {"", " 1", "1 ", "+1", "-1", "0x1", "1a", "1.0", "18446744073709551616"}) {
    EXPECT_EQ(text::to_number(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(text::to_number("65536", 65535), std::nullopt);
}

TEST(text, splits_at_every_separator_and_keeps_empty_parts) {
  EXPECT_THAT(text::split("a,b,,c", ','), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(text::split(",", ','), ElementsAre("", ""));
  EXPECT_THAT(text::split("", ','), ElementsAre(""));
}

TEST(text, tells_utf8_from_what_only_looks_like_it) {
  for (const char* good : {"", "abc", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                           "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
                           "a\xE2\x82\xAC"
                           "b"}) {
    EXPECT_TRUE(text::is_utf8(good)) << testing::PrintToString(good);
  }
  for (const char* bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2",
                          "\xC2"
                          "a",
                          "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xE2\x82",
                          "\xE2\x82"
                          "a",
                          "\xE2\x28\xA1", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF0\x90\x80",
                          "\xF5\x80\x80\x80", "\xFE", "\xFF"}) {
    EXPECT_FALSE(text::is_utf8(bad)) << testing::PrintToString(bad);
  }
  EXPECT_TRUE(text::is_utf8(std::string_view("\0", 1)));
}

// The rule of RFC 3629 §3 by decoding, for comparison: shortest form, no surrogate, at most U+10FFFF.
bool decodes(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    const auto lead = static_cast<unsigned char>(s[i]);
    const std::size_t n = lead < 0x80   ? 1
                          : lead < 0xC0 ? 0
                          : lead < 0xE0 ? 2
                          : lead < 0xF0 ? 3
                          : lead < 0xF8 ? 4
                                        : 0;
    if (n == 0 || i + n > s.size()) return false;
    unsigned value = n == 1 ? lead : lead & (0x7FU >> n);
    for (std::size_t k = 1; k < n; ++k) {
      const auto byte = static_cast<unsigned char>(s[i + k]);
      if ((byte & 0xC0U) != 0x80U) return false;
      value = value << 6U | (byte & 0x3FU);
    }
    const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[n] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
    i += n;
  }
  return true;
}

TEST(text, agrees_with_a_decoder_on_every_sequence_of_up_to_three_bytes) {
  // Only the edges of each class of bytes can matter.
  std::vector<char> edges;
  for (const int b : {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0,
                      0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFE, 0xFF}) {
    edges.push_back(static_cast<char>(b));
  }
  for (const char a : edges) {
    for (const char b : edges) {
      for (const char c : edges) {
        for (const char d : edges) {
          const char all[] = {a, b, c, d};
          for (std::size_t n = 1; n <= 4; ++n) {
            const std::string_view s(all, n);
            ASSERT_EQ(text::is_utf8(s), decodes(s)) << testing::PrintToString(std::string(s));
          }
        }
      }
    }
  }
}

TEST(text, cuts_before_a_utf8_sequence_not_in_it) {
  constexpr std::string_view s =
      "a\xE2\x82\xAC"
      "b";  // a, euro sign, b
  EXPECT_EQ(text::utf8_prefix(s, 0), "");
  EXPECT_EQ(text::utf8_prefix(s, 1), "a");
  EXPECT_EQ(text::utf8_prefix(s, 2), "a");
  EXPECT_EQ(text::utf8_prefix(s, 3), "a");
  EXPECT_EQ(text::utf8_prefix(s, 4), "a\xE2\x82\xAC");
  EXPECT_EQ(text::utf8_prefix(s, 5), s);
  EXPECT_EQ(text::utf8_prefix(s, 99), s);
  EXPECT_EQ(text::utf8_prefix("\x80\x80\x80", 2), "");
}

TEST(text, decodes_percent_escapes_once_and_refuses_broken_ones) {
  EXPECT_EQ(text::percent_decode("a%40b"), "a@b");
  EXPECT_EQ(text::percent_decode("%2540"), "%40");
  EXPECT_EQ(text::percent_decode("%c3%A9"), "\xC3\xA9");
  EXPECT_EQ(text::percent_decode("%00"), std::string(1, '\0'));
  EXPECT_EQ(text::percent_decode(""), "");
  EXPECT_EQ(text::percent_decode("x%41"), "xA");
  for (const char* bad : {"%", "%4", "a%4", "%4g", "%g4", "%%41", "% 1"}) {
    EXPECT_EQ(text::percent_decode(bad), std::nullopt) << bad;
  }
}

TEST(text, encodes_what_is_not_kept_with_upper_case_digits) {
  std::string out = "<";
  text::percent_encode(out, "a b/\xC3\xA9\n", text::is_alnum);
  EXPECT_EQ(out, "<a%20b%2F%C3%A9%0A");
}

TEST(text, any_bytes_survive_encoding_and_decoding) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  std::string encoded;
  text::percent_encode(encoded, all, text::is_digit);
  EXPECT_EQ(text::percent_decode(encoded), all);
}

TEST(text, suggests_the_nearest_name_but_not_a_strange_one) {
  const std::vector<std::string_view> names = {"listen", "advertise", "outbound_proxy", "trusted_peers"};
  EXPECT_EQ(text::nearest("lisen", names), "listen");
  EXPECT_EQ(text::nearest("outbound-proxy", names), "outbound_proxy");
  EXPECT_EQ(text::nearest("trustedpeer", names), "trusted_peers");
  EXPECT_EQ(text::nearest("colour", names), std::nullopt);
  EXPECT_EQ(text::nearest("x", {}), std::nullopt);
}

TEST(text, has_a_short_hash_that_is_the_same_in_every_run) {
  EXPECT_EQ(text::short_hash(""), "811c9dc5");
  EXPECT_EQ(text::short_hash("a"), "e40c292c");
  EXPECT_EQ(text::short_hash("foobar"), "bf9cf968");
}

}  // namespace
