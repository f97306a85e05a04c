#include "translate/typed_address.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace stox;
using translate::typed_address;

const translate::address_map addresses(std::vector<translate::domain_pair>{
    {"pbx.example", "sip.xmpp.example"}});

struct row {
  std::string typed;
  std::string jid;  ///< "! words" where it is refused
};

std::string outcome(const std::string& typed, const std::string& home = "sip.test") {
  const auto jid = typed_address(typed, home, addresses);
  if (jid) return jid->to_string();
  EXPECT_EQ(jid.error().condition, xmpp::condition::jid_malformed) << typed;
  EXPECT_EQ(jid.error().type, xmpp::error_type::modify) << typed;
  return "! " + jid.error().text;
}

TEST(typed_address, becomes_a_jid) {
  const std::vector<row> rows{
      // URIs
      {"sip:bob@sip.test", "bob@sip.test"},
      {"SIP:bob@SIP.test", "bob@sip.test"},
      {" sip:bob@sip.test;transport=tcp\n", "bob@sip.test"},
      {"sip:bob@sip.test;gr=desk", "bob@sip.test"},
      {"sip:bob@pbx.example", "bob@sip.xmpp.example"},
      {"sip:o%27hara@sip.test", "o\\27hara@sip.test"},
      {"sip:a%40b@sip.test", "a\\40b@sip.test"},
      {"im:bob@sip.test", "bob@sip.test"},
      // addresses
      {"bob@sip.test", "bob@sip.test"},
      {"Bob@Sip.Test", "bob@sip.test"},
      {"bob@other.example", "bob@other.example"},
      {"o'hara@sip.test", "o\\27hara@sip.test"},
      {"a@b@sip.test", "a\\40b@sip.test"},
      {"a%40b@sip.test", "a%40b@sip.test"},
      {"bob@b\xC3\xBC"
       "cher.example",
       "bob@b\xC3\xBC"
       "cher.example"},
      {"bob@pbx.example", "bob@sip.xmpp.example"},
      // users of the domain that was asked
      {"bob", "bob@sip.test"},
      {"Foo Bar", "foo\\20bar@sip.test"},
      {"1001", "1001@sip.test"},
      {"02071234567", "02071234567@sip.test"},
      // numbers
      {"+12125550101", "+12125550101@sip.test"},
      {"+1 (212) 555-0101", "+12125550101@sip.test"},
      {"+49 30/123.45", "+493012345@sip.test"},
      {"+1 212 555 0101@sip.test", "+12125550101@sip.test"},
      {"tel:+1-212-555-0101", "+12125550101@sip.test"},
      {"tel:+1 212 555 0101", "+12125550101@sip.test"},
      {"tel:863-1234;phone-context=+1-914-555", "8631234;phone-context=+1-914-555@sip.test"},
      {"sip:+1-212-555-0101@sip.test;user=phone", "+12125550101@sip.test"},
  };
  for (const auto& r : rows) EXPECT_EQ(outcome(r.typed), r.jid) << r.typed;
  EXPECT_EQ(outcome("+12125550101", "sip.xmpp.example"), "+12125550101@sip.xmpp.example");
  EXPECT_EQ(outcome("bob", "sip.xmpp.example"), "bob@sip.xmpp.example");
}

TEST(typed_address, that_means_nobody_is_refused_in_words) {
  const std::string malformed = "! This is no address; type one like bob@sip.example";
  const std::string local = "! Write the number with + and the country code";
  const std::string nobody = "! The address names no user";
  const std::string impossible = "! No XMPP address can stand for this one";
  const std::vector<row> rows{
      {"", "! No address was given"},
      {" \t\r\n", "! No address was given"},
      {std::string(1025, 'a'), "! The address is too long"},
      {"sips:bob@sip.test",
       "! sips: asks for a protected way to the end, which cannot be promised; try sip:"},
      {"mailto:bob@sip.test", "! Addresses begin with sip: or tel:, or look like bob@sip.example"},
      {"xmpp:bob@sip.test", "! Addresses begin with sip: or tel:, or look like bob@sip.example"},
      {"sip:sip.test", nobody},
      {"@sip.test", nobody},
      {"sip:@sip.test", malformed},
      {"bob@", malformed},
      {"bob@sip test", malformed},
      {"bob@sip.test:99999", malformed},
      {"\"Bob\" <sip:bob@sip.test>", malformed},
      {"bob\nX: y@sip.test", impossible},
      {std::string("bob\0x@sip.test", 14), impossible},
      {"sip:bob%0d%0aX%3a@sip.test", impossible},
      {"sip:bob%00@sip.test", impossible},
      {"bob@sip.xmpp.example", "! That is the XMPP name of a domain; type its SIP name"},
      {"030/12345", local},
      {"(212) 555-0101", local},
      {"tel:5550101", local},
      {"tel:bob", "! This is no telephone number"},
      {"tel:+", "! This is no telephone number"},
      {"tel:", "! This is no telephone number"},
  };
  for (const auto& r : rows) EXPECT_EQ(outcome(r.typed), r.jid) << r.typed;
}

}  // namespace
