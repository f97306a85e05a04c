#pragma once

#include <cstdint>
#include <map>
#include <unordered_set>

#include "base/net_address.hpp"

namespace stox {

/// The first `length` bits; the others are 0.
inline ip_address network_of(ip_address ip, unsigned length) {
  for (unsigned i = 0; i < ip.bytes.size(); ++i) {
    const unsigned kept = length > 8 * i ? length - 8 * i : 0;
    if (kept < 8) ip.bytes[i] &= static_cast<std::uint8_t>(0xFF00U >> kept);
  }
  return ip;
}

/// The part of the address that one network holds, a /24 or a /56: who has one address of IPv6 has a whole
/// /56 as easily.
inline ip_address rationed_network(const ip_address& ip) { return network_of(ip, ip.is_v4() ? 120 : 56); }

/// Addresses and networks: asking takes one look-up for each length of prefix that is in it, however many
/// there are.
class prefix_set {
 public:
  void add(const ip_prefix& p) { by_length_[p.length].insert(network_of(p.base, p.length)); }
  void remove(const ip_prefix& p) {
    const auto at = by_length_.find(p.length);
    if (at == by_length_.end()) return;
    at->second.erase(network_of(p.base, p.length));
    if (at->second.empty()) by_length_.erase(at);
  }
  bool contains(const ip_address& ip) const {
    for (const auto& [length, bases] : by_length_) {
      if (bases.contains(network_of(ip, length))) return true;
    }
    return false;
  }

 private:
  std::map<unsigned, std::unordered_set<ip_address>> by_length_;
};

}  // namespace stox
