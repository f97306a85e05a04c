#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/net_address.hpp"
#include "dns/record.hpp"

namespace stox::xmpp {

/// Where another domain's server may listen.
struct server_target {
  socket_address to;
  bool direct_tls = false;   ///< TLS from the first byte (XEP-0368); else STARTTLS
  std::string host;          ///< the name that the address belongs to
  bool secure_name = false;  ///< DNSSEC proves that the domain names this host
  friend bool operator==(const server_target&, const server_target&) = default;
};

struct located_server {
  std::vector<dns::question> questions;  ///< to be answered before there are targets; then empty
  std::vector<server_target> targets;    ///< in the order in which to try them, at most 16
  enum class reason : std::uint8_t {
    none,
    no_name,    ///< no such name, or its owner says that there is no XMPP server
    no_answer,  ///< the DNS did not answer: it may be there
  };
  reason why = reason::none;  ///< why there are neither questions nor targets
};

/// RFC 6120 §3.2.1 with XEP-0368 §3 as a pure function: called again with more answers until it asks nothing
/// more. `domain`: in A-labels, or an address. The records of both services are one set, ordered by priority
/// and weight; without any, the domain's own addresses, port 5269.
located_server locate_server(const std::string& domain, const std::map<dns::question, dns::answer>& known,
                             id_source& random);

}  // namespace stox::xmpp
