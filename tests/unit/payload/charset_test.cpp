#include "payload/charset.hpp"

#include <gtest/gtest.h>

#include "payload/transfer_encoding.hpp"

namespace stox::payload {

TEST(charset, is_utf_8_where_none_is_named) {
  EXPECT_EQ(to_utf8("gr\xc3\xbc\xc3\x9f", ""), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(to_utf8("gr\xc3\xbc", "UTF8"), "gr\xc3\xbc");
  EXPECT_EQ(to_utf8("\xef\xbb\xbfhi", "utf-8"), "hi") << "a byte order mark is no text";
  EXPECT_FALSE(to_utf8("\xfc", "utf-8"));
}

TEST(charset, of_eight_bits_becomes_utf_8) {
  EXPECT_EQ(to_utf8("gr\xfc\xdf", "ISO-8859-1"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(to_utf8("plain", "us-ascii"), "plain");
  EXPECT_FALSE(to_utf8("gr\xfc", "us-ascii"));
}

TEST(charset, utf_16_follows_its_mark_or_is_big_endian) {
  using namespace std::string_view_literals;
  EXPECT_EQ(to_utf8("\xff\xfeh\0i\0"sv, "utf-16"), "hi");
  EXPECT_EQ(to_utf8("\xfe\xff\0h\0i"sv, "utf-16"), "hi");
  EXPECT_EQ(to_utf8("\0h\0i"sv, "utf-16"), "hi");
  EXPECT_EQ(to_utf8("h\0i\0"sv, "utf-16le"), "hi");
  EXPECT_EQ(to_utf8("\xd8\x3d\xde\x00"sv, "utf-16be"), "\xf0\x9f\x98\x80");
}

TEST(charset, refuses_broken_utf_16) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(to_utf8("\0h\0"sv, "utf-16"));
  EXPECT_FALSE(to_utf8("\xd8\x3d"sv, "utf-16be")) << "half a pair";
  EXPECT_FALSE(to_utf8("\xde\x00\xd8\x3d"sv, "utf-16be")) << "the wrong way round";
  EXPECT_FALSE(to_utf8("\xd8\x3d\0h"sv, "utf-16be"));
}

TEST(charset, that_is_not_known_is_said_so) {
  EXPECT_FALSE(is_known_charset("koi8-r"));
  EXPECT_FALSE(to_utf8("a", "koi8-r"));
  EXPECT_TRUE(is_known_charset("Latin1"));
}

TEST(transfer_encoding, base64_passes_over_what_is_not_its_alphabet) {
  EXPECT_EQ(decode_transfer("aGVs\r\nbG8=\r\n", "base64"), "hello");
  EXPECT_EQ(decode_transfer("aGVsbG8", "Base64 "), "hello");
  EXPECT_FALSE(decode_transfer("aGVsb", "base64")) << "six bits are no octet";
}

TEST(transfer_encoding, quoted_printable_undoes_escapes_and_soft_breaks) {
  EXPECT_EQ(decode_transfer("gr=C3=bc=\r\n=\nn", "quoted-printable"), "gr\xc3\xbcn");
  EXPECT_EQ(decode_transfer("a=  ", "quoted-printable"), "a");
  EXPECT_FALSE(decode_transfer("a=4", "quoted-printable"));
  EXPECT_FALSE(decode_transfer("a=zz", "quoted-printable"));
}

TEST(transfer_encoding, that_changes_nothing_or_is_unknown) {
  for (const auto* name : {"", "7bit", "8BIT", "binary"}) EXPECT_EQ(decode_transfer("a=41", name), "a=41");
  EXPECT_FALSE(decode_transfer("a", "x-uuencode"));
}

}  // namespace stox::payload
