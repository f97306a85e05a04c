#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "base/net_address.hpp"
#include "dns/penalties.hpp"
#include "sip/machine/next_hop.hpp"

namespace stox::sip {

/// What servers showed of late: who failed is tried last for a while (RFC 3263 §4.3), who asked for a pause
/// (503 with Retry-After, RFC 3261 §21.5.4) gets nothing until it is over. Shared by all requests.
class server_health {
 public:
  /// Those that failed lately last; else the order is kept.
  void order(std::vector<target>& targets, instant now) const;
  void punish(const target& t, duration how_long, instant now);
  void forgive(const target& t) { penalties_.forgive({t.via, t.to}); }
  /// True: it was not known to want one. A pause is never shortened.
  bool pause(const socket_address& server, duration how_long, instant now);
  bool is_paused(const socket_address& server, instant now) const;

 private:
  /// Servers that are remembered as paused; without a configured proxy, served domains can have many.
  static constexpr std::size_t max_paused = 256;
  dns::penalties penalties_;
  std::map<socket_address, steady_time> paused_;
};

/// The targets of one request, in the order in which they are tried.
class target_plan {
 public:
  /// `too_large` for one datagram: TCP first, and UDP after all if TCP could not be connected (RFC 3261
  /// §18.1.1).
  void add(const target& t, bool too_large);
  /// The next target that can be sent to, if any. `untouched`: nothing has left for the one before it. Of a
  /// target that wants a pause `why` is told.
  std::optional<target> next(const server_health& health, bool untouched, std::string& why, instant now);
  bool has_more(const server_health& health, bool untouched, instant now) const;
  /// `next` gives the current target once more.
  void again() { again_ = true; }
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
