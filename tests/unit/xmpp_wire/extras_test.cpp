#include "xmpp/wire/xep/extras.hpp"

#include <gtest/gtest.h>

#include "base/date_time.hpp"
#include "xml/reader.hpp"
#include "xmpp/wire/xep/correction.hpp"
#include "xmpp/wire/xep/delay.hpp"
#include "xmpp/wire/xep/nick.hpp"
#include "xmpp/wire/xep/receipts.hpp"

using namespace stox;
using namespace stox::xmpp;

namespace {

xml::element element(const std::string& text) { return xml::parse(text, {}, "jabber:client").value(); }

/// A message with these children, and what it says.
struct read {
  explicit read(const std::string& children)
      : m(std::get<message>(
            parse_stanza(element("<message from='a@x/r' to='b@y'>" + children + "</message>")).value())),
        x(read_extras(m)) {}
  message m;
  extras x;
};

std::string time_text(std::string_view t) {
  const auto got = parse_date_time(t);
  return got ? write_date_time(*got) : "none";
}

TEST(date_time, reads_every_offset_and_drops_fractions) {
  EXPECT_EQ(time_text("2002-09-10T23:08:25Z"), "2002-09-10T23:08:25Z");
  EXPECT_EQ(time_text("2002-09-10T23:08:25.123456Z"), "2002-09-10T23:08:25Z");
  EXPECT_EQ(time_text("2002-09-10T23:08:25-05:30"), "2002-09-11T04:38:25Z");
  EXPECT_EQ(time_text("2004-02-29T00:00:00+02:00"), "2004-02-28T22:00:00Z");
  EXPECT_EQ(time_text("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00Z");
  EXPECT_EQ(time_text("9999-12-31T23:59:59Z"), "9999-12-31T23:59:59Z");
}

TEST(date_time, refuses_what_is_none) {
  for (const auto* t :
       {"", "2002-09-10", "2002-09-10T23:08:25", "2002-09-10T23:08Z", "2003-02-29T00:00:00Z",
        "2002-13-10T23:08:25Z", "2002-09-10T24:08:25Z", "2002-09-10T23:60:25Z", "2002-09-10T23:08:61Z",
        "2002-09-10T23:08:25.Z", "2002-09-10T23:08:25+25:00", "2002-09-10T23:08:25Z ", "2002-9-10T23:08:25Z",
        "1969-12-31T23:59:59Z", "-002-09-10T23:08:25Z", "20020910T23:08:25"}) {
    EXPECT_EQ(time_text(t), "none") << t;
  }
}

TEST(chat_states, are_read_as_they_are_written) {
  using enum chat_state;
  for (const auto s : {active, composing, paused, inactive, gone}) {
    EXPECT_EQ(parse_chat_state(write(s)), s);
    EXPECT_EQ(read(xml::write(write(s), {})).x.state, s);
  }
  EXPECT_FALSE(parse_chat_state(element("<typing xmlns='http://jabber.org/protocol/chatstates'/>")));
  EXPECT_FALSE(parse_chat_state(element("<active xmlns='urn:other'/>")));
}

TEST(receipts, are_read_as_they_are_written) {
  EXPECT_TRUE(read(xml::write(receipts::write_request(), {})).x.receipt_request);
  EXPECT_EQ(read(xml::write(receipts::write_received("m1"), {})).x.receipt_for, "m1");
  const read none("<received xmlns='urn:xmpp:receipts'/>");
  EXPECT_FALSE(none.x.receipt_for);
  EXPECT_EQ(none.x.unknown.size(), 1U);
}

TEST(markers, are_read_as_they_are_written) {
  using kind = marker::kind;
  for (const auto k : {kind::received, kind::displayed, kind::acknowledged}) {
    const auto got = read(xml::write(write(marker{k, "m1"}), {})).x.marker;
    ASSERT_TRUE(got);
    EXPECT_EQ(*got, (marker{k, "m1"}));
  }
  EXPECT_TRUE(read(xml::write(write_markable(), {})).x.markable);
  EXPECT_FALSE(read("<displayed xmlns='urn:xmpp:chat-markers:0'/>").x.marker) << "it names no message";
}

TEST(delay, is_read_as_it_is_written) {
  const delay d{"x", parse_date_time("2020-01-01T00:00:00Z").value()};
  EXPECT_EQ(parse_delay(element(xml::write(write(d), {}))), d);
  EXPECT_FALSE(parse_delay(element("<delay xmlns='urn:xmpp:delay' stamp='now'/>")));
  EXPECT_FALSE(parse_delay(element("<delay xmlns='urn:xmpp:delay'/>")));
}

TEST(nick, is_read_as_it_is_written) {
  EXPECT_EQ(read(xml::write(nick::write("Ana & <Bo>"), {})).x.nick, "Ana & <Bo>");
}

TEST(ids, are_read_as_they_are_written) {
  EXPECT_EQ(read(xml::write(write_origin_id("o1"), {})).x.origin_id, "o1");
  const read ids(
      "<stanza-id xmlns='urn:xmpp:sid:0' by='a@x' id='s1'/><stanza-id xmlns='urn:xmpp:sid:0' id='s2'/>"
      "<stanza-id xmlns='urn:xmpp:sid:0' by='y' id='s3'/>");
  ASSERT_EQ(ids.x.stanza_ids.size(), 2U);
  EXPECT_EQ(ids.x.stanza_ids[0], (stanza_id{"a@x", "s1"}));
  EXPECT_EQ(ids.x.stanza_ids[1], (stanza_id{"y", "s3"}));
}

TEST(ids, of_a_message_are_bounded) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "<stanza-id xmlns='urn:xmpp:sid:0' by='y' id='s'/>";
  EXPECT_EQ(read(many).x.stanza_ids.size(), 8U);
}

TEST(correction, names_what_it_corrects) {
  EXPECT_EQ(read("<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>").x.replaces, "m1");
  EXPECT_FALSE(read("<replace xmlns='urn:xmpp:message-correct:0'/>").x.replaces);
}

TEST(retraction, is_known_in_both_versions) {
  EXPECT_EQ(read("<retract xmlns='urn:xmpp:message-retract:1' id='m1'/>").x.retracts, "m1");
  EXPECT_EQ(read("<apply-to xmlns='urn:xmpp:fasten:0' id='m2'><retract xmlns='urn:xmpp:message-retract:0'/>"
                 "</apply-to>")
                .x.retracts,
            "m2");
  EXPECT_FALSE(
      read("<apply-to xmlns='urn:xmpp:fasten:0' id='m2'><edit xmlns='urn:other'/></apply-to>").x.retracts);
  EXPECT_FALSE(read("<retract xmlns='urn:xmpp:message-retract:0' id='m1'/>").x.retracts);
}

TEST(reply, names_message_and_author) {
  EXPECT_EQ(read("<reply xmlns='urn:xmpp:reply:0' id='m1' to='b@y'/>").x.reply_to, (reply{"b@y", "m1"}));
  EXPECT_EQ(read("<reply xmlns='urn:xmpp:reply:0' id='m1'/>").x.reply_to, (reply{"", "m1"}));
  EXPECT_FALSE(read("<reply xmlns='urn:xmpp:reply:0' to='b@y'/>").x.reply_to);
}

TEST(fallback, is_of_all_of_the_body_or_of_ranges) {
  const read parts(
      "<fallback xmlns='urn:xmpp:fallback:0' for='f'><body start='0' end='5'/><body start='7' end='9' "
      "xml:lang='de'/><subject/></fallback><fallback xmlns='urn:xmpp:fallback:0' for='g'><body/></fallback>"
      "<fallback xmlns='urn:xmpp:fallback:0'/><fallback xmlns='urn:xmpp:fallback:0' "
      "for='h'><subject/></fallback>");
  ASSERT_EQ(parts.x.fallbacks.size(), 4U);
  EXPECT_EQ(parts.x.fallbacks[0], (fallback{"f", false, {{0, 5, ""}, {7, 9, "de"}}}));
  EXPECT_EQ(parts.x.fallbacks[1], (fallback{"g", true, {}}));
  EXPECT_EQ(parts.x.fallbacks[2], (fallback{"", true, {}}));
  EXPECT_EQ(parts.x.fallbacks[3], (fallback{"h", false, {}}));
}

TEST(fallback, leaves_out_ranges_that_are_none) {
  const read bad(
      "<fallback xmlns='urn:xmpp:fallback:0' for='f'><body start='5' end='5'/><body start='9' end='3'/>"
      "<body start='-1' end='3'/><body start='0'/><body end='3'/><body start='0' "
      "end='99999999999999999999'/></fallback>");
  ASSERT_EQ(bad.x.fallbacks.size(), 1U);
  EXPECT_EQ(bad.x.fallbacks[0], (fallback{"f", false, {}, true}));
}

TEST(split, counts_code_points) {
  const auto s = split("ü👋a\nrest", {{0, 4, ""}});
  ASSERT_TRUE(s);
  EXPECT_EQ(s->fallback, "ü👋a\n");
  EXPECT_EQ(s->own, "rest");
}

TEST(split, takes_ranges_in_any_order_and_overlapping) {
  const auto s = split("äbcdefgh", {{5, 8, ""}, {0, 3, ""}, {1, 2, ""}, {2, 3, ""}});
  ASSERT_TRUE(s);
  EXPECT_EQ(s->fallback, "äbcfgh");
  EXPECT_EQ(s->own, "de");
}

TEST(split, does_nothing_where_a_range_is_beyond_the_body) {
  EXPECT_FALSE(split("abc", {{0, 1, ""}, {2, 4, ""}}));
  EXPECT_FALSE(split("abc", {{0, 3, ""}, {1, 4, ""}}));
  EXPECT_FALSE(split("abc", {{5, 6, ""}}));
  const auto all = split("abc", {{0, 3, ""}});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->own, "");
}

