#include "xmpp/wire/jid.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace {

using stox::xmpp::domain_to_ascii;
using stox::xmpp::domain_to_unicode;
using stox::xmpp::escape_local;
using stox::xmpp::is_plain_domain;
using stox::xmpp::jid;
using stox::xmpp::jid_errc;
using stox::xmpp::unescape_local;

std::string prepared(std::string_view text) {
  const auto j = jid::parse(text);
  return j ? j->to_string() : j.error().to_string();
}

std::error_code refusal(std::string_view text) {
  const auto j = jid::parse(text);
  return j ? std::error_code() : j.error().code;
}

TEST(jid, splits_at_the_first_slash_and_then_the_first_at_sign) {
  const auto j = jid::parse("ana@xmpp.test/desk/2@home");
  ASSERT_TRUE(j);
  EXPECT_EQ(*j, (jid{"ana", "xmpp.test", "desk/2@home"}));
  EXPECT_EQ(j->bare().to_string(), "ana@xmpp.test");
  EXPECT_FALSE(j->is_bare());
  EXPECT_EQ(prepared("xmpp.test/a@b"), "xmpp.test/a@b");
  EXPECT_EQ(*jid::parse("xmpp.test"), (jid{"", "xmpp.test", ""}));
}

TEST(jid, prepares_each_part_by_its_own_rules) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"Ana@XMPP.Test/Desk", "ana@xmpp.test/Desk"},
      {"a!#$%()*+,-.;=?[\\]^_`{|}~@x.test", "a!#$%()*+,-.;=?[\\]^_`{|}~@x.test"},
      {"ana@xmpp.test.", "ana@xmpp.test"},
      {"x.test/ two words ", "x.test/ two words "},
      {"\xC3\x84nne@x.test", "\xC3\xA4nne@x.test"},  // Änne
      {"stra\xC3\x9F"
       "e@x.test",
       "strasse@x.test"},                             // sharp s folds to ss in Nodeprep
      {"\xEF\xBC\xA1na@x.test", "ana@x.test"},        // full-width A
      {"ana@x.test/\xEF\xBC\xA1", "ana@x.test/A"},    // width but not case in a resource
      {"e\xCC\x81lan@x.test", "\xC3\xA9lan@x.test"},  // combining acute composes
      {"a\xC2\xAD"
       "b@x.test",
       "ab@x.test"},                                                   // soft hyphen maps to nothing
      {"ana@x.test/\xF0\x9F\x98\x80", "ana@x.test/\xF0\x9F\x98\x80"},  // emoji: unassigned in Unicode 3.2
      {"\xD7\x90\xD7\x91@x.test", "\xD7\x90\xD7\x91@x.test"},          // Hebrew, right to left throughout
      {"ana@B\xC3\x9C"
       "CHER.example",
       "ana@b\xC3\xBC"
       "cher.example"},
      {"ana@xn--bcher-kva.example",
       "ana@b\xC3\xBC"
       "cher.example"},
      {"ana@XN--BCHER-KVA.example.",
       "ana@b\xC3\xBC"
       "cher.example"},
      {"ana@fa\xC3\x9F.example", "ana@fa\xC3\x9F.example"},  // non-transitional: sharp s stays
      {"ana@a\xE3\x80\x82test", "ana@a.test"},               // ideographic full stop
      {"ana@r3---sn.example", "ana@r3---sn.example"},
      {"ana@192.0.2.1", "ana@192.0.2.1"},
      {"ana@[2001:DB8:0:0::1]/r", "ana@[2001:db8::1]/r"},
      {"localhost", "localhost"},
  };
  for (const auto& [in, out] : table) EXPECT_EQ(prepared(in), out) << in;
}

