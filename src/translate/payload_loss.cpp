#include "translate/payload_loss.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "sip/wire/headers.hpp"
#include "translate/loop.hpp"
#include "translate/quote.hpp"
#include "xmpp/wire/xep/markers.hpp"
#include "xmpp/wire/xep/receipts.hpp"

namespace stox::translate {

namespace {

constexpr std::string_view shim_ns = "http://jabber.org/protocol/shim";
constexpr std::size_t max_name = 64;

struct known_payload {
  std::string_view ns;
  std::string_view why;
};
constexpr std::array<known_payload, 9> known{{
    {"http://jabber.org/protocol/chatstates", "a text says as much"},
    {"urn:xmpp:receipts", "the 2xx only says that the message was accepted"},
    {"urn:xmpp:chat-markers:0", "the peer is not known to report what was displayed"},
    {"urn:xmpp:message-correct:0", "sent again with a mark in front"},
    {"urn:xmpp:message-retract:1", "one line asks for it: SIP cannot take a message back"},
    {"urn:xmpp:fasten:0", "one line tells of it"},
    {"urn:xmpp:reactions:0", "one line tells of it"},
    {"urn:xmpp:attention:0", "one line tells of it"},
    {"urn:xmpp:sid:0", "ids are kept on the XMPP side"},
}};

std::string_view why_no_fallback(const xml::element& e, const telling& told) {
  const auto* feature = e.attr("for");
  const auto name = feature != nullptr ? std::string_view(*feature) : std::string_view();
  if (std::find(told.replaced.begin(), told.replaced.end(), name) == told.replaced.end())
    return "the fallback text is sent";
  if (name != "urn:xmpp:reply:0") return "our own words stand for it";
  return told.quote ? "a short quote stands for it" : "nothing in it can be quoted";
}

std::string_view why_no_reply(const telling& told) {
  if (told.quote_sent) return "the quote in the text is sent as it stands";
  return told.quote ? "a quote stands for it" : "the text is sent without what it answers";
}

/// nullopt: it shares nothing.
std::optional<std::string_view> why_no_share(const xml::element& e, const telling& told) {
  std::vector<xmpp::shared_link> shared;
  if (!xmpp::read_shared(e, shared)) return std::nullopt;
  if (shared.empty() || shared.front().url.empty()) return "it has no address";
  const auto& link = shared.front();
  const auto at = std::find_if(told.links.begin(), told.links.end(),
                               [&link](const auto* l) { return l->url == link.url; });
  if (at == told.links.end()) return "its address is not told";
  if (e.ns == xmpp::oob_ns) return "the text holds the address";
  // Of one address told by several payloads the first name counts.
  const bool all = link.name == (*at)->name && link.size == (*at)->size;
  return all ? "its address, name and size are told, no more" : "its address is told, no more";
}

std::string_view why_no_hint(const xml::element& e) {
  if (e.name == "no-store" || e.name == "no-permanent-store")
    return "nothing of the text is kept here for quoting";
  if (e.name == "no-copy") return "nothing is copied here";
  return "hints are for XMPP servers";
}

/// Why a payload is lost whose fate depends on the message; nullopt: it is none of these.
std::optional<std::string_view> why_in_this_message(const xml::element& e, const telling& told) {
  if (e.ns == "urn:xmpp:reply:0") return why_no_reply(told);
  if (e.ns == "urn:xmpp:fallback:0") return why_no_fallback(e, told);
  if (e.ns == "urn:xmpp:hints") return why_no_hint(e);
  if (xmpp::receipts::parse_received(e) || xmpp::parse_marker(e))
    return "a report of its own tells it to who asked for one";
  if (const auto why = why_no_share(e, told)) return why;
  if (e.ns == "urn:xmpp:forward:0") {
    if (told.forwarded != &e) return "one text is quoted, if there is one";
    return forwards_encrypted(e) ? "encrypted, which is said" : "quoted, six lines at most";
  }
  if (e.ns == "urn:xmpp:delay") return told.date == &e ? "Date tells the time, no more" : told.no_date;
  if (e.ns == "http://jabber.org/protocol/xhtml-im")
    return told.html ? "its text is sent" : "the plain text is sent";
  if (e.ns == "http://jabber.org/protocol/nick")
    return told.part ? "cleaned, at most 64 bytes" : "looks like an address";
  return std::nullopt;
}

/// Fields that are carried or have done their work here: routing, trust, negotiation, the sender's software.
constexpr bool is_routine(sip::header h) {
  using enum sip::header;
  constexpr std::array routine{via,
                               route,
                               record_route,
                               max_forwards,
                               from,
                               to,
                               call_id,
                               cseq,
                               p_asserted_identity,
                               p_preferred_identity,
                               privacy,
                               identity,
                               authorization,
                               require,
                               proxy_authorization,
                               proxy_require,
                               supported,
                               allow,
                               accept,
                               allow_events,
                               accept_encoding,
                               accept_language,
                               path,
                               service_route,
                               user_agent,
                               server,
                               timestamp,
                               mime_version,
                               subject,
                               content_encoding,
                               content_type,
                               content_length,
                               content_language,
                               date};
  return std::find(routine.begin(), routine.end(), h) != routine.end();
}

struct known_header {
  sip::header id;
  std::string_view why;
};
constexpr std::array<known_header, 6> lost{{
    {sip::header::contact, "not allowed in a MESSAGE"},
    {sip::header::expires, "XMPP does not drop a message when its time is over"},
    {sip::header::priority, "XMPP messages have no priority"},
    {sip::header::reply_to, "answers go to the sender"},
    {sip::header::in_reply_to, "the call is not known to the XMPP side"},
    {sip::header::content_disposition, "the text is shown as the message"},
}};

std::string shown(std::string_view name) { return sip::clean_text(name, max_name); }

}  // namespace

void loss_list::add(std::string what, std::string_view why) {
  if (losses_.size() == limit) {
    ++more_;
  } else {
    losses_.push_back({std::move(what), std::string(why)});
  }
}

std::vector<loss> loss_list::take() {
  if (more_ > 0) losses_.push_back({"more", std::to_string(more_) + " further pieces"});
  return std::move(losses_);
}

void add_payload_loss(loss_list& losses, const xml::element& payload, const telling& told) {
  if (told.name && payload.ns == "http://jabber.org/protocol/nick") return;
  if (told.reports && (xmpp::receipts::is_request(payload) || xmpp::is_markable(payload))) return;
  if (payload.is("headers", shim_ns)) {
    for (const auto* header : payload.elements()) {
      const auto* name = header->attr("name");
      if (name != nullptr && text::iequals(*name, hop_header)) continue;
      losses.add("message/headers/" + shown(name != nullptr ? *name : header->name),
                 "stanza headers have no SIP names");
    }
    return;
  }
  auto what = "message/" + shown(payload.name);
  if (const auto why = why_in_this_message(payload, told)) return losses.add(std::move(what), *why);
  const auto at =
      std::find_if(known.begin(), known.end(), [&payload](const auto& k) { return k.ns == payload.ns; });
  losses.add(std::move(what), at != known.end() ? at->why : "no counterpart in a MESSAGE");
}

void add_header_losses(loss_list& losses, const sip::header_list& headers) {
  for (const auto field : headers) {
    if (field.id == sip::header::other) {
      if (!text::iequals(field.name, hop_header))
        losses.add("sip " + shown(field.name), "no counterpart in a stanza");
    } else if (!is_routine(field.id)) {
      const auto at =
          std::find_if(lost.begin(), lost.end(), [&field](const auto& l) { return l.id == field.id; });
      losses.add("sip " + std::string(sip::to_string(field.id)),
                 at != lost.end() ? at->why : "no counterpart in a stanza");
    }
  }
}

}  // namespace stox::translate
