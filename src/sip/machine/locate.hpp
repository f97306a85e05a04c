#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/ids.hpp"
#include "dns/record.hpp"
#include "sip/machine/next_hop.hpp"

namespace stox::sip {

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