TEST(jid, refuses_what_is_no_address_and_says_which_part) {
  const std::vector<std::pair<std::string, jid_errc>> table{
      {"", jid_errc::empty_part},
      {".", jid_errc::empty_part},
      {"@x.test", jid_errc::empty_part},
      {"ana@", jid_errc::empty_part},
      {"ana@/r", jid_errc::empty_part},
      {"/r", jid_errc::empty_part},
      {"x.test/", jid_errc::empty_part},
      {"\xC2\xAD@x.test", jid_errc::empty_part},
      {"a b@x.test", jid_errc::bad_local},
      {"a\"b@x.test", jid_errc::bad_local},
      {"a&b@x.test", jid_errc::bad_local},
      {"a'b@x.test", jid_errc::bad_local},
      {"a:b@x.test", jid_errc::bad_local},
      {"a<b@x.test", jid_errc::bad_local},
      {"a>b@x.test", jid_errc::bad_local},
      {"a\x01@x.test", jid_errc::bad_local},
      {"a\x7F@x.test", jid_errc::bad_local},
      {std::string("a\0b@x.test", 10), jid_errc::bad_local},
      {"a\xFF@x.test", jid_errc::bad_local},
      {"a\xED\xA0\x80@x.test", jid_errc::bad_local},  // a surrogate
      {"a\xEF\xBC\xA0"
       "b@x.test",
       jid_errc::bad_local},  // full-width at-sign becomes "@"
      {"a\xC2\xA0"
       "b@x.test",
       jid_errc::bad_local},                          // no-break space
      {"a\xEF\xBF\xBF@x.test", jid_errc::bad_local},  // U+FFFF
      {"a\xEE\x80\x80@x.test", jid_errc::bad_local},  // private use
      {"a\xD7\x90@x.test", jid_errc::bad_local},      // mixes directions
      {"x.test/a\nb", jid_errc::bad_resource},
      {"x.test/\xC2\x85\xC3\xA9", jid_errc::bad_resource},  // a C1 control
      {"x.test/\xC3", jid_errc::bad_resource},
      {"ana@x..test", jid_errc::bad_domain},
      {"ana@x.test..", jid_errc::bad_domain},
      {"ana@.test", jid_errc::bad_domain},
      {"ana@-x.test", jid_errc::bad_domain},
      {"ana@x-.test", jid_errc::bad_domain},
      {"ana@x_y.test", jid_errc::bad_domain},
      {"ana@x y.test", jid_errc::bad_domain},
      {"ana@x.test:5222", jid_errc::bad_domain},
      {"a@b@x.test", jid_errc::bad_domain},
      {"ana@2001:db8::1", jid_errc::bad_domain},
      {"ana@[2001:db8::1", jid_errc::bad_domain},
      {"ana@[fe80::1%25eth0]", jid_errc::bad_domain},
      {"ana@[x.test]", jid_errc::bad_domain},
      {"ana@[192.0.2.1]", jid_errc::bad_domain},
      {"ana@xn--a.test", jid_errc::bad_domain},  // no Punycode
      {"ana@xn--bcher-KV\xC3\xA4.test", jid_errc::bad_domain},
      {"ana@b\xC3\xBC\xE2\x84\x80.test", jid_errc::bad_domain},  // a/c, would bring a slash in
      {"ana@b\xC3\xBC.test\xE3\x80\x82", jid_errc::bad_domain},
      {"ana@b\xFC.test", jid_errc::bad_domain},
  };
  for (const auto& [in, code] : table) EXPECT_EQ(refusal(in), make_error_code(code)) << in;
}

