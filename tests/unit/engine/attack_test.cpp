// Text from one side never becomes syntax on the other: the whole engine, both directions.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/sandbox.hpp"
#include "sip/wire/message.hpp"
#include "xml/reader.hpp"
#include "xmpp/wire/stream.hpp"

using namespace stox;
using engine::sandbox;
using side = sandbox::output::side;

namespace {

/// As an attacker would write them into XML: references are the only way to say CR and LF in an attribute.
const std::vector<std::string> hostile_in_xml{
    "x&#13;&#10;X-Evil: 1",
    "x&#10;X-Evil: 1",
    "x&#13;X-Evil: 1",
    "x&#13;&#10;&#13;&#10;MESSAGE sip:y@z SIP/2.0",
    "x&#13;&#10; folded",
    "x&#9;y",
    "&lt;sip:boss@sip.example>;tag=1, &lt;sip:x@y>",
    "\";gr=other;x=\"",
    "a;b=c?d=e&amp;f",
    "%0d%0aX-Evil: 1",
    "%00",
    "\xE2\x80\xAEgnp.exe",
    "\xE2\x81\xA6x",
    "\xC2\x85X-Evil: 1",
    "\xE2\x80\xA8X-Evil: 1",
    std::string(3000, 'x'),
};

/// The same for SIP, where any byte may come in a quoted string or percent-encoded.
const std::vector<std::string> hostile_in_sip{
    "</message><message from='boss@sip.example'>",
    "'/><evil xmlns='x'/><x a='",
    "\"><evil/>",
    "]]>",
    "&evil;",
    "&#0;",
    "<!--",
    "<?evil?>",
    std::string("a\0b", 3),
    "a\x01\x08\x1b[2J",
    "\xFF\xFE",
    "\xEF\xBF\xBF",
    "\xED\xA0\x80",
    "\xE2\x80\xAEgnp.exe",
    "</stream:stream>",
};

std::vector<std::string> left_on(sandbox& box, side where) {
  std::vector<std::string> out;
  for (auto& o : box.take()) {
    if (o.where == where) out.push_back(std::move(o.text));
  }
  return out;
}

/// The header fields of the one SIP request that the text is, in order; fails if it is none.
std::vector<std::string> fields_of(const std::string& text) {
  std::vector<std::string> out;
  const auto m = sip::parse_message(text, sip::framing::datagram, {});
  if (!m || !std::holds_alternative<sip::request>(*m)) {
    ADD_FAILURE() << "no request:\n" << text;
    return out;
  }
  for (const auto& f : std::get<sip::request>(*m).headers) {
    // A language that is none costs Content-Language; it never adds anything.
    if (f.id != sip::header::content_language)
      out.push_back(std::to_string(static_cast<int>(f.id)).append(f.name));
    EXPECT_EQ(f.value.find_first_of(std::string("\r\n\0", 3)), std::string::npos) << f.value;
  }
  return out;
}

struct stanza_parts {
  std::string resource = "desk", id = "m1", subject = "s", thread = "t1", nick = "n", lang = "en", body = "b";
};

std::string stanza_of(const stanza_parts& p) {
  return "<message type='chat' from=\"ana@xmpp.test/" + p.resource + "\" to='bo@sip.example' id=\"" + p.id +
         "\" xml:lang=\"" + p.lang + "\"><subject>" + p.subject + "</subject><thread>" + p.thread +
         "</thread><nick xmlns='http://jabber.org/protocol/nick'>" + p.nick + "</nick><body>" + p.body +
         "</body></message>";
}

std::string in_attribute(std::string text) {
  for (auto at = text.find('"'); at != std::string::npos; at = text.find('"', at))
    text.replace(at, 1, "&quot;");
  return text;
}

/// Whatever the field holds: nothing leaves, or one request with the header fields of a harmless one.
void expect_no_new_header(const stanza_parts& p, const std::vector<std::string>& harmless) {
  sandbox box(sandbox::sample_settings());
  box.take();
  box.xmpp(stanza_of(p));
  const auto left = left_on(box, side::sip);
  ASSERT_LE(left.size(), 1U);
  if (!left.empty()) {
    EXPECT_EQ(fields_of(left.front()), harmless) << left.front();
  }
  EXPECT_TRUE(box.connected()) << "the link was lost over " << stanza_of(p);
}

TEST(attack, header_injection_towards_sip_by_any_field_of_a_stanza) {
  sandbox box(sandbox::sample_settings());
  box.take();
  box.xmpp(stanza_of({}));
  const auto left = left_on(box, side::sip);
  ASSERT_EQ(left.size(), 1U);
  const auto harmless = fields_of(left.front());
  ASSERT_GE(harmless.size(), 10U);
  for (const auto& text : hostile_in_xml) {
    SCOPED_TRACE(text.substr(0, 60));
    const auto in_value = in_attribute(text);
    stanza_parts p;
    p.resource = in_value;
    expect_no_new_header(p, harmless);
    p = {};
    p.id = in_value;
    expect_no_new_header(p, harmless);
    p = {};
    p.lang = in_value;
    expect_no_new_header(p, harmless);
    p = {};
    p.subject = text;
    expect_no_new_header(p, harmless);
    p = {};
    p.thread = text;
    expect_no_new_header(p, harmless);
    p = {};
    p.nick = text;
    expect_no_new_header(p, harmless);
  }
}

std::string escaped(const std::string& text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    ((out += '%') += digits[byte >> 4]) += digits[byte & 15];
  }
  return out;
}

