#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

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
  /// One more has begun. Tells who has to go for it: the oldest of its network where that
  /// has too many, the oldest of the network that has the most where all have; the newcomer itself where all
  /// the others are trusted.
  std::optional<given_up> enter(conn_id number, const ip_address& from, bool trusted, std::size_t most,
                                std::size_t most_of_network);
  /// It is over; unknown ones are ignored.
  void leave(conn_id number);

  std::size_t size() const { return all_.size(); }

 private:
  /// A connection's number says nothing about when its handshake began: it may have been open for long.
  using turn = std::uint64_t;
  struct place {
    turn began = 0;
    std::optional<ip_address> network;  ///< a stranger's
  };
  conn_id give_way(const ip_address& network);

  turn last_ = 0;
  std::map<conn_id, place> all_;
  std::map<ip_address, std::map<turn, conn_id>> strangers_;  ///< by network, the oldest first
};

}  // namespace stox::net