TEST(jid, allows_1023_octets_in_a_part_and_no_more) {
  const std::string most(1023, 'a');
  EXPECT_EQ(prepared(most + "@x.test/" + most), most + "@x.test/" + most);
  EXPECT_EQ(refusal(most + "a@x.test"), make_error_code(jid_errc::too_long));
  EXPECT_EQ(refusal("x.test/a" + most), make_error_code(jid_errc::too_long));
  std::string wide;
  for (int i = 0; i < 511; ++i) wide += "\xC3\xA9";
  EXPECT_EQ(prepared(wide + "a@x.test/" + wide + "a"), wide + "a@x.test/" + wide + "a");
  EXPECT_EQ(refusal(wide + "\xC3\xA9@x.test"), make_error_code(jid_errc::too_long));
  EXPECT_EQ(refusal("x.test/" + wide + "\xC3\xA9"), make_error_code(jid_errc::too_long));
  // Counted after preparation: 1023 full-width letters are 1023 octets.
  std::string full_width;
  for (int i = 0; i < 1023; ++i) full_width += "\xEF\xBC\xA1";
  EXPECT_EQ(prepared(full_width + "@x.test"), most + "@x.test");
  // One character that normalises to eighteen.
  std::string growing;
  for (int i = 0; i < 300; ++i) growing += "\xEF\xB7\xBA";
  EXPECT_EQ(refusal("x.test/" + growing), make_error_code(jid_errc::too_long));
}

TEST(jid, holds_domains_to_the_lengths_of_the_dns) {
  const std::string label(63, 'a');
  const std::string name = label + "." + label + "." + label + "." + std::string(61, 'b');
  ASSERT_EQ(name.size(), 253U);
  EXPECT_EQ(prepared(name), name);
  EXPECT_EQ(prepared(name + "."), name);
  EXPECT_EQ(refusal(name + "b"), make_error_code(jid_errc::too_long));
  EXPECT_EQ(refusal(label + "a.test"), make_error_code(jid_errc::too_long));
  EXPECT_EQ(refusal(std::string(2000, 'a') + ".test"), make_error_code(jid_errc::too_long));
}

TEST(jid, names_errors_with_room_and_value) {
  EXPECT_EQ(prepared("@x.test"), "xmpp.jid/empty_part: no localpart before the at-sign");
}

TEST(jid, is_built_from_parts_that_may_hold_the_separators) {
  const auto j = jid::make("Ana", "X.test", "a/b@c");
  ASSERT_TRUE(j);
  EXPECT_EQ(j->to_string(), "ana@x.test/a/b@c");
  EXPECT_EQ(jid::make("a/b", "x.test").error().code, make_error_code(jid_errc::bad_local));
  EXPECT_EQ(jid::make("a", "").error().code, make_error_code(jid_errc::empty_part));
}

/// Random text from pieces that stringprep, IDNA and the escapes care about.
std::string random_text(std::mt19937& random, std::size_t most) {
  static const std::vector<std::string> pieces{"a",
                                               "B",
                                               "c",
                                               "2",
                                               "7",
                                               "f",
                                               "F",
                                               "5c",
                                               "20",
                                               "27",
                                               "\\",
                                               " ",
                                               "\"",
                                               "&",
                                               "'",
                                               "/",
                                               ":",
                                               "<",
                                               ">",
                                               "@",
                                               ".",
                                               "-",
                                               "xn--",
                                               "\xC3\x9F",
                                               "\xC3\x84",
                                               "\xCC\x81",
                                               "\xCC\xA7",
                                               "\xC2\xAD",
                                               "\xEF\xBC\xBC",
                                               "\xEF\xBC\x92",
                                               "\xEF\xBC\xA6",
                                               "\xEF\xB9\xA8",
                                               "\xD7\x90",
                                               "\xCD\x85",
                                               "\xE1\xBE\xB3",
                                               "\xE3\x80\x82",
                                               "\xE2\x84\xAA",
                                               "\xF0\x9F\x98\x80",
                                               "\xC4\xB0",
                                               "\xE1\xBA\x9E"};
  std::string out;
  for (std::size_t n = random() % (most + 1); n > 0; --n) out += pieces[random() % pieces.size()];
  return out;
}

