// Names that look like another's: what the gateway makes of them (docs/decisions/0025).
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "xmpp/wire/jid.hpp"

namespace {

using namespace stox::xmpp;

std::string jid_of(const std::string& text) {
  const auto j = jid::parse(text);
  return j ? j->to_string() : "refused";
}

TEST(homographs, are_other_names_where_the_letters_are_others) {
  // Cyrillic a, Greek omicron, Latin small dotless i: no script is mixed up with another, none is refused.
  for (const std::string name : {"\xD0\xB0na",
                                 "b\xCE\xBF"
                                 "b",
                                 "b\xC4\xB1ll"}) {
    EXPECT_EQ(jid_of(name + "@x.test"), name + "@x.test");
    EXPECT_EQ(escape_local(name), name);
  }
}

TEST(homographs, are_one_name_on_xmpp_where_stringprep_makes_them_one) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"\xEF\xBD\x81na@x.test", "ana@x.test"},   // full-width a
      {"\xC2\xAAna@x.test", "ana@x.test"},       // feminine ordinal
      {"a\xE2\x80\x8Bna@x.test", "ana@x.test"},  // zero width space
      {"\xE2\x85\xB3na@x.test", "ivna@x.test"},  // Roman numeral four
      {"\xC7\x87una@x.test", "ljuna@x.test"},    // digraph lj
      {"an\xE2\x81\xBF@x.test", "ann@x.test"},   // superscript n
  };
  for (const auto& [in, out] : rows) EXPECT_EQ(jid_of(in), out) << in;
}

TEST(homographs, of_sip_users_never_take_the_jid_of_another) {
  // On SIP these are two users; the JID belongs to the one whose name it is.
  for (const std::string name : {"\xEF\xBD\x81na", "\xC2\xAAna", "a\xE2\x80\x8Bna", "a\xC2\xADna",
                                 "\xE2\x85\xB3na", "an\xE2\x81\xBF", "\xEF\xAC\x81ona",
                                 "\xC5\xBF"
                                 "am",
                                 "\xC5\x89"
                                 "a",
                                 "\xEF\xAC\x86x", "\xEF\xAC\x93x"})
    EXPECT_EQ(escape_local(name), std::nullopt) << name;
  // The same letter, written in two ways or in another case.
  EXPECT_NE(escape_local("e\xCC\x81lan"), std::nullopt);
  EXPECT_NE(escape_local("\xC3\x89lan"), std::nullopt);
  EXPECT_NE(escape_local("STRA\xC3\x9F"
                         "E"),
            std::nullopt);
  EXPECT_NE(escape_local("\xCE\xA3\xCE\xB9\xCF\x82"), std::nullopt);  // both sigmas
}

TEST(homographs, made_by_direction_and_by_what_shows_nothing_are_refused) {
  for (const std::string mark :
       {"\xE2\x80\xAE", "\xE2\x80\xAD", "\xE2\x80\xAA", "\xE2\x80\x8E",
        "\xE2\x80\x8F",                                                  // RLO LRO LRE LRM RLM
        "\xE2\x81\xA6", "\xE2\x81\xA7", "\xE2\x81\xA8", "\xE2\x81\xA9",  // LRI RLI FSI PDI
        "\xD8\x9C",                                                      // ALM
        "\xE2\x81\xA4", "\xE1\x85\x9F", "\xF3\xA0\x84\x80", "\xF3\xA0\x81\x81"}) {
    EXPECT_EQ(jid_of("an" + mark + "a@x.test"), "refused") << mark;
    EXPECT_EQ(jid_of("ana@x.test/de" + mark + "sk"), "refused") << mark;
  }
  EXPECT_EQ(jid_of("ana@x.te\xE2\x80\xAEst"), "refused");
  EXPECT_EQ(jid_of("a\xD7\x90@x.test"), "refused") << "mixed directions, RFC 3454 §6";
}

TEST(homographs, of_domains_keep_their_letters_and_are_shown_as_such_to_sip) {
  EXPECT_EQ(domain_to_ascii("x\xD0\xB0mpl\xD0\xB5.test").value(), "xn--xmpl-53d7a.test");
  EXPECT_EQ(jid_of("ana@\xEF\xBD\x98.test"), "ana@x.test");
}

}  // namespace