TEST(reactions, come_once_each_and_bounded) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "<reaction>" + std::to_string(i) + "</reaction>";
  const auto got = read(
                       "<reactions xmlns='urn:xmpp:reactions:0' id='m1'><reaction> 👍 </reaction>"
                       "<reaction>👍</reaction><reaction>a b</reaction><reaction/><reaction>" +
                       std::string(65, 'x') + "</reaction>" + many + "</reactions>")
                       .x.reactions;
  ASSERT_TRUE(got);
  EXPECT_EQ(got->id, "m1");
  ASSERT_EQ(got->emoji.size(), 16U);
  EXPECT_EQ(got->emoji[0], "👍");
  EXPECT_EQ(got->emoji[1], "0");
}

TEST(reactions, without_a_message_are_none) {
  EXPECT_FALSE(
      read("<reactions xmlns='urn:xmpp:reactions:0'><reaction>x</reaction></reactions>").x.reactions);
}

TEST(sharing, of_one_address_is_one_link) {
  const read r(
      "<x xmlns='jabber:x:oob'><url>https://x/f</url></x>"
      "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>f.jpg</name>"
      "<size>7</size><media-type>image/jpeg</media-type><desc>d</desc></file><sources><url-data "
      "xmlns='http://jabber.org/protocol/url-data' target='https://x/f'/></sources></file-sharing>");
  ASSERT_EQ(r.x.links.size(), 1U);
  EXPECT_EQ(r.x.links[0], (shared_link{"https://x/f", "f.jpg", "image/jpeg", "d", 7}));
}