struct request_parts {
  std::string display, user = "bo", subject = "s", call_id = "c1", lang = "en", gr, body = "b";
};

std::string request_of(const request_parts& p) {
  const std::string head =
      "MESSAGE sip:ana@xmpp.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1;rport\r\n"
      "Max-Forwards: 70\r\nFrom: \"" +
      p.display + "\" <sip:" + p.user + "@sip.example" + (p.gr.empty() ? "" : ";gr=" + p.gr) +
      ">;tag=b\r\nTo: <sip:ana@xmpp.test>\r\nCall-ID: " + p.call_id +
      "\r\nCSeq: 1 MESSAGE\r\nSubject: " + p.subject + "\r\nContent-Language: " + p.lang +
      "\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(p.body.size()) + "\r\n\r\n";
  return head + p.body;
}

/// One well-formed <message/> of that type whose children are among those that a harmless one has.
void expect_one_message(const std::vector<std::string>& left) {
  ASSERT_LE(left.size(), 1U);
  if (left.empty()) return;  // it was refused on the SIP side
  EXPECT_EQ(left.front().find('\0'), std::string::npos);
  EXPECT_TRUE(xml::is_xml_text(left.front())) << left.front();
  const auto e = xml::parse(left.front(), {}, xmpp::component_ns);
  ASSERT_TRUE(e) << left.front();
  EXPECT_EQ(e->name, "message");
  EXPECT_TRUE(e->attr("from")->ends_with("@sip.example") ||
              e->attr("from")->find("@sip.example/") != std::string::npos)
      << *e->attr("from");
  for (const auto* child : e->elements()) {
    const bool text =
        child->name == "body" || child->name == "subject" || child->name == "thread" || child->name == "nick";
    EXPECT_TRUE(text || child->name == "headers" || child->name == "error") << left.front();
    if (text) {
      EXPECT_TRUE(child->elements().empty()) << left.front();
    }
  }
}

void expect_plain_message(const request_parts& p) {
  sandbox box(sandbox::sample_settings());
  box.take();
  box.sip(request_of(p));
  expect_one_message(left_on(box, side::xmpp));
  EXPECT_TRUE(box.connected());
}

TEST(attack, markup_injection_towards_xmpp_by_any_field_of_a_request) {
  for (const auto& text : hostile_in_sip) {
    SCOPED_TRACE(text);
    request_parts p;
    p.display = text;
    expect_plain_message(p);
    p = {};
    p.user = escaped(text);
    expect_plain_message(p);
    p = {};
    p.gr = escaped(text);
    expect_plain_message(p);
    p = {};
    p.subject = text;
    expect_plain_message(p);
    p = {};
    p.call_id = text;
    expect_plain_message(p);
    p = {};
    p.lang = text;
    expect_plain_message(p);
    p = {};
    p.body = text;
    expect_plain_message(p);
  }
  // The baseline does get through, so the rows above test something.
  sandbox box(sandbox::sample_settings());
  box.take();
  box.sip(request_of({}));
  EXPECT_EQ(left_on(box, side::xmpp).size(), 1U);
}

TEST(attack, markup_injection_towards_xmpp_by_a_reason_phrase) {
  for (const auto& text : hostile_in_sip) {
    SCOPED_TRACE(text);
    sandbox box(sandbox::sample_settings());
    box.take();
    box.xmpp(stanza_of({}));
    const auto request = left_on(box, side::sip);
    ASSERT_EQ(request.size(), 1U);
    std::string answer = "SIP/2.0 486 " + text + "\r\n";
    for (const std::string name : {"Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "}) {
      const auto at = request.front().find("\r\n" + name) + 2;
      const auto line = request.front().substr(at, request.front().find("\r\n", at) - at);
      answer += line + (name == "To: " ? ";tag=p\r\n" : "\r\n");
    }
    box.sip(answer + "Content-Length: 0\r\n\r\n");
    expect_one_message(left_on(box, side::xmpp));
    EXPECT_TRUE(box.connected());
  }
}

TEST(attack, header_injection_towards_sip_by_the_text_of_a_stanza_error) {
  for (const auto& text : hostile_in_xml) {
    SCOPED_TRACE(text.substr(0, 60));
    sandbox box(sandbox::sample_settings());
    box.take();
    box.sip(request_of({}));
    const auto sent = left_on(box, side::xmpp);
    ASSERT_EQ(sent.size(), 1U);
    const auto id = *xml::parse(sent.front(), {}, xmpp::component_ns)->attr("id");
    box.xmpp("<message type='error' from='ana@xmpp.test' to='bo@sip.example' id='" + id +
             "'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
             "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>" +
             text + "</text></error></message>");
    const auto answers = left_on(box, side::sip);
    ASSERT_EQ(answers.size(), 1U);
    const auto m = sip::parse_message(answers.front(), sip::framing::datagram, {});
    ASSERT_TRUE(m && std::holds_alternative<sip::response>(*m)) << answers.front();
    EXPECT_EQ(std::get<sip::response>(*m).status, 404);
    EXPECT_EQ(answers.front().find("\nX-Evil"), std::string::npos) << answers.front();
    EXPECT_EQ(answers.front().find("\rX-Evil"), std::string::npos) << answers.front();
    EXPECT_LT(answers.front().size(), 1300U);
  }
}

}  // namespace
