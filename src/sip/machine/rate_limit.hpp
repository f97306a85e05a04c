#pragma once

#include <cstdint>
#include <vector>

#include "base/instant.hpp"
#include "base/net_address.hpp"

namespace stox::sip {

/// A token bucket per source prefix (/24 or /56), for answers to peers that nobody vouched for. The table
/// never grows: prefixes share a bucket when the table has no room for each, which only makes the answers
/// fewer.
class rate_limit {
 public:
  /// `seed` decides which prefixes share a bucket, so that a sender cannot choose.
  explicit rate_limit(std::uint64_t seed) : seed_(seed) {}
  /// Whether one more answer may go to `source`; takes it from the bucket, which holds one second's worth.
  bool take(const ip_address& source, unsigned per_second, steady_time now);

 private:
  struct bucket {
    double tokens = 0;
    steady_time filled{};
    bool used = false;
  };
  std::uint64_t seed_;
  std::vector<bucket> buckets_;
};

}  // namespace stox::sip
