#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/instant.hpp"
#include "base/net_address.hpp"
#include "dns/penalties.hpp"
#include "sip/machine/endpoint.hpp"
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
  /// What went wrong there, for people.
  void note_failure(const target& t, std::string_view why, instant now);
  void list(peer_table& out, instant now) const;

 private:
  /// Servers that are remembered as paused, or as failed; without a configured proxy, served domains can have
  /// many.
  static constexpr std::size_t most = 256;
  struct last_failure {
    std::uint64_t times = 0;
    std::string why;
    steady_time at{};
  };
  dns::penalties penalties_;
  std::map<socket_address, steady_time> paused_;
  std::map<std::pair<transport, socket_address>, last_failure> failed_;
};

}  // namespace stox::sip
