#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "sip/machine/next_hop.hpp"
#include "sip/machine/server_health.hpp"

namespace stox::sip {

/// The targets of one request, in the order in which they are tried.
class target_plan {
 public:
  void add(const target& t);
  /// A request that is too large for one datagram: TCP instead of UDP, and UDP after all only if TCP could
  /// not be connected and that `may_fall_back` (RFC 3261 §18.1.1).
  void add_by_stream(const target& t, bool may_fall_back);
  /// The next target that can be sent to, if any. `untouched`: nothing has left for the one before it. Of a
  /// target that wants a pause `why` is told.
  std::optional<target> next(const server_health& health, bool untouched, std::string& why, instant now);
  bool has_more(const server_health& health, bool untouched, instant now) const;
  /// `next` gives the current target once more.
  void again() { again_ = true; }
  /// `next` gives the current target once more, over TCP.
  void again_by_stream();
  /// Whether any target stands behind the current one, paused or not.
  bool at_end() const { return next_ == steps_.size(); }
  /// No further targets.
  void stop() { next_ = steps_.size(); }
  /// Whether a target was passed over for its pause.
  bool held_back() const { return held_back_; }

 private:
  struct step {
    target where;
    bool fallback = false;
  };
  std::vector<step> steps_;
  std::size_t next_ = 0;
  bool again_ = false;
  bool held_back_ = false;
};

}  // namespace stox::sip
