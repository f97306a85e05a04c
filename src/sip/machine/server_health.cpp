#include "sip/machine/server_health.hpp"

#include <algorithm>

#include "sip/wire/headers.hpp"

namespace stox::sip {

void server_health::order(std::vector<target>& targets, instant now) const {
  std::stable_partition(targets.begin(), targets.end(), [&](const target& t) {
    return !penalties_.is_punished({t.via, t.to}, now);
  });
}

void server_health::punish(const target& t, duration how_long, instant now) {
  penalties_.punish({t.via, t.to}, how_long, now);
}

bool server_health::pause(const socket_address& server, duration how_long, instant now) {
  const steady_time until = now.steady + how_long;
  std::erase_if(paused_, [now](const auto& p) { return p.second <= now.steady; });
  if (const auto known = paused_.find(server); known != paused_.end()) {
    known->second = std::max(known->second, until);
    return false;
  }
  if (paused_.size() >= most) return false;
  paused_.emplace(server, until);
  return true;
}

bool server_health::is_paused(const socket_address& server, instant now) const {
  const auto it = paused_.find(server);
  return it != paused_.end() && now.steady < it->second;
}

void server_health::note_failure(const target& t, std::string_view why, instant now) {
  const std::pair key{t.via, t.to};
  if (failed_.size() >= most && !failed_.contains(key)) {
    failed_.erase(std::min_element(failed_.begin(), failed_.end(),
                                   [](const auto& a, const auto& b) { return a.second.at < b.second.at; }));
  }
  auto& f = failed_[key];
  ++f.times;
  f.why = clean_text(why, 200);
  f.at = now.steady;
}

void server_health::list(peer_table& out, instant now) const {
  for (const auto& [server, until] : penalties_.all()) {
    if (until > now.steady) out[{server.via, server.at}].penalty = until - now.steady;
  }
  for (const auto& [key, f] : failed_) {
    auto& peer = out[key];
    peer.failures = f.times;
    peer.last_error = f.why;
  }
  for (const auto& [address, until] : paused_) {
    if (until <= now.steady) continue;
    // A pause is asked for by a server, whatever it is reached by.
    bool known = false;
    for (auto& [key, peer] : out) {
      if (key.second == address) peer.pause = until - now.steady, known = true;
    }
    if (!known) out[{transport::udp, address}].pause = until - now.steady;
  }
}

}  // namespace stox::sip
