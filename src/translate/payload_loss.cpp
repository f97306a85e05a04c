#include "translate/payload_loss.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "sip/wire/headers.hpp"
#include "translate/loop.hpp"

namespace stox::translate {

namespace {

constexpr std::string_view shim_ns = "http://jabber.org/protocol/shim";
constexpr std::size_t max_name = 64;

struct known_payload {
  std::string_view ns;
  std::string_view why;
};
constexpr std::array<known_payload, 13> known{{
    {"http://jabber.org/protocol/chatstates", "the peer is not known to understand typing notices"},
    {"urn:xmpp:receipts", "the 2xx only says that the message was accepted"},
    {"urn:xmpp:chat-markers:0", "the peer is not known to report what was displayed"},
    {"http://jabber.org/protocol/xhtml-im", "the plain text is sent"},
    {"http://jabber.org/protocol/nick", "anybody can claim any nickname"},
    {"urn:xmpp:delay", "a MESSAGE carries no time of sending"},
    {"jabber:x:oob", "the address is sent where the text holds it"},
    {"urn:xmpp:message-correct:0", "sent as a new message"},
    {"urn:xmpp:hints", "hints are for XMPP servers"},
    {"urn:xmpp:sid:0", "ids are kept on the XMPP side"},
    {"urn:xmpp:reply:0", "the text is sent without what it answers"},
    {"urn:xmpp:fallback:0", "the fallback text is sent"},
    {"urn:xmpp:reactions:0", "SIP has no reactions"},
}};

/// Fields that are carried or have done their work here: routing, trust, negotiation, the sender's software.
constexpr bool is_routine(sip::header h) {
  using enum sip::header;
  constexpr std::array routine{
      via,           route,          record_route,        max_forwards,         from,      to,
      call_id,       cseq,           p_asserted_identity, p_preferred_identity, privacy,   identity,
      authorization, require,        proxy_authorization, proxy_require,        supported, allow,
      accept,        allow_events,   accept_encoding,     accept_language,      path,      service_route,
      user_agent,    server,         timestamp,           mime_version,         subject,   content_encoding,
      content_type,  content_length, content_language};
  return std::find(routine.begin(), routine.end(), h) != routine.end();
}

struct known_header {
  sip::header id;
  std::string_view why;
};
constexpr std::array<known_header, 7> lost{{
    {sip::header::contact, "not allowed in a MESSAGE"},
    {sip::header::expires, "XMPP does not drop a message when its time is over"},
    {sip::header::date, "the time of sending is not carried"},
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

void add_payload_loss(loss_list& losses, const xml::element& payload) {
  if (payload.is("headers", shim_ns)) {
    for (const auto* header : payload.elements()) {
      const auto* name = header->attr("name");
      if (name != nullptr && text::iequals(*name, hop_header)) continue;
      losses.add("message/headers/" + shown(name != nullptr ? *name : header->name),
                 "stanza headers have no SIP names");
    }
    return;
  }
  const auto at =
      std::find_if(known.begin(), known.end(), [&payload](const auto& k) { return k.ns == payload.ns; });
  losses.add("message/" + shown(payload.name), at != known.end() ? at->why : "no counterpart in a MESSAGE");
}

void add_header_losses(loss_list& losses, const sip::header_list& headers) {
  for (const auto& field : headers.fields()) {
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
