#include "gateway/service_flow.hpp"

#include <string>

#include "xmpp/wire/xep/disco.hpp"
#include "xmpp/wire/xep/ping.hpp"
#include "xmpp/wire/xep/version.hpp"

namespace stox::gateway {

namespace {

const xmpp::stanza_error unavailable{xmpp::error_type::cancel, xmpp::condition::service_unavailable, {}, {}};

/// What we are: the gateway itself, or one of its users. Every feature named is one that we answer.
xmpp::disco::info describe(const xmpp::jid& to) {
  xmpp::disco::info info;
  const std::string info_ns(xmpp::disco::info_ns);
  const std::string items_ns(xmpp::disco::items_ns);
  const std::string ping_ns(xmpp::ping::ns);
  if (to.local.empty()) {
    info.identities.push_back({"gateway", "simple", "Stox SIP gateway"});
    info.features = {info_ns, items_ns, std::string(xmpp::version::ns), ping_ns};
  } else {
    info.identities.push_back({"client", "phone", {}});
    info.features = {info_ns, items_ns, ping_ns};
  }
  return info;
}

std::optional<std::string> answer(const xmpp::iq& i) {
  const auto& payload = *i.payload;
  if (i.type == xmpp::iq_type::get) {
    if (const auto query = xmpp::disco::parse_info(payload); query && query->node.empty()) {
      return xmpp::write_result(i, xmpp::disco::write(describe(*i.to)));
    }
    if (const auto query = xmpp::disco::parse_items(payload); query && query->node.empty()) {
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
      if (const auto reply = answer(i)) c.send_or_queue(i.to->domain, *reply);
      return;
  }
}

void service_flow::handle(const xmpp::presence& p, context& c) {
  // Presence does not cross yet. A request to subscribe is refused aloud, so that it does not stay pending
  // for ever; what a server broadcasts by itself (available, unavailable, probe) asks for no answer.
  if (p.type != "subscribe") return;
  const xmpp::stanza_error refused{xmpp::error_type::cancel,
                                   xmpp::condition::feature_not_implemented,
                                   "This gateway carries no presence",
                                   {}};
  if (const auto reply = xmpp::write_error_reply(xmpp::stanza(p), refused))
    c.send_or_queue(p.to->domain, *reply);
}

}  // namespace stox::gateway
