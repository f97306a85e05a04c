#include "xmpp/wire/stanza.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "xml/reader.hpp"
#include "xmpp/wire/stream.hpp"
#include "xmpp/wire/xep/disco.hpp"
#include "xmpp/wire/xep/ping.hpp"
#include "xmpp/wire/xep/shim.hpp"
#include "xmpp/wire/xep/version.hpp"

namespace {

using namespace stox;
using namespace stox::xmpp;

xml::element element_of(std::string_view text, std::string_view ns = component_ns) {
  auto e = xml::parse(text, {}, ns);
  EXPECT_TRUE(e) << text << " " << (e ? "" : e.error().to_string());
  return e ? *e : xml::element();
}

template <class T>
T parsed(std::string_view text, std::string_view ns = component_ns) {
  auto s = parse_stanza(element_of(text, ns));
  EXPECT_TRUE(s) << text << " " << (s ? "" : s.error().to_string());
  if (!s || !std::holds_alternative<T>(*s)) {
    ADD_FAILURE() << text;
    return {};
  }
  return std::get<T>(*s);
}

std::string rewritten(std::string_view text, std::string_view ns = component_ns) {
  auto s = parse_stanza(element_of(text, ns));
  if (!s) return s.error().to_string();
  return std::visit([](const auto& value) { return write(value); }, *s);
}

const jid ana{"ana", "xmpp.test", "desk"};
const jid bo{"bo", "sip.test", ""};

const std::vector<std::string> canonical_stanzas{
    "<message from='ana@xmpp.test/desk' to='bo@sip.test' type='chat' id='m1' "
    "xml:lang='en'><subject>s</subject>"
    "<subject xml:lang='de'>t</subject><body>hi &amp; &lt;ho&gt;</body><body xml:lang=''>none</body>"
    "<thread parent='p'>t1</thread><active xmlns='http://jabber.org/protocol/chatstates'/></message>",
    "<message from='ana@xmpp.test' to='bo@sip.test'></message>",
    "<message from='ana@xmpp.test' to='bo@sip.test'><body></body></message>",
    "<message from='ana@xmpp.test' to='bo@sip.test' type='groupchat' id='g'><body>x</body></message>",
    "<message from='ana@xmpp.test' to='bo@sip.test' type='headline' id='h'><body>x</body></message>",
    "<message from='bo@sip.test' to='ana@xmpp.test/desk' type='error' id='m1'><error type='cancel'><gone "
    "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:bo@new.test</gone><text "
    "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>301 Moved</text></error></message>",
    "<iq from='ana@xmpp.test/desk' to='sip.test' type='get' id='q1'><ping xmlns='urn:xmpp:ping'/></iq>",
    "<iq from='ana@xmpp.test/desk' to='sip.test' type='set' id='q2'><x xmlns='a:b'><y>z</y></x></iq>",
    "<iq from='sip.test' to='ana@xmpp.test/desk' type='result' id='q1'></iq>",
    "<iq from='sip.test' to='ana@xmpp.test/desk' type='error' id='q1'><error "
    "type='cancel'><service-unavailable "
    "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error><ping xmlns='urn:xmpp:ping'/></iq>",
    "<presence from='ana@xmpp.test/desk' to='bo@sip.test'><show>away</show><status>tea</status></presence>",
    "<presence from='ana@xmpp.test' to='bo@sip.test' type='subscribe' id='p1'></presence>",
    "<presence from='bo@sip.test' to='ana@xmpp.test' type='error' id='p1'><error "
    "type='wait'><remote-server-timeout "
    "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
};

TEST(stanza, is_written_as_it_was_read) {
  for (const auto& text : canonical_stanzas) EXPECT_EQ(rewritten(text), text);
}

TEST(stanza, reads_the_same_however_the_bytes_are_cut) {
  for (const auto& text : canonical_stanzas) {
    const auto whole = element_of(text);
    const std::string stream = write_component_header("sip.test") + text;
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
      xml::reader reader;
      ASSERT_TRUE(reader.feed(std::string_view(stream).substr(0, cut)));
      ASSERT_TRUE(reader.feed(std::string_view(stream).substr(cut)));
      ASSERT_TRUE(std::holds_alternative<xml::stream_opened>(*reader.poll()));
      const auto event = reader.poll();
      ASSERT_TRUE(event) << cut << " of " << stream;
      ASSERT_EQ(std::get<xml::stanza>(*event).value, whole) << cut << " of " << stream;
      ASSERT_FALSE(reader.poll());
    }
  }
}

