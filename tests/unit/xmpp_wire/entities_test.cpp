// What entities say of themselves, beside disco: vCards, time, the prompt of a gateway.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "xml/reader.hpp"
#include "xmpp/wire/stream.hpp"
#include "xmpp/wire/xep/entity_time.hpp"
#include "xmpp/wire/xep/prompt.hpp"
#include "xmpp/wire/xep/vcard.hpp"

namespace {

using namespace stox;
using namespace stox::xmpp;

xml::element element_of(const std::string& text) {
  const auto e = xml::parse(text, {}, component_ns);
  EXPECT_TRUE(e) << text;
  return e ? *e : xml::element();
}

TEST(entity_time, is_utc_in_whole_seconds) {
  using namespace std::chrono;
  const std::vector<std::pair<wall_time, std::string>> rows{
      {wall_time(seconds(0)), "1970-01-01T00:00:00Z"},
      {wall_time(seconds(1'166'551'115)), "2006-12-19T17:58:35Z"},  // XEP-0202, example 2
      {wall_time(seconds(951'782'399) + milliseconds(999)), "2000-02-28T23:59:59Z"},
      {wall_time(seconds(951'782'400)), "2000-02-29T00:00:00Z"},
      {wall_time(-seconds(1)), "1969-12-31T23:59:59Z"},  // a clock that was never set
  };
  for (const auto& [when, text] : rows) {
    const auto e = entity_time::write(when);
    EXPECT_EQ(e.child("utc", entity_time::ns)->text(), text);
    EXPECT_EQ(e.child("tzo", entity_time::ns)->text(), "+00:00");
  }
}

TEST(vcard, is_asked_for_in_three_forms) {
  const std::string pubsub = "<pubsub xmlns='http://jabber.org/protocol/pubsub'>";
  const std::vector<std::pair<std::string, std::optional<vcard::form>>> rows{
      {"<vCard xmlns='vcard-temp'/>", vcard::form::temp},
      {"<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>", vcard::form::v4},
      {pubsub + "<items node='urn:xmpp:vcard4'/></pubsub>", vcard::form::pep},
      {pubsub + "<publish node='urn:xmpp:vcard4'><item/></publish></pubsub>", vcard::form::pep},
      {pubsub + "<items node='urn:xmpp:avatar:data'/></pubsub>", std::nullopt},
      {pubsub + "<items/></pubsub>", std::nullopt},
      {pubsub + "</pubsub>", std::nullopt},
      {"<vcard xmlns='vcard-temp'/>", std::nullopt},
      {"<ping xmlns='urn:xmpp:ping'/>", std::nullopt},
  };
  for (const auto& [text, form] : rows) EXPECT_EQ(vcard::form_of(element_of(text)), form) << text;
}

TEST(vcard, is_written_in_the_form_asked_for) {
  const vcard::card c{"bo@sip.test", "bo@x.test", "xmpp:bo@x.test", "sip:bo@sip.test", true};
  const std::string v4 =
      "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>bo@sip.test</text></fn>"
      "<impp><uri>xmpp:bo@x.test</uri></impp><impp><uri>sip:bo@sip.test</uri></impp>"
      "<kind><text>application</text></kind></vcard>";
  EXPECT_EQ(xml::write(vcard::write(c, vcard::form::temp), {}),
            "<vCard xmlns='vcard-temp'><FN>bo@sip.test</FN><N/><JABBERID>bo@x.test</JABBERID>"
            "<URL>sip:bo@sip.test</URL></vCard>");
  EXPECT_EQ(xml::write(vcard::write(c, vcard::form::v4), {}), v4);
  EXPECT_EQ(xml::write(vcard::write(c, vcard::form::pep), {}),
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:vcard4'>"
            "<item id='current'>" +
                v4 + "</item></items></pubsub>");
}

TEST(prompt, gives_what_was_typed) {
  EXPECT_EQ(prompt::typed_in(element_of("<query xmlns='jabber:iq:gateway'><prompt> a b </prompt></query>")),
            " a b ");
  EXPECT_EQ(prompt::typed_in(element_of("<query xmlns='jabber:iq:gateway'><prompt/></query>")), "");
  EXPECT_EQ(prompt::typed_in(element_of("<query xmlns='jabber:iq:gateway'/>")), std::nullopt);
  EXPECT_EQ(prompt::typed_in(element_of("<query xmlns='jabber:iq:gateway'><prompt xmlns='x'/></query>")),
            std::nullopt);
}

}  // namespace
