#include "xmpp/wire/xep/extras.hpp"

#include <utility>

#include "xmpp/wire/xep/correction.hpp"
#include "xmpp/wire/xep/delay.hpp"
#include "xmpp/wire/xep/forwarding.hpp"
#include "xmpp/wire/xep/nick.hpp"
#include "xmpp/wire/xep/receipts.hpp"

namespace stox::xmpp {

namespace {

constexpr std::size_t max_fallbacks = 8;
constexpr std::size_t max_stanza_ids = 8;
constexpr std::string_view attention_ns = "urn:xmpp:attention:0";            // XEP-0224
constexpr std::string_view html_ns = "http://jabber.org/protocol/xhtml-im";  // XEP-0071

/// Takes the first that there is.
template <class T>
bool keep(std::optional<T>& known, std::optional<T> read) {
  if (!read) return false;
  if (!known) known = std::move(read);
  return true;
}
bool keep(std::optional<std::string>& known, const std::string* read) {
  if (read == nullptr || read->empty()) return false;
  if (!known) known = *read;
  return true;
}

bool set(bool& flag, bool is) {
  flag = flag || is;
  return is;
}

template <class T>
bool collect(std::vector<T>& known, std::optional<T> read, std::size_t limit) {
  if (!read) return false;
  if (known.size() < limit) known.push_back(*std::move(read));
  return true;
}

bool read_status(const xml::element& e, extras& out) {
  return keep(out.state, parse_chat_state(e)) || set(out.receipt_request, receipts::is_request(e)) ||
         keep(out.receipt_for, receipts::parse_received(e)) || set(out.markable, is_markable(e)) ||
         keep(out.marker, parse_marker(e));
}

bool read_reference(const xml::element& e, extras& out) {
  return keep(out.replaces, parse_replace(e)) || keep(out.retracts, parse_retract(e)) ||
         keep(out.reply_to, parse_reply(e)) || keep(out.reactions, parse_reactions(e)) ||
         collect(out.fallbacks, parse_fallback(e), max_fallbacks);
}

bool read_origin(const xml::element& e, extras& out) {
  if (const auto* id = parse_origin_id(e)) {
    if (out.origin_id.empty()) out.origin_id = *id;
    return true;
  }
  if (nick::is_nick(e)) return keep(out.nick, std::optional(e.text()));
  return collect(out.stanza_ids, parse_stanza_id(e), max_stanza_ids) || parse_delay(e).has_value();
}

bool read_content(const xml::element& e, extras& out) {
  if (e.is("html", html_ns)) {
    if (out.html == nullptr) out.html = &e;
    return true;
  }
  if (is_forwarded(e)) {
    if (out.forwarded == nullptr) out.forwarded = &e;
    return true;
  }
  return read_encryption(e, out.encrypted) || read_shared(e, out.links) ||
         set(out.attention, e.is("attention", attention_ns)) || read_hint(e, out.hints) ||
         set(out.server_copy, is_server_copy(e));
}

}  // namespace

extras read_extras(const message& m) {
  extras out;
  for (const auto& payload : m.payloads) {
    const bool known = read_status(payload, out) || read_origin(payload, out) ||
                       read_reference(payload, out) || read_content(payload, out);
    if (!known) out.unknown.push_back(&payload);
  }
  return out;
}

}  // namespace stox::xmpp
