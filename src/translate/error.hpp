#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sip/wire/message.hpp"
#include "translate/address.hpp"
#include "xmpp/wire/stanza.hpp"

namespace stox::translate {

/// A SIP final response that stands for a stanza error.
struct sip_status {
  std::uint16_t code = 500;
  std::string reason;               ///< from <text/>, cleaned; empty: the default one
  std::optional<sip::uri> contact;  ///< 301 and 302 carry one
  bool allow = false;               ///< 405 carries Allow
  friend bool operator==(const sip_status&, const sip_status&) = default;
};

struct error_policy {
  bool global_failure =
      false;  ///< sip.global_failure: 6xx for errors about a bare JID, as RFC 7247 prints; else the 4xx twin
};

/// RFC 7247 §7.1 Table 2, for a non-INVITE, with the rulings of docs/decisions: never 408 (RFC 4320 §4.2),
/// never 401/407 without a challenge, never 503 for one user's failure, 301/302 only with a translatable
/// address. `to_full_jid`: whether the failed stanza named a resource.
sip_status to_sip(const xmpp::stanza_error& e, bool to_full_jid, const error_policy& policy,
                  const address_map& addresses);

/// RFC 7247 §7.2 Table 3; the text says code and reason ("404 Not Found"). `contact` of a 3xx: <gone/> and
/// <redirect/> carry it as an xmpp: URI; 410 never does.
xmpp::stanza_error to_xmpp(std::uint16_t status, std::string_view reason,
                           const std::optional<sip::uri>& contact, const address_map& addresses);

}  // namespace stox::translate
