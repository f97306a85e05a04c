#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/context.hpp"
#include "xmpp/wire/jid.hpp"
#include "xmpp/wire/xep/disco.hpp"
#include "xmpp/wire/xep/vcard.hpp"

namespace stox::gateway {

inline constexpr const char* gateway_name = "Stox SIP gateway";

/// What a SIP user's client is known to take.
struct client_skills {
  bool reports = false;  ///< CPIM and IMDN, without which no receipt comes
  bool typing = false;   ///< isComposing documents, so that chat states are shown
  friend bool operator==(const client_skills&, const client_skills&) = default;
};
client_skills skills_of(const xmpp::jid& user, context& c);

/// What we are: the gateway itself, a user, or a user's device. Every feature named is one that we answer.
/// Only the form of the address counts, so nothing tells whether the user exists, but for what his client is
/// known to take. `contact`: gateway.contact.
xmpp::disco::info describe(const xmpp::jid& to, const std::vector<std::string>& contact, client_skills known);

/// The answer to a disco#info query to a node: what is understood of SHIM (XEP-0131 §4), and the descriptions
/// under their own hashes (XEP-0115 §6.2, XEP-0390 §5.5), also under that of a user of whose client we know
/// more or less by now. nullopt: no such node.
std::optional<xmpp::disco::info> describe_node(const xmpp::jid& to, const std::string& node,
                                               const std::vector<std::string>& contact, client_skills known);

/// What follows from the address and nothing else. nullopt: the address has no SIP form.
std::optional<xmpp::vcard::card> card_of(const xmpp::jid& to, const translate::address_map& addresses);

}  // namespace stox::gateway
