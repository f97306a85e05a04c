#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "doctor/facts.hpp"

/// Where the XMPP servers of a domain are: RFC 6120 §3.2, XEP-0368.
namespace stox::doctor {

inline constexpr std::uint16_t xmpp_server_port = 5269;
inline constexpr std::string_view starttls_service = "_xmpp-server._tcp.";
inline constexpr std::string_view direct_tls_service = "_xmpps-server._tcp.";

/// RFC 6698 §3: where the TLSA records of a server are.
std::string tlsa_name(std::string_view host, std::uint16_t port);

struct xmpp_servers {
  std::vector<dns::question> questions;  ///< still to be answered
  std::vector<xmpp_target> targets;      ///< of what is known, in their order
  bool by_address = false;               ///< without SRV records
};

/// All that is to be asked about `ascii`, TLSA records included, and what is known to be there.
xmpp_servers find_xmpp_servers(const std::string& ascii, const dns_answers& known, id_source& random);

}  // namespace stox::doctor
