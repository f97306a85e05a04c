#pragma once

#include <algorithm>
#include <cstdint>

#include "base/ids.hpp"
#include "base/instant.hpp"

namespace stox::xmpp {

/// Waiting times between attempts: doubled from `min` to `max`, and of each the upper half is random, so that
/// many gateways do not come back to a restarted server at the same moment.
class backoff {
 public:
  backoff(duration min, duration max) : min_(min), max_(max), next_(std::min(min, max)) {}

  /// The time to wait now, between half of the step and all of it.
  duration take(id_source& ids) {
    const duration step = next_;
    next_ = next_ > max_ / 2 ? max_ : next_ * 2;
    const auto half = step / 2;
    return half +
           duration(static_cast<duration::rep>(ids.below(static_cast<std::uint64_t>(half.count()) + 1)));
  }
  void reset() { next_ = std::min(min_, max_); }

 private:
  duration min_, max_, next_;
};

}  // namespace stox::xmpp
