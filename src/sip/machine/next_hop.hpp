#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/net_address.hpp"
#include "sip/wire/uri.hpp"

namespace stox::sip {

/// One server, by one transport.
struct target {
  transport via = transport::udp;
  socket_address to;
  std::string domain = {};  ///< TLS: what was located, which the server has to prove (RFC 5922 §7.3)
  friend bool operator==(const target&, const target&) = default;
};

/// What of the URI of the next hop decides where its servers are, RFC 3263 §4.
struct destination {
  std::string host;              ///< maddr if there is one; lower case, IPv6 in brackets
  std::uint16_t port = 0;        ///< 0: none was given
  std::optional<transport> via;  ///< the transport parameter
  bool secure = false;           ///< sips
  friend bool operator==(const destination&, const destination&) = default;
};
/// nullopt: not a SIP URI, or of a transport that we do not have.
std::optional<destination> destination_of(const uri& next_hop);
std::string to_string(
    const destination& d);  ///< for logs: "example.com", "sips:192.0.2.1:5071;transport=tcp"

}  // namespace stox::sip
