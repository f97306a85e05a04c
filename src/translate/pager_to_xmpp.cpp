#include <algorithm>
#include <utility>

#include "base/date_time.hpp"
#include "base/text.hpp"
#include "translate/display_name.hpp"
#include "translate/language.hpp"
#include "translate/loop.hpp"
#include "translate/pager.hpp"
#include "translate/payload_loss.hpp"
#include "translate/receipt.hpp"
#include "translate/sip_content.hpp"
#include "translate/xml_text.hpp"
#include "xml/element.hpp"
#include "xmpp/wire/xep/chat_states.hpp"
#include "xmpp/wire/xep/delay.hpp"
#include "xmpp/wire/xep/nick.hpp"

namespace stox::translate::pager {

namespace {

constexpr std::size_t max_subject = 1024;
constexpr auto on_time = std::chrono::seconds(10);  ///< clocks differ, and proxies try several servers

sip_status refusal(std::uint16_t code, std::string reason) { return {code, std::move(reason), {}, false}; }

/// The first language tag of the fields; others and what is none are named.
std::string language_of(const sip::request& r, const std::string& of_the_part, loss_list& losses) {
  std::string lang;
  const auto take = [&](std::string_view tag) {
    if (!is_language_tag(tag)) {
      losses.add("sip Content-Language", "not a language tag");
    } else if (lang.empty()) {
      lang = tag;
    } else if (lang != tag) {
      losses.add("sip Content-Language", "a stanza has one language");
    }
  };
  // What stands nearer to the text says more of it.
  if (!of_the_part.empty())
    for (const auto tag : text::split(of_the_part, ',')) take(text::trim(tag));
  for (const auto element : r.headers.elements(sip::header::content_language)) take(text::trim(element));
  return lang;
}

void put_subject(xmpp::message& m, const sip::request& r, const std::string& of_cpim, loss_list& losses) {
  const auto field = r.headers.find(sip::header::subject);
  const auto subject = field && !field->empty() ? *field : std::string_view(of_cpim);
  if (subject.empty()) return;
  auto line = with_xml_chars(sip::clean_text(subject, max_subject));
  if (line != subject) losses.add("sip Subject", "cleaned, at most 1024 bytes");
  if (!of_cpim.empty() && subject != of_cpim) losses.add("cpim Subject", "SIP names another one");
  if (!line.empty()) m.subjects.push_back({m.lang, std::move(line)});
}

/// Whether From's display name is another's than the speaker's (identity.hpp).
bool is_another_name(const sip::request& r, const sip::name_addr& from, const sip::uri& speaker) {
  return !from.display.empty() && r.headers.find(sip::header::p_asserted_identity).has_value() &&
         from.uri.is_sip() && (from.uri.user != speaker.user || !text::iequals(from.uri.host, speaker.host));
}

/// XEP-0172; the address beside it says who he is.
void put_nick(xmpp::message& m, const std::string& display, loss_list& losses) {
  if (display.empty()) return;
  const auto name = with_xml_chars(safe_display_name(display));
  if (name.empty()) return losses.add("sip From display name", "looks like an address");
  if (name != display) losses.add("sip From display name", "cleaned, at most 64 bytes");
  m.payloads.push_back(xmpp::nick::write(name));
}

/// When the message was sent: RFC 3862 §4.4, or RFC 3428 §4 of the request that brought it.
std::optional<std::chrono::sys_seconds> sent_at(const sip::request& r, const std::string& of_cpim,
                                                loss_list& losses) {
  if (!of_cpim.empty()) {
    if (const auto t = parse_date_time(of_cpim)) return t;
    losses.add("cpim DateTime", "not a time");
  }
  const auto value = r.headers.find(sip::header::date);
  if (!value) return std::nullopt;
  const auto seconds = sip::parse_date(*value);
  if (!seconds) {
    losses.add("sip Date", "not a date");
    return std::nullopt;
  }
  return std::chrono::sys_seconds(std::chrono::seconds(*seconds));
}

/// What comes on time needs no stamp.
void put_delay(xmpp::message& m, const sip::request& r, const std::string& of_cpim, wall_time now,
               loss_list& losses) {
  const auto sent = sent_at(r, of_cpim, losses);
  if (!sent) return;
  // In seconds: a peer may name a year that no finer clock reaches.
  const auto at = std::chrono::floor<std::chrono::seconds>(now);
  if (*sent > at + on_time)
    return losses.add(of_cpim.empty() ? "sip Date" : "cpim DateTime", "a time that has not come yet");
  if (at - *sent > on_time && *sent >= std::chrono::sys_seconds{})
    m.payloads.push_back(xmpp::write(xmpp::delay{m.from.bare_text(), *sent}));
}

}  // namespace

/// RFC 3261 §21.4.5 and §21.4.1: what cannot be an address is not found; what is broken is a bad request.
sip_status no_recipient(const error& e) {
  if (e.code == make_error_code(address_errc::bad_scheme)) return refusal(416, {});
  if (e.code == make_error_code(address_errc::bad_escape)) return refusal(400, "Bad escape in Request-URI");
  return refusal(404, "Not an XMPP address");
}

boost::system::result<to_xmpp_result, sip_status> to_xmpp(const sip::request& r, const sip::essentials& head,
                                                          const sip::uri& request_uri, const sip::uri& from,
                                                          const std::string& display, const xmpp_context& c,
                                                          const address_map& addresses) {
  auto to = addresses.to_jid(request_uri);
  if (!to) return no_recipient(to.error());
  auto sender = addresses.to_jid(from);
  if (!sender) return refusal(400, "From has no XMPP form");
  return to_xmpp(r, head, content_type_of(r), from, *std::move(sender), *std::move(to), display, c);
}

boost::system::result<to_xmpp_result, sip_status> to_xmpp(const sip::request& r, const sip::essentials& head,
                                                          const result<payload::content_type>& type,
                                                          const sip::uri& speaker, xmpp::jid from,
                                                          xmpp::jid to, const std::string& display,
                                                          const xmpp_context& c) {
  loss_list losses;
  to_xmpp_result out;
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
  const auto html = c.xhtml ? payload::html_form::kept : payload::html_form::plain_only;
  auto content = read_content(type, r, speaker, html, losses);
  if (!content) return content.error();
  m.lang = language_of(r, content->languages, losses);
  put_subject(m, r, content->subject, losses);
  m.bodies.push_back({m.lang, std::move(content->text)});
  if (content->xhtml) m.payloads.push_back(*std::move(content->xhtml));
  if (auto thread = thread_of(head.call_id); xml::is_xml_text(thread)) {
    m.thread = std::move(thread);
  } else {
    losses.add("sip Call-ID", "not text that XML allows");
  }
  if (is_another_name(r, head.from, speaker))
    losses.add("sip From display name", "P-Asserted-Identity names somebody else");
  put_nick(m, display, losses);
  put_delay(m, r, content->date_time, c.now, losses);
  add_header_losses(losses, r.headers);
  receipt::ask(m, content->wanted);
  // XEP-0085 §5.1: in each content message, once it is known that both sides do.
  if (c.chat_states) m.payloads.push_back(xmpp::write(xmpp::chat_state::active));
  out.wanted = std::move(content->wanted);
  out.path = std::move(content->path);
  out.date_time = std::move(content->date_time);
  if (!c.hop_mark.empty()) m.payloads.push_back(shim_of(c.hop_mark));
  out.losses = losses.take();
  return out;
}

}  // namespace stox::translate::pager