TEST(jid, prepared_text_is_a_fixed_point) {
  std::mt19937 random(7);
  int good = 0;
  for (int i = 0; i < 60'000; ++i) {
    const auto text =
        random_text(random, 5) + "@" + random_text(random, 3) + "test/" + random_text(random, 4);
    const auto once = jid::parse(text);
    if (!once) continue;
    ++good;
    const auto twice = jid::parse(once->to_string());
    ASSERT_TRUE(twice) << text;
    ASSERT_EQ(*twice, *once) << text;
  }
  EXPECT_GT(good, 1000);
}

TEST(jid_domain, goes_to_a_labels_and_back) {
  EXPECT_EQ(*domain_to_ascii("B\xC3\xBC"
                             "cher.example."),
            "xn--bcher-kva.example");
  EXPECT_EQ(*domain_to_ascii("xn--bcher-kva.example"), "xn--bcher-kva.example");
  EXPECT_EQ(*domain_to_unicode("XN--bcher-kva.Example"),
            "b\xC3\xBC"
            "cher.example");
  EXPECT_EQ(*domain_to_ascii("Example.COM"), "example.com");
  EXPECT_EQ(*domain_to_ascii("[2001:DB8::1]"), "[2001:db8::1]");
  EXPECT_EQ(*domain_to_unicode("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(domain_to_ascii("").error().code, make_error_code(jid_errc::empty_part));
  EXPECT_EQ(domain_to_unicode("a b").error().code, make_error_code(jid_errc::bad_domain));
  // 58 letters of two octets each do not fit a label of 63 octets in Punycode.
  std::string label;
  for (int i = 0; i < 58; ++i) label += i % 2 == 0 ? "\xC3\xA9" : "\xD1\x8F";
  EXPECT_EQ(domain_to_ascii(label + ".test").error().code, make_error_code(jid_errc::too_long));
}

TEST(jid_domain, that_is_plain_is_what_the_long_way_makes_of_it) {
  for (const char* name : {"a", "example.com", "r3---sn.example", "3com.example", "1.2.3.a4", "a-b.c"}) {
    EXPECT_TRUE(is_plain_domain(name)) << name;
    // In upper case it is not plain, so ICU prepares it.
    std::string upper(name);
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_FALSE(is_plain_domain(upper)) << name;
    EXPECT_EQ(domain_to_ascii(upper).value(), name);
    EXPECT_EQ(domain_to_unicode(upper).value(), name);
  }
  const std::string long_label(64, 'a');
  std::string long_name = "a";
  while (long_name.size() < 254) long_name += ".a";
  for (const std::string& name :
       {std::string(), std::string("."), std::string("a."), std::string(".a"), std::string("a..b"),
        std::string("Example.com"), std::string("-a.b"), std::string("a-.b"), std::string("a_b.c"),
        std::string("192.0.2.1"), std::string("a.1"), std::string("xn--bcher-kva.example"),
        std::string("b\xc3\xbc"
                    "cher.example"),
        std::string("[::1]"), std::string("a b"), long_label, long_name})
    EXPECT_FALSE(is_plain_domain(name)) << name;
}

TEST(xep_0106, agrees_with_the_examples_of_the_specification) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"space cadet", "space\\20cadet"},
      {"call me \"ishmael\"", "call\\20me\\20\\22ishmael\\22"},
      {"at&t guy", "at\\26t\\20guy"},
      {"d'artagnan", "d\\27artagnan"},
      {"/.fanboy", "\\2f.fanboy"},
      {"::foo::", "\\3a\\3afoo\\3a\\3a"},
      {"<foo>", "\\3cfoo\\3e"},
      {"user@host", "user\\40host"},
      {"c:\\net", "c\\3a\\net"},
      {"c:\\\\net", "c\\3a\\\\net"},
      {"c:\\cool stuff", "c\\3a\\cool\\20stuff"},
      {"c:\\5commas", "c\\3a\\5c5commas"},
      {"here's_a_wild_&_/cr%zy/_address", "here\\27s_a_wild_\\26_\\2fcr%zy\\2f_address"},
      {"\\3and\\2is\\5cool", "\\5c3and\\2is\\5c5cool"},
      {"\\2plus\\2is\\4", "\\2plus\\2is\\4"},
      {"foo\\bar", "foo\\bar"},
      {"", ""},
      {"\\", "\\"},
      {"a\\2", "a\\2"},
      {"\\20", "\\5c20"},
      {"\\5c", "\\5c5c"},
      {"tr\xC3\xA9ville@musketeers.lit", "tr\xC3\xA9ville\\40musketeers.lit"},
  };
  for (const auto& [plain, escaped] : table) {
    EXPECT_EQ(escape_local(plain), escaped) << plain;
    EXPECT_EQ(unescape_local(escaped), plain) << escaped;
  }
}