TEST(stanza, message_has_its_parts) {
  const auto m = parsed<message>(canonical_stanzas[0]);
  EXPECT_EQ(m.from, ana);
  EXPECT_EQ(m.to, bo);
  EXPECT_EQ(m.id, "m1");
  EXPECT_EQ(m.type, message_type::chat);
  EXPECT_EQ(m.lang, "en");
  EXPECT_EQ(m.subjects, (std::vector<lang_text>{{"en", "s"}, {"de", "t"}}));
  EXPECT_EQ(m.bodies, (std::vector<lang_text>{{"en", "hi & <ho>"}, {"", "none"}}));
  EXPECT_EQ(m.thread, "t1");
  EXPECT_EQ(m.thread_parent, "p");
  EXPECT_EQ(m.error, std::nullopt);
  ASSERT_EQ(m.payloads.size(), 1U);
  EXPECT_TRUE(m.payloads[0].is("active", "http://jabber.org/protocol/chatstates"));
}

TEST(stanza, message_type_that_is_absent_or_unknown_is_normal) {
  EXPECT_EQ(parsed<message>("<message from='a@b'/>").type, message_type::normal);
  EXPECT_EQ(parsed<message>("<message from='a@b' type='shout'/>").type, message_type::normal);
  EXPECT_EQ(parsed<message>("<message from='a@b' type='normal'/>").type, message_type::normal);
}

TEST(stanza, keeps_what_it_has_no_place_for_among_the_payloads) {
  const auto m = parsed<message>(
      "<message from='a@b'><thread>1</thread><thread>2</thread><error/><body xmlns='urn:x'>no "
      "body</body></message>");
  EXPECT_EQ(m.thread, "1");
  EXPECT_TRUE(m.bodies.empty());
  ASSERT_EQ(m.payloads.size(), 3U);
  EXPECT_EQ(m.payloads[0].text(), "2");
  EXPECT_EQ(m.payloads[1].name, "error");
  EXPECT_EQ(m.payloads[2].ns, "urn:x");
}

TEST(stanza, of_a_client_or_server_stream_is_carried_over_to_ours) {
  const std::string text =
      "<presence from='a@b'><show>away</show><x xmlns='urn:x'><show "
      "xmlns='jabber:client'>in</show></x></presence>";
  for (const std::string ns : {"jabber:client", "jabber:server"}) {
    const auto p = parsed<presence>(text, ns);
    ASSERT_EQ(p.payloads.size(), 2U);
    EXPECT_TRUE(p.payloads[0].is("show", component_ns));
    EXPECT_NE(p.payloads[1].child("show", "jabber:client"), nullptr) << "what is forwarded stays as it is";
    EXPECT_EQ(write(p), text);
  }
}

TEST(stanza, refuses_what_is_none_and_says_why) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"<route from='a@b'/>", "xmpp.stanza/not_a_stanza"},
      {"<message xmlns='urn:x' from='a@b'/>", "xmpp.stanza/not_a_stanza"},
      {"<message to='a@b'/>", "xmpp.stanza/bad_address: no from"},
      {"<message from='@b'/>",
       "xmpp.stanza/bad_address: from: xmpp.jid/empty_part: no localpart before the at-sign"},
      {"<message from='a@b' to=''/>", "xmpp.stanza/bad_address: to: xmpp.jid/empty_part: no domain"},
      {"<iq from='a@b' type='get'><x xmlns='u'/></iq>", "xmpp.stanza/bad_iq: no id"},
      {"<iq from='a@b' id='1'><x xmlns='u'/></iq>", "xmpp.stanza/bad_iq: no known type"},
      {"<iq from='a@b' id='1' type='put'><x xmlns='u'/></iq>", "xmpp.stanza/bad_iq: no known type"},
      {"<iq from='a@b' id='1' type='get'/>", "xmpp.stanza/bad_iq: not exactly one payload"},
      {"<iq from='a@b' id='1' type='set'><x xmlns='u'/><y xmlns='u'/></iq>",
       "xmpp.stanza/bad_iq: not exactly one payload"},
      {"<iq from='a@b' id='1' type='result'><x xmlns='u'/><y xmlns='u'/></iq>",
       "xmpp.stanza/bad_iq: several payloads"},
  };
  for (const auto& [text, why] : table) EXPECT_EQ(rewritten(text), why) << text;
}

