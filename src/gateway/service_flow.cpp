#include "gateway/service_flow.hpp"

#include <optional>
#include <string>
#include <utility>

#include "gateway/self_description.hpp"
#include "translate/typed_address.hpp"
#include "xmpp/wire/xep/caps.hpp"
#include "xmpp/wire/xep/disco.hpp"
#include "xmpp/wire/xep/entity_time.hpp"
#include "xmpp/wire/xep/ping.hpp"
#include "xmpp/wire/xep/prompt.hpp"
#include "xmpp/wire/xep/vcard.hpp"
#include "xmpp/wire/xep/version.hpp"

namespace stox::gateway {

namespace {

/// The payload of the result, if it has one, or why there is none.
using answer = boost::system::result<std::optional<xml::element>, xmpp::stanza_error>;

xmpp::stanza_error refusal(xmpp::condition why, std::string text = {}) {
  return {xmpp::usual_type(why), why, std::move(text), {}};
}

xmpp::stanza_error unavailable() { return refusal(xmpp::condition::service_unavailable); }

answer disco_info(const xmpp::jid& to, const std::string& node, context& c) {
  const auto info = describe_node(to, node, c.settings().gateway.contact, skills_of(to, c));
  if (!info) return refusal(xmpp::condition::item_not_found);
  return std::optional(xmpp::disco::write(*info));
}

answer disco_items(const std::string& node) {
  if (!node.empty()) return refusal(xmpp::condition::item_not_found);
  return std::optional(xmpp::disco::write(xmpp::disco::items{}));
}

answer vcard(const xmpp::jid& to, xmpp::vcard::form form, const context& c) {
  const auto card = card_of(to, c.domains().addresses);
  // XEP-0054 §3.3: the same answer as where nobody is.
  if (!card) {
    return refusal(form == xmpp::vcard::form::temp ? xmpp::condition::service_unavailable
                                                   : xmpp::condition::item_not_found);
  }
  return std::optional(xmpp::vcard::write(*card, form));
}

answer jid_of_typed(const xml::element& query, const xmpp::jid& to, const context& c) {
  const auto typed = xmpp::prompt::typed_in(query);
  if (!typed) return refusal(xmpp::condition::bad_request, "No <prompt/> with an address");
  const auto jid = translate::typed_address(*typed, to.domain, c.domains().addresses);
  if (!jid) return jid.error();
  if (!c.domains().serves_xmpp(jid->domain))
    return refusal(xmpp::condition::item_not_found, "This gateway does not serve that domain");
  return std::optional(xmpp::prompt::write_jid(jid->to_string()));
}

answer got(const xmpp::jid& to, const xml::element& payload, context& c) {
  if (const auto query = xmpp::disco::parse_info(payload)) return disco_info(to, query->node, c);
  if (const auto query = xmpp::disco::parse_items(payload)) return disco_items(query->node);
  if (const auto form = xmpp::vcard::form_of(payload)) return vcard(to, *form, c);
  if (xmpp::ping::is_ping(payload)) return std::optional<xml::element>();
  if (!to.local.empty()) return unavailable();
  if (xmpp::version::is_query(payload)) return std::optional(xmpp::version::write("Stox", STOX_VERSION));
  if (xmpp::entity_time::is_query(payload)) return std::optional(xmpp::entity_time::write(c.now().wall));
  if (xmpp::prompt::is_query(payload))
    return std::optional(xmpp::prompt::write_question(
        "Type the SIP address (bob@sip.example) or the telephone number (+1 212 555 0101) of the person.",
        "SIP address"));
  return unavailable();
}

answer set(const xmpp::jid& to, const xml::element& payload, const context& c) {
  // XEP-0054 §3.2: nobody sets the vCard of somebody else.
  if (xmpp::vcard::form_of(payload)) return refusal(xmpp::condition::forbidden);
  if (xmpp::prompt::is_query(payload) && to.local.empty()) return jid_of_typed(payload, to, c);
  return unavailable();
}

std::string reply(const xmpp::iq& i, context& c) {
  const auto made = i.type == xmpp::iq_type::get ? got(*i.to, *i.payload, c) : set(*i.to, *i.payload, c);
  if (made) return xmpp::write_result(i, *made);
  return *xmpp::write_error_reply(xmpp::stanza(i), made.error());
}

std::string blocked_reply(const xmpp::iq& i) {
  return *xmpp::write_error_reply(xmpp::stanza(i),
                                  refusal(xmpp::condition::forbidden, "Blocked by the operator"));
}

/// XEP-0115 §6.1: every presence says what its sender is.
void send(xmpp::presence p, context& c) {
  for (auto& e : xmpp::caps::write(describe(p.from, c.settings().gateway.contact, skills_of(p.from, c))))
    p.payloads.push_back(std::move(e));
  c.send_or_queue(p.from.domain, p.to->domain, xmpp::write(p));
}

}  // namespace

void service_flow::handle(const xmpp::iq& i, context& c) {
  switch (i.type) {
    case xmpp::iq_type::result:
    case xmpp::iq_type::error: return;  // we asked nothing; RFC 6120 §8.2.3 wants no answer
    case xmpp::iq_type::get:
    case xmpp::iq_type::set:
      c.send_or_queue(i.to->domain, i.from.domain, c.blocks(i.from) ? blocked_reply(i) : reply(i, c));
      return;
  }
}

void service_flow::handle(const xmpp::presence& p, context& c) {
  if (c.blocks(p.from)) return;
  xmpp::presence answer;
  answer.from = p.to->bare();
  // The gateway itself is there for everybody who asks; it needs no list of them.
  if (p.type == "probe" && p.to->local.empty()) {
    answer.to = p.from;
    return send(std::move(answer), c);
  }
  // Presence of users does not cross yet. A request to subscribe is denied (RFC 6121 §3.1.4), so that it does
  // not stay pending for ever; what a server broadcasts by itself asks for no answer.
  if (p.type != "subscribe") return;
  answer.to = p.from.bare();
  answer.type = "unsubscribed";
  xml::element status("status", "jabber:component:accept");
  status.add_text("This gateway carries no presence yet");
  answer.payloads.push_back(std::move(status));
  send(std::move(answer), c);
}

}  // namespace stox::gateway
