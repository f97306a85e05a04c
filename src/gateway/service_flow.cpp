#include "gateway/service_flow.hpp"

#include <optional>
#include <string>
#include <utility>

#include "translate/loop.hpp"
#include "xmpp/wire/xep/disco.hpp"
#include "xmpp/wire/xep/ping.hpp"
#include "xmpp/wire/xep/shim.hpp"
#include "xmpp/wire/xep/version.hpp"

namespace stox::gateway {

namespace {

const xmpp::stanza_error unavailable{xmpp::error_type::cancel, xmpp::condition::service_unavailable, {}, {}};

const xmpp::stanza_error blocked{
    xmpp::error_type::auth, xmpp::condition::forbidden, "Blocked by the operator", {}};

const xmpp::stanza_error no_such_node{xmpp::error_type::cancel, xmpp::condition::item_not_found, {}, {}};

/// XEP-0106 §6: without this feature a client must take the gateway for one that does not understand "\40".
constexpr std::string_view jid_escaping = "jid\\20escaping";

/// What we are: the gateway itself, a user, or a user's device. Every feature named is one that we answer.
/// Only the form of the address counts, so nothing tells whether the user exists.
xmpp::disco::info describe(const xmpp::jid& to) {
  xmpp::disco::info info;
  if (to.local.empty()) {
    info.identities.push_back({"gateway", "simple", "Stox SIP gateway"});
  } else if (to.is_bare()) {
    info.identities.push_back({"account", "registered", {}});
  } else {
    info.identities.push_back({"client", "phone", {}});
  }
  for (const auto feature :
       {xmpp::disco::info_ns, xmpp::disco::items_ns, xmpp::shim::ns, jid_escaping, xmpp::ping::ns}) {
    info.features.emplace_back(feature);
  }
  if (to.local.empty()) info.features.emplace_back(xmpp::version::ns);
  return info;
}

/// The answer to disco#info; nullopt: no such node. XEP-0131 §4: the node of SHIM lists the headers that are
/// understood.
std::optional<xmpp::disco::info> describe_node(const xmpp::jid& to, const std::string& node) {
  if (node.empty()) return describe(to);
  if (node != xmpp::shim::ns) return std::nullopt;
  xmpp::disco::info info;
  info.node = node;
  info.features.push_back(std::string(xmpp::shim::ns) + "#" + std::string(translate::hop_header));
  return info;
}

std::optional<std::string> answer(const xmpp::iq& i) {
  const auto& payload = *i.payload;
  if (i.type == xmpp::iq_type::get) {
    if (const auto query = xmpp::disco::parse_info(payload)) {
      const auto info = describe_node(*i.to, query->node);
      if (!info) return xmpp::write_error_reply(xmpp::stanza(i), no_such_node);
      return xmpp::write_result(i, xmpp::disco::write(*info));
    }
    if (const auto query = xmpp::disco::parse_items(payload)) {
      if (!query->node.empty()) return xmpp::write_error_reply(xmpp::stanza(i), no_such_node);
      return xmpp::write_result(i, xmpp::disco::write(xmpp::disco::items{}));
    }
    if (xmpp::ping::is_ping(payload)) return xmpp::write_result(i, std::nullopt);
    if (xmpp::version::is_query(payload) && i.to->local.empty()) {
      return xmpp::write_result(i, xmpp::version::write("Stox", STOX_VERSION));
    }
  }
  return xmpp::write_error_reply(xmpp::stanza(i), unavailable);
}

}  // namespace

void service_flow::handle(const xmpp::iq& i, context& c) {
  switch (i.type) {
    case xmpp::iq_type::result:
    case xmpp::iq_type::error: return;  // we asked nothing; RFC 6120 §8.2.3 wants no answer
    case xmpp::iq_type::get:
    case xmpp::iq_type::set:
      if (const auto reply = c.blocks(i.from) ? xmpp::write_error_reply(xmpp::stanza(i), blocked) : answer(i))
        c.send_or_queue(i.to->domain, *reply);
      return;
  }
}

void service_flow::handle(const xmpp::presence& p, context& c) {
  // Presence does not cross yet. A request to subscribe is denied (RFC 6121 §3.1.4), so that it does not stay
  // pending for ever; what a server broadcasts by itself (available, unavailable, probe) asks for no answer.
  if (p.type != "subscribe") return;
  xmpp::presence denied;
  denied.from = p.to->bare();
  denied.to = p.from.bare();
  denied.type = "unsubscribed";
  xml::element status("status", "jabber:component:accept");
  status.add_text("This gateway carries no presence yet");
  denied.payloads.push_back(std::move(status));
  c.send_or_queue(p.to->domain, xmpp::write(denied));
}

}  // namespace stox::gateway
