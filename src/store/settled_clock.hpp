#pragma once

#include <chrono>

#include "base/instant.hpp"

namespace stox::store {

/// Says whether the wall clock may be believed with what cannot be undone: to take out what has expired.
/// Nobody can tell a clock that jumped to a wrong time from one that was set right, but a wrong one is mostly
/// set right soon: NTP does so minutes after the start, an operator when he sees it. So it is believed when
/// it has gone along with the steady clock for an hour, since the start or the last jump either way. To wait
/// costs nothing but some room, which rows_limit bounds. A machine that slept looks like a jump, and waits.
class settled_clock {
 public:
  static constexpr auto settles_in = std::chrono::hours(1);
  static constexpr auto jump = std::chrono::minutes(5);  ///< smaller steps are not told from slewing

  explicit settled_clock(instant now) : last_(now), since_(now.steady) {}

  /// Called often enough that what drifts is no jump.
  bool may_be_believed(instant now) {
    const auto moved = (now.wall - last_.wall) - (now.steady - last_.steady);
    if (moved > jump || moved < -jump) since_ = now.steady;
    last_ = now;
    return now.steady - since_ >= settles_in;
  }

 private:
  instant last_;
  steady_time since_;
};

}  // namespace stox::store