TEST(xep_0106, unescapes_the_ten_codes_in_lower_case_and_nothing_else) {
  EXPECT_EQ(unescape_local("\\20\\22\\26\\27\\2f\\3a\\3c\\3e\\40\\5c"), " \"&'/:<>@\\");
  EXPECT_EQ(unescape_local("\\2F\\3A\\5C\\21\\00\\41\\7f"), "\\2F\\3A\\5C\\21\\00\\41\\7f");
  EXPECT_EQ(unescape_local("\\5c27"), "\\27");
  EXPECT_EQ(unescape_local("a\\2"), "a\\2");
}

TEST(xep_0106, refuses_a_blank_at_either_end) {
  EXPECT_EQ(escape_local(" a"), std::nullopt);
  EXPECT_EQ(escape_local("a "), std::nullopt);
  EXPECT_EQ(escape_local(" "), std::nullopt);
  EXPECT_EQ(escape_local("\xC2\xAD a\xC3\xA9"), std::nullopt) << "the soft hyphen vanishes";
}

TEST(xep_0106, escapes_a_backslash_that_case_folding_would_turn_into_a_code) {
  EXPECT_EQ(escape_local("a\\2Fb"), "a\\5c2Fb");
  EXPECT_EQ(unescape_local(jid::make(*escape_local("a\\2Fb"), "x.test")->local), "a\\2fb");
}

TEST(xep_0106, refuses_text_whose_normal_form_makes_or_breaks_a_code) {
  EXPECT_EQ(escape_local("a\xEF\xBC\xBC"
                         "27b"),
            std::nullopt)
      << "full-width backslash";
  EXPECT_EQ(escape_local("a\\\xEF\xBC\x92"
                         "7b"),
            std::nullopt)
      << "full-width digit";
  EXPECT_EQ(escape_local("a\\2\xC2\xAD"
                         "7b"),
            std::nullopt)
      << "soft hyphen inside";
  EXPECT_EQ(escape_local("a<\xCC\xA7"), std::nullopt) << "the c of \\3c takes a cedilla";
}

TEST(xep_0106, escaping_is_undone_by_unescaping_and_two_texts_never_share_a_localpart) {
  std::mt19937 random(11);
  std::map<std::string, std::string> owner;  // localpart -> prepared plain text
  int made = 0;
  for (int i = 0; i < 60'000; ++i) {
    const auto plain = random_text(random, 6);
    const auto escaped = escape_local(plain);
    if (!escaped) continue;
    ASSERT_EQ(unescape_local(*escaped), plain);
    const auto j = jid::make(*escaped, "x.test");
    if (!j || j->local.empty()) continue;
    ++made;
    // What comes back is a fixed point: it leads to the same address again.
    const auto back = unescape_local(j->local);
    const auto again = escape_local(back);
    ASSERT_TRUE(again) << plain;
    ASSERT_EQ(jid::make(*again, "x.test")->local, j->local) << plain;
    const auto [at, fresh] = owner.emplace(j->local, back);
    ASSERT_TRUE(fresh || at->second == back) << plain;
  }
  EXPECT_GT(made, 5000);
}

}  // namespace
