#pragma once

#include <vector>

#include "base/ids.hpp"
#include "dns/record.hpp"

namespace stox::dns {

/// The order in which servers are to be tried: by priority, and among equals drawn at random in proportion to
/// their weights (RFC 2782, "Weight").
std::vector<srv_record> in_order(std::vector<srv_record> records, id_source& random);

/// By order, then preference (RFC 3403 §4.1); equals stay as they came.
std::vector<naptr_record> in_order(std::vector<naptr_record> records);

}  // namespace stox::dns
