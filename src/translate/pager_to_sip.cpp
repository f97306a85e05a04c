#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "translate/language.hpp"
#include "translate/loop.hpp"
#include "translate/pager.hpp"
#include "translate/payload_loss.hpp"

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

void put_subject(sip::request& r, const xmpp::message& m, const xmpp::lang_text& body, loss_list& losses) {
  const auto* subject = choose(m.subjects, body.lang);
  add_others(losses, "subject", m.subjects, subject);
  if (subject == nullptr) return;
  auto line = sip::clean_text(subject->text, max_subject);
  if (line != subject->text) losses.add(named("subject", *subject), "made one line of at most 256 bytes");
  // RFC 3261 §20.13: the language is the body's.
  if (!text::iequals(subject->lang, body.lang))
    losses.add(named("subject", *subject) + "@xml:lang", "one language is named");
  if (!line.empty()) r.headers.add(sip::header::subject, std::move(line));
}

void add_identity_losses(const xmpp::message& m, const sip_context& c, loss_list& losses) {
  if (!m.id.empty()) losses.add("message@id", "kept in the transaction's record, not on the wire");
  // RFC 7572 §4 Table 1 note 2
  if (m.type == xmpp::message_type::normal) losses.add("message@type", "SIP has no types of messages");
  if (m.to->resource != c.gr) losses.add("message@to", "sent to the address of record");
  if (m.thread && !m.thread->empty() && thread_of(c.call_id) != *m.thread) {
    losses.add("message/thread", "too long for a Call-ID: a hash stands for it");
  }
  if (m.thread_parent) losses.add("message/thread@parent", "no counterpart in a MESSAGE");
}

std::string angled(const sip::uri& u) {
  std::string out;
  out.reserve(u.host.size() + 64);
  out += '<';
  sip::write_to(out, u);
  out += '>';
  return out;
}

}  // namespace

boost::system::result<translated<sip::request>, xmpp::stanza_error> to_sip(const xmpp::message& m,
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
  const auto* body = choose(m.bodies, m.lang);
  if (body == nullptr) return refusal(xmpp::condition::not_acceptable, "Empty message");

  loss_list losses;
  add_identity_losses(m, c, losses);
  translated<sip::request> out;
  auto& r = out.value;
  r.method = sip::method::message;
  r.method_name = "MESSAGE";
  r.headers.fields().reserve(16);
  r.headers.add(header::max_forwards, "70");
  r.headers.add(header::from, angled(*from) + ";tag=" + c.from_tag);
  r.headers.add(header::to, angled(*aor));
  r.headers.add(header::call_id, c.call_id);
  r.headers.add(header::cseq, std::to_string(c.cseq) + " MESSAGE");
  // RFC 3428 §4: no Contact.
  if (c.assert_identity) {
    auto asserted = *from;
    asserted.params.clear();
    r.headers.add(header::p_asserted_identity, angled(asserted));
  }
  put_subject(r, m, *body, losses);
  if (is_language_tag(body->lang)) {
    r.headers.add(header::content_language, body->lang);
  } else if (!body->lang.empty()) {
    losses.add("message@xml:lang", "not a language tag");
  }
  r.headers.add(header::content_type, "text/plain;charset=UTF-8");
  if (!c.hop_mark.empty()) r.headers.add_other(std::string(hop_header), c.hop_mark);
  r.body = with_crlf(body->text);
  if (body->text.find('\r') != std::string::npos)
    losses.add(named("body", *body), "a bare CR became the end of a line");

  // The Request-URI may name one device; To names the user.
  if (!c.gr.empty()) {
    callee.resource = c.gr;
    aor = addresses.to_sip(callee, true);
    if (!aor) return refusal(xmpp::condition::jid_malformed, "The recipient's address has no SIP form");
    if (!c.sip_user.empty()) aor->user = c.sip_user;
  }
  r.uri = sip::write(*aor);
  add_others(losses, "body", m.bodies, body);
  for (const auto& payload : m.payloads) add_payload_loss(losses, payload);
  out.losses = losses.take();
  return out;
}

}  // namespace stox::translate::pager