TEST(sharing, chooses_the_source_for_a_browser) {
  const read r(
      "<reference xmlns='urn:xmpp:reference:0' type='data'><media-sharing xmlns='urn:xmpp:sims:1'><file "
      "xmlns='urn:xmpp:jingle:apps:file-transfer:5'><name>f</name></file><sources><reference "
      "xmlns='urn:xmpp:reference:0' uri='xmpp:a@x?jingle'/><reference xmlns='urn:xmpp:reference:0' "
      "uri='ftp://x/f'/><reference xmlns='urn:xmpp:reference:0' uri='http://x/f'/></sources>"
      "</media-sharing></reference>");
  ASSERT_EQ(r.x.links.size(), 1U);
  EXPECT_EQ(r.x.links[0].url, "http://x/f");
}

TEST(sharing, knows_a_file_without_an_address) {
  const read r(
      "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>f</name>"
      "<size>x</size></file></file-sharing>");
  ASSERT_EQ(r.x.links.size(), 1U);
  EXPECT_EQ(r.x.links[0], (shared_link{"", "f", "", "", std::nullopt}));
}

TEST(sharing, refuses_what_is_no_address) {
  for (const auto* url : {"", "x", ":x", "http:", "1http://x", "https://x/ y", "https://x/\ny",
                          "https://x&lt;b", "ht_tp://x"}) {
    EXPECT_TRUE(read("<x xmlns='jabber:x:oob'><url>" + std::string(url) + "</url></x>").x.links.empty())
        << url;
  }
}

