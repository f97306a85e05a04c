#pragma once

#include <chrono>

namespace stox {

/// Monotonic time: deadlines and ages are reckoned in it.
using steady_time = std::chrono::steady_clock::time_point;
/// Calendar time: Date, delay and expiry are reckoned in it.
using wall_time = std::chrono::system_clock::time_point;
using duration = std::chrono::nanoseconds;

/// One reading of both clocks. The core never reads a clock: every event carries the instant at which it
/// happened, so a conversation can be replayed in virtual time.
struct instant {
  steady_time steady;
  wall_time wall;

  friend instant operator+(instant t, duration d) {
    return {t.steady + d, t.wall + std::chrono::duration_cast<wall_time::duration>(d)};
  }
};

}  // namespace stox
