#include "net/handshake_places.hpp"

#include <algorithm>

#include "base/prefix_set.hpp"

namespace stox::net {

std::optional<handshake_places::given_up> handshake_places::enter(conn_id number, const ip_address& from,
                                                                  bool trusted, std::size_t most,
                                                                  std::size_t most_of_network) {
  const bool full = all_.size() >= most;
  if (!trusted) {
    const auto network = rationed_network(from);
    all_.emplace(number, place{++last_, network});
    auto& same = strangers_[network];
    same.emplace(last_, number);
    // Whoever is slow to finish gives way: peers who mean it need milliseconds.
    if (same.size() > most_of_network) return given_up{give_way(network), true};
  } else {
    all_.emplace(number, place{++last_, std::nullopt});
  }
  if (!full) return std::nullopt;
  if (strangers_.empty()) {
    leave(number);
    return given_up{number, false};
  }
  // The network that holds the most pays, so that many handshakes never push out the few of another one. Of
  // several that hold as many it is the one whose oldest is the oldest.
  const auto less = [](const auto& a, const auto& b) {
    if (a.second.size() != b.second.size()) return a.second.size() < b.second.size();
    return a.second.begin()->first > b.second.begin()->first;
  };
  return given_up{give_way(std::max_element(strangers_.begin(), strangers_.end(), less)->first), false};
}

conn_id handshake_places::give_way(const ip_address& network) {
  const conn_id oldest = strangers_.at(network).begin()->second;
  leave(oldest);
  return oldest;
}

void handshake_places::leave(conn_id number) {
  const auto at = all_.find(number);
  if (at == all_.end()) return;
  if (at->second.network) {
    const auto same = strangers_.find(*at->second.network);
    same->second.erase(at->second.began);
    if (same->second.empty()) strangers_.erase(same);
  }
  all_.erase(at);
}

}  // namespace stox::net