TEST(stanza, iq_error_may_repeat_the_request) {
  const auto i = parsed<iq>(canonical_stanzas[9]);
  EXPECT_EQ(i.type, iq_type::error);
  EXPECT_EQ(i.error->condition, condition::service_unavailable);
  EXPECT_TRUE(i.payload->is("ping", ping::ns));
}

TEST(stanza, text_that_xml_cannot_carry_does_not_break_the_stream) {
  message m;
  m.from = bo;
  m.to = ana;
  m.id = "a'b\"<\n";
  m.bodies = {{"", std::string("a\x01") + "]]>&" + "\xFF"}};
  const auto back = parsed<message>(write(m));
  EXPECT_EQ(back.id, "a'b\"<\n");
  EXPECT_EQ(back.bodies[0].text, "a\xEF\xBF\xBD]]>&\xEF\xBF\xBD");
}

// ---- errors ----

TEST(stanza_error, every_condition_has_the_name_and_type_of_rfc_6120) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"bad-request", "modify"},
      {"conflict", "cancel"},
      {"feature-not-implemented", "cancel"},
      {"forbidden", "auth"},
      {"gone", "cancel"},
      {"internal-server-error", "cancel"},
      {"item-not-found", "cancel"},
      {"jid-malformed", "modify"},
      {"not-acceptable", "modify"},
      {"not-allowed", "cancel"},
      {"not-authorized", "auth"},
      {"policy-violation", "modify"},
      {"recipient-unavailable", "wait"},
      {"redirect", "modify"},
      {"registration-required", "auth"},
      {"remote-server-not-found", "cancel"},
      {"remote-server-timeout", "wait"},
      {"resource-constraint", "wait"},
      {"service-unavailable", "cancel"},
      {"subscription-required", "auth"},
      {"undefined-condition", "cancel"},
      {"unexpected-request", "wait"},
  };
  ASSERT_EQ(table.size(), condition_count);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto c = static_cast<condition>(i);
    EXPECT_EQ(to_string(c), table[i].first);
    EXPECT_EQ(parse_condition(table[i].first), c);
    EXPECT_EQ(to_string(usual_type(c)), table[i].second) << table[i].first;
  }
  EXPECT_EQ(parse_condition("payment-required"), std::nullopt);
  EXPECT_EQ(to_string(error_type::continue_), "continue");
}

TEST(stanza_error, is_read_with_type_text_and_new_address) {
  const std::string ns = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'";
  EXPECT_EQ(parse_error(element_of("<error type='modify'><redirect " + ns + ">xmpp:x@y</redirect><text " +
                                   ns + " xml:lang='de'>why</text><app xmlns='urn:app'/></error>")),
            (stanza_error{error_type::modify, condition::redirect, "why", "xmpp:x@y", "de"}));
  EXPECT_EQ(parse_error(
                element_of("<error type='modify'><redirect " + ns + "/><text " + ns + ">why</text></error>")),
            (stanza_error{error_type::modify, condition::redirect, "why", "", ""}));
  EXPECT_EQ(parse_error(element_of("<error type='continue'><conflict " + ns + "/></error>")),
            (stanza_error{error_type::continue_, condition::conflict, "", ""}));
}

TEST(stanza_error, tells_that_one_has_blocked_the_other) {
  const std::string ns = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'";
  const auto read = [&](const std::string& more) {
    return parse_error(element_of("<error type='cancel'><not-acceptable " + ns + "/>" + more + "</error>"));
  };
  const auto blocked = read("<blocked xmlns='urn:xmpp:blocking:errors'/>");
  EXPECT_TRUE(blocked.blocked);
  EXPECT_EQ(blocked.condition, condition::not_acceptable);
  EXPECT_FALSE(read("").blocked);
  EXPECT_FALSE(read("<blocked xmlns='urn:xmpp:blocking'/>").blocked);
}

