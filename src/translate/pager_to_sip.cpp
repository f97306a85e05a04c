#include <algorithm>
#include <utility>

#include "base/date_time.hpp"
#include "base/text.hpp"
#include "translate/chat_text.hpp"
#include "translate/display_name.hpp"
#include "translate/language.hpp"
#include "translate/loop.hpp"
#include "translate/message_head.hpp"
#include "translate/pager.hpp"
#include "translate/payload_loss.hpp"
#include "translate/receipt.hpp"
#include "xmpp/wire/xep/delay.hpp"

namespace stox::translate::pager {

namespace {

constexpr std::size_t max_subject = 256;  ///< bytes; the whole request has 1300

xmpp::stanza_error refusal(xmpp::condition c, std::string text) {
  return {xmpp::usual_type(c), c, std::move(text), {}};
}

/// RFC 2046 §4.1.1: a line of text/* ends in CRLF. XMPP clients send LF; a bare CR can come as a character
/// reference.
std::string with_crlf(const std::string& text) {
  if (text.find('\n') == std::string::npos && text.find('\r') == std::string::npos) return text;
  std::string out;
  out.reserve(text.size() + 16);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\n') {
      out += "\r\n";
      if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// "body[de]": the name of one of several texts.
std::string named(std::string_view what, const xmpp::lang_text& t) {
  std::string out = "message/" + std::string(what);
  if (is_language_tag(t.lang)) out += "[" + t.lang + "]";
  return out;
}

void add_others(loss_list& losses, std::string_view what, const std::vector<xmpp::lang_text>& all,
                const xmpp::lang_text* sent) {
  for (const auto& t : all) {
    if (&t == sent) continue;
    losses.add(named(what, t), t.text.empty() ? "empty" : "one language is sent");
  }
}

void put_subject(sip::request& r, const xmpp::message& m, const std::string& lang, loss_list& losses) {
  const auto* subject = choose(m.subjects, lang);
  add_others(losses, "subject", m.subjects, subject);
  if (subject == nullptr) return;
  auto line = sip::clean_text(subject->text, max_subject);
  if (line != subject->text) losses.add(named("subject", *subject), "made one line of at most 256 bytes");
  // RFC 3261 §20.13: the language is the body's.
  if (!text::iequals(subject->lang, lang))
    losses.add(named("subject", *subject) + "@xml:lang", "one language is named");
  if (!line.empty()) r.headers.add(sip::header::subject, std::move(line));
}

void add_identity_losses(const xmpp::message& m, const sip_context& c, loss_list& losses) {
  if (!m.id.empty()) losses.add("message@id", "kept in the transaction's record, not on the wire");
  // RFC 7572 §4 Table 1 note 2
  if (m.type != xmpp::message_type::chat) losses.add("message@type", "SIP has no types of messages");
  if (m.to->resource != c.gr) losses.add("message@to", "sent to the address of record");
  if (m.thread && !m.thread->empty() && thread_of(c.call_id) != *m.thread) {
    losses.add("message/thread", "too long for a Call-ID: a hash stands for it");
  }
  if (m.thread_parent) losses.add("message/thread@parent", "no counterpart in a MESSAGE");
}

/// From with what the sender calls himself (XEP-0172). The address beside it and P-Asserted-Identity say who
/// he is.
std::string from_value(const sip::uri& from, const xmpp::extras& x, telling& told) {
  std::string out;
  out.reserve(from.host.size() + 128);
  if (x.nick) {
    const auto name = safe_display_name(*x.nick);
    told.part = !name.empty();
    told.name = told.part && name == *x.nick;
    if (told.part) out += sip::quote(name) + ' ';
  }
  add_angled(out, from);
  return out;
}

constexpr auto max_delay = std::chrono::days(30);

/// Why a time is not that of sending; empty: it is. XEP-0203 §5: everybody can write one; who may know is the
/// sender and his server, and neither holds a message for years.
std::string_view why_no_date(const xmpp::delay& d, const xmpp::jid& sender, wall_time now) {
  const auto from = xmpp::jid::parse(d.from);
  if (!from || (*from != sender.bare() && *from != xmpp::jid{{}, sender.domain, {}}))
    return "not of the sender or his server";
  // In seconds: a peer may name a year that no finer clock reaches.
  const auto at = std::chrono::floor<std::chrono::seconds>(now);
  if (d.stamp > at) return "no time in the past";
  return at - d.stamp > max_delay ? "more than 30 days ago" : "";
}

/// RFC 3261 §20.17: when it was first sent.
void put_date(sip::request& r, const xmpp::message& m, wall_time now, telling& told) {
  for (const auto& payload : m.payloads) {
    const auto delay = xmpp::parse_delay(payload);
    if (!delay) continue;
    told.no_date = why_no_date(*delay, m.from, now);
    if (!told.no_date.empty()) continue;
    told.no_date = "one time is told";
    told.date = &payload;
    return r.headers.add(sip::header::date, sip::write_date(delay->stamp.time_since_epoch().count()));
  }
}

/// RFC 5438 §7.1.1: CPIM says when it was sent, and what is wanted. A failure is told wherever anything is.
void ask_for_reports(to_sip_result& out, sip::uri from, const xmpp::jid& callee, const xmpp::extras& x,
                     const sip_context& c, telling& told, const address_map& addresses) {
  const payload::imdn_request wanted{c.message_id, x.receipt_request, true, false, x.markable};
  from.params.clear();
  const auto to = addresses.to_sip(callee, false);
  if (!to || !(x.receipt_request || x.markable)) return;
  told.reports = true;
  out.plain = std::move(out.value);
  out.value = receipt::in_cpim(
      *out.plain, sip::write(from), sip::write(*to), wanted,
      told.date != nullptr ? write_date_time(xmpp::parse_delay(*told.date)->stamp) : write_date_time(c.now));
}

}  // namespace

boost::system::result<to_sip_result, xmpp::stanza_error> to_sip(const xmpp::message& m, const xmpp::extras& x,
                                                                const sip_context& c,
                                                                const address_map& addresses) {
  using sip::header;
  const auto from = addresses.to_sip(m.from, true);
  if (!from) return refusal(xmpp::condition::jid_malformed, "The sender's address has no SIP form");
  if (!m.to) return refusal(xmpp::condition::jid_malformed, "No recipient");
  xmpp::jid callee = m.to->bare();
  auto aor = addresses.to_sip(callee, false);
  if (!aor) return refusal(xmpp::condition::jid_malformed, "The recipient's address has no SIP form");
  // RFC 3261 §19.1.4: a user part is case-sensitive, a localpart is not: his own spelling finds him.
  if (!c.sip_user.empty()) aor->user = c.sip_user;
  const auto said = chat_text_of(m, x, c.quoted);
  if (!said) return said.error();
  const auto* body = said->body;
  // What we say ourselves stands between words in the sender's language; it is not the language of the text.
  const auto& lang = body != nullptr ? body->lang : m.lang;

  loss_list losses;
  add_identity_losses(m, c, losses);
  auto told = said->told;
  to_sip_result out;
  auto& r = out.value;
  std::string asserted;
  if (c.assert_identity) {
    auto user = *from;
    user.params.clear();
    asserted = angled(user);
  }
  r = begin_message({from_value(*from, x, told), c.from_tag, angled(*aor), c.call_id, std::move(asserted)});
  put_date(r, m, c.now, told);
  put_subject(r, m, lang, losses);
  if (is_language_tag(lang)) {
    r.headers.add(header::content_language, lang);
  } else if (!lang.empty()) {
    losses.add("message@xml:lang", "not a language tag");
  }
  r.headers.add(header::content_type, "text/plain;charset=UTF-8");
  if (!c.hop_mark.empty()) r.headers.add_other(std::string(hop_header), c.hop_mark);
  r.body = with_crlf(said->text());
  if (body != nullptr && said->reworded)
    losses.add(named("body", *body), "what payloads say was put into its words");
  if (said->text().find('\r') != std::string::npos)
    losses.add(body != nullptr ? named("body", *body) : "message/html", "a bare CR became the end of a line");

  // The Request-URI may name one device; To names the user.
  if (!c.gr.empty()) {
    callee.resource = c.gr;
    aor = addresses.to_sip(callee, true);
    if (!aor) return refusal(xmpp::condition::jid_malformed, "The recipient's address has no SIP form");
    if (!c.sip_user.empty()) aor->user = c.sip_user;
  }
  r.uri = sip::write(*aor);
  add_others(losses, "body", m.bodies, body);
  if (!c.message_id.empty()) ask_for_reports(out, *from, m.to->bare(), x, c, told, addresses);
  for (const auto& payload : m.payloads) add_payload_loss(losses, payload, told);
  out.losses = losses.take();
  return out;
}

}  // namespace stox::translate::pager
