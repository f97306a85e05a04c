#include "translate/pager.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.hpp"
#include "sip/wire/headers.hpp"
#include "translate/chat_text.hpp"
#include "translate/identity.hpp"
#include "translate/loop.hpp"
#include "translate/payload_loss.hpp"
#include "xml/reader.hpp"

// Any stanza and any request through the translators: what they give can be written, is read as what it was,
// and stays bounded.
namespace {

using namespace stox;

const wall_time now{std::chrono::sys_days(std::chrono::year(2020) / 1 / 1)};

void require(bool holds) {
  if (!holds) std::abort();
}

const translate::address_map& addresses() {
  static const translate::address_map map({{"sip.test", "sip.test"}, {"example.com", "sip.example.com"}});
  return map;
}

template <class T>
void require_bounded(const translate::translated<T>& made) {
  require(made.losses.size() <= translate::loss_list::limit + 1);
  for (const auto& l : made.losses) {
    require(!l.what.empty() && !l.why.empty() && l.what.size() < 256);
    require(l.what.find_first_of("\r\n") == std::string::npos);
  }
}

/// An error of XMPP as a response, and the response as an error.
void check_errors(const xmpp::message& m) {
  if (!m.error || !m.to) return;
  const auto status = translate::to_sip(*m.error, !m.from.is_bare(), {}, addresses());
  require(status.code >= 300 && status.code < 600 && status.reason.size() <= 120);
  require(status.contact.has_value() == (status.code < 400));
  const auto back = translate::to_xmpp(status.code, status.reason, status.contact, addresses());
  xmpp::message original;
  original.from = m.from;
  original.to = m.to;
  original.id = m.id;
  const auto reply = xmpp::write_error_reply(xmpp::stanza(std::move(original)), back);
  require(reply.has_value() && xml::parse(*reply, {}, "jabber:client").has_value());
  if (status.contact) require(sip::parse_uri(sip::write(*status.contact)).has_value());
}

void check_stanza(std::string_view text) {
  const auto element = xml::parse(text, {}, "jabber:client");
  if (!element) return;
  const auto stanza = xmpp::parse_stanza(*element);
  if (!stanza || !std::holds_alternative<xmpp::message>(*stanza)) return;
  const auto& m = std::get<xmpp::message>(*stanza);
  check_errors(m);
  translate::pager::sip_context c;
  c.call_id = translate::pager::call_id_of(m.thread.value_or("c-1"));
  c.from_tag = "t-1";
  c.gr = m.to ? m.to->resource : std::string{};
  c.hop_mark = translate::next_hop_mark(translate::hop_mark_of(m), "gw").value_or("");
  c.quoted = "An earlier message";
  c.now = now;
  const auto x = xmpp::read_extras(m);
  std::string room;
  require(text::is_utf8(translate::pager::own_words(m, x, room)));
  const auto made = translate::pager::to_sip(m, x, c, addresses());
  if (!made) return;
  require_bounded(*made);
  auto r = made->value;
  r.headers.prepend(sip::header::via, "SIP/2.0/TCP gw.test;branch=z9hG4bK-1");
  require(text::is_utf8(r.body) && !r.body.empty());
  const auto wire = sip::write(r);
  const sip::parse_limits wide{1 << 20, 200, 1 << 20};
  const auto parsed = sip::parse_message(wire, sip::framing::stream, wide);
  require(parsed.has_value());
  const auto& again = std::get<sip::request>(*parsed);
  require(again.body == r.body && again.headers.size() == r.headers.size() + 1);
  const auto head = sip::check_mandatory(again);
  require(head.has_value() && head->call_id == c.call_id);
  const auto from = addresses().to_jid(head->from.uri);
  require(from.has_value() && *from == m.from);
  const auto to = addresses().to_jid(sip::parse_uri(again.uri).value());
  require(to.has_value() && *to == *m.to);
}

void check_request(std::string_view text) {
  const auto parsed = sip::parse_message(text, sip::framing::datagram, {});
  if (!parsed || !std::holds_alternative<sip::request>(*parsed)) return;
  const auto& r = std::get<sip::request>(*parsed);
  const auto head = sip::check_mandatory(r);
  const auto uri = sip::parse_uri(r.uri);
  if (!head || !uri) return;
  const auto who = translate::identity_of(r, *head, {"sip.test", "example.com"});
  if (!who) {
    require(who.error().code == 403 || who.error().code == 400);
    return;
  }
  require(who->aor.host == "sip.test" || who->aor.host == "example.com");
  translate::pager::xmpp_context c;
  c.id = "x-1";
  c.now = now;
  c.hop_mark = translate::next_hop_mark(translate::hop_mark_of(r), "gw").value_or("");
  const auto made = translate::pager::to_xmpp(r, *head, *uri, who->aor, who->display, c, addresses());
  if (!made) {
    require(made.error().code >= 400 && made.error().code < 500);
    return;
  }
  require_bounded(*made);
  const auto element =
      xml::parse(xmpp::write(made->value), {1 << 20, 32, 64, 4096}, "jabber:component:accept");
  require(element.has_value());
  const auto again = xmpp::parse_stanza(*element);
  require(again.has_value() && std::get<xmpp::message>(*again) == made->value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_stanza(text);
  check_request(text);
  return 0;
}
