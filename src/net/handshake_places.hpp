#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>

#include "base/io.hpp"
#include "base/net_address.hpp"

namespace stox::net {

/// Who may be in a TLS handshake with us at one time. Strangers are rationed by network, as answers over UDP
/// are: a handshake costs its peer nothing and us a place, and who holds many addresses of one network is one
/// peer. Peers that are trusted by their address take no part in that, and never have to go for another one.
class handshake_places {
 public:
  struct given_up {
    conn_id who{};
    bool for_network = false;  ///< its network had its share, not all the places were taken
  };
  /// One more has begun; numbers only grow. Tells who has to go for it: the oldest of its network where that
  /// has too many, the oldest of the network that has the most where all have; the newcomer itself where all
  /// the others are trusted.
  std::optional<given_up> enter(conn_id number, const ip_address& from, bool trusted, std::size_t most,
                                std::size_t most_of_network);
  /// It is over; unknown ones are ignored.
  void leave(conn_id number);

  std::size_t size() const { return all_.size(); }

 private:
  conn_id give_way(const ip_address& network);

  std::map<conn_id, std::optional<ip_address>> all_;   ///< with a stranger's network
  std::map<ip_address, std::set<conn_id>> strangers_;  ///< by network, the oldest first
};

}  // namespace stox::net
