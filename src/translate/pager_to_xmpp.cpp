#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "translate/display_name.hpp"
#include "translate/language.hpp"
#include "translate/loop.hpp"
#include "translate/pager.hpp"
#include "translate/payload_loss.hpp"
#include "xml/element.hpp"
#include "xmpp/wire/xep/delay.hpp"
#include "xmpp/wire/xep/nick.hpp"

namespace stox::translate::pager {

namespace {

constexpr std::string_view shim_ns = "http://jabber.org/protocol/shim";
constexpr std::size_t max_subject = 1024;
constexpr auto on_time = std::chrono::seconds(10);        ///< clocks differ, and proxies try several servers
constexpr std::string_view replacement = "\xEF\xBF\xBD";  ///< U+FFFD

sip_status refusal(std::uint16_t code, std::string reason) { return {code, std::move(reason), {}, false}; }

enum class charset : std::uint8_t { utf8, ascii, latin1 };

/// RFC 3428 §4 and RFC 3261 §7.4.1: UTF-8 unless it says another.
std::optional<charset> charset_of(const sip::media_type& type) {
  const auto name = type.param_value("charset");
  if (!name || text::iequals(*name, "utf-8") || text::iequals(*name, "utf8")) return charset::utf8;
  if (text::iequals(*name, "us-ascii") || text::iequals(*name, "ascii")) return charset::ascii;
  if (text::iequals(*name, "iso-8859-1") || text::iequals(*name, "latin1")) return charset::latin1;
  return std::nullopt;
}

/// The body in UTF-8; nullopt: it is not what it says.
std::optional<std::string> to_utf8(const std::string& body, charset set) {
  switch (set) {
    case charset::utf8:
      if (!text::is_utf8(body)) return std::nullopt;
      return body;
    case charset::ascii:
      if (std::any_of(body.begin(), body.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7f; }))
        return std::nullopt;
      return body;
    case charset::latin1: break;
  }
  std::string out;
  out.reserve(body.size() + body.size() / 8);
  for (const char c : body) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return out;
}

/// Lines end in LF, as XML 1.0 §2.11 would make them anyway.
std::string with_lf(std::string text) {
  if (text.find('\r') == std::string::npos) return text;
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      out += '\n';
    }
  }
  return out;
}

/// Puts U+FFFD where valid UTF-8 holds what XML 1.0 §2.2 does not allow: C0 controls, U+FFFE and U+FFFF.
std::string with_xml_chars(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
      out += replacement;
    } else if (text.substr(i, 2) == "\xEF\xBF" && static_cast<unsigned char>(text[i + 2]) >= 0xbe) {
      out += replacement;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// The text of the message. Errors: 400, 415.
boost::system::result<std::string, sip_status> body_of(const sip::request& r, loss_list& losses) {
  sip::media_type type{"text", "plain", {}};
  if (const auto* value = r.headers.find(sip::header::content_type)) {
    auto parsed = sip::parse_media_type(*value);
    if (!parsed) return refusal(400, "Bad Content-Type");
    type = *std::move(parsed);
  }
  // Admission asked already; a body that is not text must not be shown as text.
  if (!type.is("text", "plain")) return refusal(415, {});
  const auto set = charset_of(type);
  if (!set) return refusal(415, "Unsupported charset");
  for (const auto& p : type.params) {
    if (!text::iequals(p.name, "charset"))
      losses.add("sip Content-Type;" + sip::clean_text(p.name, 64), "the text is sent as it is");
  }
  auto utf8 = to_utf8(r.body, *set);
  if (!utf8) return refusal(400, "Body does not match its charset");
  auto text = with_lf(*std::move(utf8));
  if (text.empty()) return refusal(400, "Empty message");
  if (!xml::is_xml_text(text)) {
    text = with_xml_chars(text);
    losses.add("sip body", "control characters that XML does not allow became U+FFFD");
  }
  return text;
}

std::string language_of(const sip::request& r, loss_list& losses) {
  std::string lang;
  for (const auto element : r.headers.elements(sip::header::content_language)) {
    const auto tag = text::trim(element);
    if (!is_language_tag(tag)) {
      losses.add("sip Content-Language", "not a language tag");
    } else if (lang.empty()) {
      lang = tag;
    } else {
      losses.add("sip Content-Language", "a stanza has one language");
    }
  }
  return lang;
}

void put_subject(xmpp::message& m, const sip::request& r, loss_list& losses) {
  const auto* subject = r.headers.find(sip::header::subject);
  if (subject == nullptr || subject->empty()) return;
  auto line = with_xml_chars(sip::clean_text(*subject, max_subject));
  if (line != *subject) losses.add("sip Subject", "cleaned, at most 1024 bytes");
  if (!line.empty()) m.subjects.push_back({m.lang, std::move(line)});
}

/// XEP-0172; the address beside it says who he is.
void put_nick(xmpp::message& m, const std::string& display, loss_list& losses) {
  if (display.empty()) return;
  const auto name = with_xml_chars(safe_display_name(display));
  if (name.empty()) return losses.add("sip From display name", "looks like an address");
  if (name != display) losses.add("sip From display name", "cleaned, at most 64 bytes");
  m.payloads.push_back(xmpp::nick::write(name));
}

/// RFC 3428 §4: when the message was sent. What comes on time needs no stamp.
void put_delay(xmpp::message& m, const sip::request& r, wall_time now, loss_list& losses) {
  const auto* value = r.headers.find(sip::header::date);
  if (value == nullptr) return;
  const auto seconds = sip::parse_date(*value);
  if (!seconds) return losses.add("sip Date", "not a date");
  const std::chrono::sys_seconds sent{std::chrono::seconds(*seconds)};
  // In seconds: a peer may name a year that no finer clock reaches.
  const auto at = std::chrono::floor<std::chrono::seconds>(now);
  if (sent > at + on_time) return losses.add("sip Date", "a time that has not come yet");
  if (at - sent > on_time && sent >= std::chrono::sys_seconds{})
    m.payloads.push_back(xmpp::write(xmpp::delay{m.from.bare_text(), sent}));
}

xml::element shim_of(const std::string& hop_mark) {
  xml::element headers("headers", std::string(shim_ns));
  xml::element header("header", std::string(shim_ns));
  header.set("name", std::string(hop_header));
  header.add_text(hop_mark);
  headers.add(std::move(header));
  return headers;
}

}  // namespace