TEST(stanza_error, that_is_malformed_is_an_undefined_condition) {
  const std::string ns = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'";
  const stanza_error undefined{error_type::cancel, condition::undefined_condition, "", ""};
  EXPECT_EQ(parse_error(element_of("<error/>")), undefined);
  EXPECT_EQ(parse_error(element_of("<error><payment-required " + ns + "/></error>")), undefined);
  EXPECT_EQ(parse_error(element_of("<error type='cancel'><forbidden xmlns='urn:x'/></error>")), undefined);
  EXPECT_EQ(parse_error(element_of("<error type='fatal'><forbidden " + ns + "/></error>")),
            (stanza_error{error_type::auth, condition::forbidden, "", ""}));
  EXPECT_EQ(parsed<message>("<message from='a@b' type='error'/>").error, undefined);
  EXPECT_EQ(parsed<iq>("<iq from='a@b' type='error' id='1'/>").error, undefined);
  EXPECT_EQ(parsed<presence>("<presence from='a@b' type='error'/>").error, undefined);
}

std::string reply_to(std::string_view text, bool raw = false) {
  const stanza_error e{error_type::cancel, condition::item_not_found, "404 <Not Found>", ""};
  const auto element = element_of(text);
  if (raw) return write_error_reply(element, e).value_or("none");
  return write_error_reply(*parse_stanza(element), e).value_or("none");
}

TEST(error_reply, swaps_the_addresses_and_keeps_the_id) {
  const std::string tail =
      "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text "
      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>404 &lt;Not Found&gt;</text></error>";
  for (const bool raw : {false, true}) {
    EXPECT_EQ(
        reply_to("<message from='ana@xmpp.test/desk' to='bo@sip.test' type='chat' "
                 "id='m1'><body>x</body></message>",
                 raw),
        "<message from='bo@sip.test' to='ana@xmpp.test/desk' type='error' id='m1'>" + tail + "</message>");
    EXPECT_EQ(reply_to("<iq from='a@b' to='c' type='set' id='1'><x xmlns='u'/></iq>", raw),
              "<iq from='c' to='a@b' type='error' id='1'>" + tail + "</iq>");
    EXPECT_EQ(reply_to("<presence from='a@b' to='c' type='subscribe'/>", raw),
              "<presence from='c' to='a@b' type='error'>" + tail + "</presence>");
  }
}

TEST(error_reply, is_never_sent_to_an_error_a_result_or_nobody) {
  for (const bool raw : {false, true}) {
    EXPECT_EQ(reply_to("<message from='a@b' to='c' type='error' id='1'/>", raw), "none");
    EXPECT_EQ(reply_to("<iq from='a@b' to='c' type='error' id='1'/>", raw), "none");
    EXPECT_EQ(reply_to("<iq from='a@b' to='c' type='result' id='1'/>", raw), "none");
    EXPECT_EQ(reply_to("<presence from='a@b' to='c' type='error'/>", raw), "none");
    EXPECT_EQ(reply_to("<message from='a@b' id='1'/>", raw), "none") << "we would not know who we are";
  }
}

TEST(error_reply, can_answer_what_was_refused) {
  EXPECT_EQ(reply_to("<iq from='a@b' to='c' type='get' id='7'/>", true).substr(0, 40),
            "<iq from='c' to='a@b' type='error' id='7");
  EXPECT_EQ(reply_to("<iq from='a@b' to='c'/>", true).substr(0, 36), "<iq from='c' to='a@b' type='error'><");
  // Addresses that cannot be read go back as they came.
  EXPECT_EQ(reply_to("<iq from='@b' to='c' type='get' id='7'/>", true).substr(0, 39),
            "<iq from='c' to='@b' type='error' id='7");
  EXPECT_EQ(reply_to("<iq from='a@b' to='@c' type='get' id='7'/>", true).substr(0, 41),
            "<iq from='@c' to='a@b' type='error' id='7");
  EXPECT_EQ(reply_to("<iq from='@b' to='c' type='result' id='7'/>", true), "none");
  EXPECT_EQ(reply_to("<iq to='c' type='get' id='7'/>", true), "none");
  EXPECT_EQ(reply_to("<other from='a@b' to='c'/>", true), "none");
}

TEST(iq_result, answers_a_request) {
  const auto request = parsed<iq>(canonical_stanzas[6]);
  EXPECT_EQ(write_result(request, std::nullopt),
            "<iq from='sip.test' to='ana@xmpp.test/desk' type='result' id='q1'></iq>");
  EXPECT_EQ(
      write_result(request, version::write("Stox", "1")),
      "<iq from='sip.test' to='ana@xmpp.test/desk' type='result' id='q1'><query xmlns='jabber:iq:version'>"
      "<name>Stox</name><version>1</version></query></iq>");
}

// ---- streams and extensions ----

