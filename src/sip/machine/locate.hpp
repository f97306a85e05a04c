#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "dns/record.hpp"
#include "sip/machine/endpoint.hpp"
#include "sip/wire/uri.hpp"

namespace stox::sip {

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

/// What we can send by.
struct reach {
  bool udp = true, tcp = true, tls = false;
  bool v4 = true, v6 = true;
};

using dns_answers = std::map<dns::question, dns::answer>;

struct located {
  std::vector<dns::question> questions;  ///< to be answered before there are targets; then empty
  std::vector<target> targets;           ///< in the order in which to try them
  enum class reason : std::uint8_t {
    none,
    no_name,       ///< no such name, or no server for SIP there
    no_answer,     ///< the DNS did not answer: it may be there
    no_transport,  ///< it offers only transports that we do not have
  };
  reason why = reason::none;  ///< why there are neither questions nor targets
};

/// The procedure of RFC 3263 §4.1 and §4.2 as a pure function: called again with more answers until it asks
/// nothing more. At most 16 targets, of at most 32 records to a question.
located locate(const destination& where, const reach& can, const dns_answers& known, id_source& random);

}  // namespace stox::sip