/// RFC 3261 §21.4.5 and §21.4.1: what cannot be an address is not found; what is broken is a bad request.
sip_status no_recipient(const error& e) {
  if (e.code == make_error_code(address_errc::bad_scheme)) return refusal(416, {});
  if (e.code == make_error_code(address_errc::bad_escape)) return refusal(400, "Bad escape in Request-URI");
  return refusal(404, "Not an XMPP address");
}

boost::system::result<translated<xmpp::message>, sip_status> to_xmpp(
    const sip::request& r, const sip::essentials& head, const sip::uri& request_uri, const sip::uri& from,
    const std::string& display, const xmpp_context& c, const address_map& addresses) {
  auto to = addresses.to_jid(request_uri);
  if (!to) return no_recipient(to.error());
  auto sender = addresses.to_jid(from);
  if (!sender) return refusal(400, "From has no XMPP form");
  return to_xmpp(r, head, *std::move(sender), *std::move(to), display, c);
}

boost::system::result<translated<xmpp::message>, sip_status> to_xmpp(const sip::request& r,
                                                                     const sip::essentials& head,
                                                                     xmpp::jid from, xmpp::jid to,
                                                                     const std::string& display,
                                                                     const xmpp_context& c) {
  loss_list losses;
  translated<xmpp::message> out;
  auto& m = out.value;
  m.from = std::move(from);
  m.to = std::move(to);
  m.id = c.id;
  m.type = c.type;
  if (m.to->is_bare()) {
    m.to->resource = c.resource;
  } else if (m.type == xmpp::message_type::normal && m.to->resource != c.resource) {
    // RFC 7572 §5 addresses the user; a device only once it spoke here.
    m.to->resource.clear();
    losses.add("sip Request-URI;gr", "this device did not speak in this conversation");
  }
  auto text = body_of(r, losses);
  if (!text) return text.error();
  m.lang = language_of(r, losses);
  put_subject(m, r, losses);
  m.bodies.push_back({m.lang, *std::move(text)});
  if (auto thread = thread_of(head.call_id); xml::is_xml_text(thread)) {
    m.thread = std::move(thread);
  } else {
    losses.add("sip Call-ID", "not text that XML allows");
  }
  put_nick(m, display, losses);
  put_delay(m, r, c.now, losses);
  add_header_losses(losses, r.headers);
  if (!c.hop_mark.empty()) m.payloads.push_back(shim_of(c.hop_mark));
  out.losses = losses.take();
  return out;
}

}  // namespace stox::translate::pager