TEST(stream, header_and_handshake_of_a_component) {
  EXPECT_EQ(write_component_header("sip.test"),
            "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
            "xmlns:stream='http://etherx.jabber.org/streams' to='sip.test'>");
  EXPECT_EQ(write_handshake("3BF96D32", "secret"),
            "<handshake>b09ea9b3b7f586be8a08d0a3dd7466f110aeb136</handshake>");
}

TEST(stream, error_is_read_and_unknown_names_are_not_believed) {
  const auto read = [](const std::string& children) {
    return parse_stream_error(
        element_of("<error xmlns='http://etherx.jabber.org/streams'>" + children + "</error>"));
  };
  const std::string ns = " xmlns='urn:ietf:params:xml:ns:xmpp-streams'";
  EXPECT_EQ(read("<not-authorized" + ns + "/>").condition, "not-authorized");
  EXPECT_EQ(read("<host-unknown" + ns + "/><text" + ns + ">who?</text>").text, "who?");
  EXPECT_EQ(read("<lies-and-slander" + ns + "/>").condition, "undefined-condition");
  EXPECT_EQ(read("<conflict xmlns='urn:x'/>").condition, "undefined-condition");
  EXPECT_EQ(read("").condition, "undefined-condition");
  EXPECT_EQ(write_stream_error("policy-violation"),
            "<stream:error><policy-violation "
            "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>");
}

TEST(disco, info_and_items_round_trip) {
  const disco::info info{
      "n", {{"gateway", "sip", "Stox"}, {"client", "phone", ""}}, {disco::info_ns.data(), "urn:xmpp:ping"}};
  EXPECT_EQ(disco::parse_info(disco::write(info)), info);
  EXPECT_EQ(
      xml::write(disco::write(info), component_ns),
      "<query xmlns='http://jabber.org/protocol/disco#info' node='n'><identity category='gateway' type='sip' "
      "name='Stox'/><identity category='client' type='phone'/><feature "
      "var='http://jabber.org/protocol/disco#info'/><feature var='urn:xmpp:ping'/></query>");
  const disco::items items{"", {{bo, "x", "Bo"}, {ana, "", ""}}};
  EXPECT_EQ(disco::parse_items(disco::write(items)), items);
  EXPECT_EQ(xml::write(disco::write(disco::items{}), component_ns),
            "<query xmlns='http://jabber.org/protocol/disco#items'/>");
}

TEST(disco, leaves_out_what_is_incomplete) {
  const auto info =
      disco::parse_info(element_of("<query xmlns='http://jabber.org/protocol/disco#info'><identity "
                                   "category='a'/><feature/><feature var='v'/></query>"));
  EXPECT_EQ(info, (disco::info{"", {}, {"v"}}));
  const auto items =
      disco::parse_items(element_of("<query xmlns='http://jabber.org/protocol/disco#items'><item/><item "
                                    "jid='@'/><item jid='B@sip.test'/></query>"));
  EXPECT_EQ(items, (disco::items{"", {{jid{"b", "sip.test", ""}, "", ""}}}));
  EXPECT_EQ(disco::parse_info(ping::write()), std::nullopt);
  EXPECT_EQ(disco::parse_items(ping::write()), std::nullopt);
}

TEST(shim, headers_round_trip) {
  const std::vector<shim::header> headers{{"Stox-Hops", "1;a"}, {"Urgency", "<high>"}};
  EXPECT_EQ(shim::parse(shim::write(headers)), headers);
  EXPECT_EQ(xml::write(shim::write({{"A", "b"}}), component_ns),
            "<headers xmlns='http://jabber.org/protocol/shim'><header name='A'>b</header></headers>");
  EXPECT_EQ(
      shim::parse(element_of(
          "<headers xmlns='http://jabber.org/protocol/shim'><header>x</header><other name='n'/></headers>")),
      std::vector<shim::header>{});
  EXPECT_EQ(shim::parse(ping::write()), std::nullopt);
}

TEST(small_queries, are_recognised) {
  EXPECT_TRUE(ping::is_ping(element_of("<ping xmlns='urn:xmpp:ping'/>")));
  EXPECT_FALSE(ping::is_ping(element_of("<ping xmlns='urn:other'/>")));
  EXPECT_TRUE(version::is_query(element_of("<query xmlns='jabber:iq:version'/>")));
  EXPECT_FALSE(version::is_query(element_of("<query xmlns='jabber:iq:last'/>")));
}

}  // namespace