TEST(sharing, a_mention_is_no_link) {
  const read r("<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:b@y'/>");
  EXPECT_TRUE(r.x.links.empty());
  EXPECT_EQ(r.x.unknown.size(), 1U);
}

TEST(hints, are_read_each) {
  const auto h = read("<no-store xmlns='urn:xmpp:hints'/><no-copy xmlns='urn:xmpp:hints'/>").x.hints;
  EXPECT_EQ(h, (hints{true, false, true, false}));
  const read other(
      "<no-permanent-store xmlns='urn:xmpp:hints'/><store xmlns='urn:xmpp:hints'/><x "
      "xmlns='urn:xmpp:hints'/>");
  EXPECT_EQ(other.x.hints, (hints{false, true, false, true}));
  EXPECT_EQ(other.x.unknown.size(), 1U);
}

TEST(encryption, tells_content_from_session_management) {
  const auto sealed = [](const std::string& children) { return read(children).x.encrypted; };
  for (const std::string ns : {"eu.siacs.conversations.axolotl", "urn:xmpp:omemo:1", "urn:xmpp:omemo:2"}) {
    EXPECT_EQ(sealed("<encrypted xmlns='" + ns + "'><header/></encrypted>"), (encryption{ns, "", false}));
    EXPECT_EQ(sealed("<encrypted xmlns='" + ns +
                     "'><header/><payload>a</payload></encrypted><encryption "
                     "xmlns='urn:xmpp:eme:0' name='OMEMO' namespace='" +
                     ns + "'/>"),
              (encryption{ns, "OMEMO", true}));
    EXPECT_EQ(sealed("<encryption xmlns='urn:xmpp:eme:0' namespace='" + ns + "'/><encrypted xmlns='" + ns +
                     "'><header/></encrypted>"),
              (encryption{ns, "", false}));
  }
  EXPECT_EQ(sealed("<openpgp xmlns='urn:xmpp:openpgp:0'/>"), (encryption{"urn:xmpp:openpgp:0", "", true}));
  EXPECT_EQ(sealed("<x xmlns='jabber:x:encrypted'/>"), (encryption{"jabber:x:encrypted", "", true}));
  EXPECT_EQ(sealed("<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:otr:0'/>"),
            (encryption{"urn:xmpp:otr:0", "", true}));
  EXPECT_FALSE(sealed("<encrypted xmlns='urn:other'><payload/></encrypted>"));
}

TEST(encryption, keeps_no_long_names) {
  const std::string name(1000, 'n');
  std::string many = "<encryption xmlns='urn:xmpp:eme:0' name='" + name + "' namespace='" + name + "'/>";
  for (int i = 0; i < 10; ++i) many += "<a xmlns='urn:a'/>";
  EXPECT_EQ(read(many).x.encrypted, (encryption{name.substr(0, 128), name.substr(0, 128), true}));
  EXPECT_FALSE(read("<a xmlns='urn:a'/>").x.encrypted);
}

TEST(forwarding, tells_copies_of_servers) {
  EXPECT_TRUE(read("<received xmlns='urn:xmpp:carbons:2'/>").x.server_copy);
  EXPECT_TRUE(read("<sent xmlns='urn:xmpp:carbons:2'/>").x.server_copy);
  EXPECT_TRUE(read("<result xmlns='urn:xmpp:mam:2'/>").x.server_copy);
  EXPECT_FALSE(read("<private xmlns='urn:xmpp:carbons:2'/>").x.server_copy);
  const read forwarded("<forwarded xmlns='urn:xmpp:forward:0'/>");
  EXPECT_NE(forwarded.x.forwarded, nullptr);
  EXPECT_FALSE(forwarded.x.server_copy);
}

TEST(extras, keep_the_first_of_two_and_name_what_is_not_known) {
  const read r(
      "<replace xmlns='urn:xmpp:message-correct:0' id='m1'/><replace "
      "xmlns='urn:xmpp:message-correct:0' id='m2'/><attention xmlns='urn:xmpp:attention:0'/>"
      "<html xmlns='http://jabber.org/protocol/xhtml-im'/><a xmlns='urn:a'/>");
  EXPECT_EQ(r.x.replaces, "m1");
  EXPECT_TRUE(r.x.attention);
  ASSERT_NE(r.x.html, nullptr);
  ASSERT_EQ(r.x.unknown.size(), 1U);
  EXPECT_EQ(r.x.unknown[0]->name, "a");
}

}  // namespace
