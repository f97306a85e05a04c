#pragma once

#include <algorithm>

#include "base/instant.hpp"

/// From one clock to the other, by one reading of both. The wall clock may be set at any moment, so nothing
/// waits by it: it is read when something comes from the store, and shown to people.
namespace stox {

/// What the wall clock will show at the deadline if nobody sets it.
inline wall_time shown_as(steady_time deadline, instant now) {
  return now.wall + std::chrono::duration_cast<wall_time::duration>(deadline - now.steady);
}

/// The deadline of what was saved with an expiry. The clock may have been wrong then, or is now: nothing
/// lasts longer from now on than `most`.
inline steady_time deadline_of(wall_time expiry, instant now, duration most) {
  return now.steady + std::min<duration>(expiry - now.wall, most);
}

}  // namespace stox
