#include <algorithm>

#include "sip/machine/client_core.hpp"
#include "sip/wire/headers.hpp"

// What people ask about the servers that requests go to.
namespace stox::sip {

/// Beyond the most, the one that is longest ago is forgotten.
void client_core::remember_failure(const target& where, const std::string& why, instant now) {
  const std::pair key{where.via, where.to};
  if (failed_.size() >= most_failed && !failed_.contains(key)) {
    failed_.erase(std::min_element(failed_.begin(), failed_.end(), [](const auto& a, const auto& b) {
      return a.second.last < b.second.last;
    }));
  }
  auto& f = failed_[key];
  ++f.times;
  f.why = clean_text(why, 200);
  f.last = now.steady;
}

void client_core::list(peer_table& out, instant now) const {
  calls_.for_each([&out](const call& c) {
    if (c.finished || c.attempts.empty()) return;
    const auto& where = c.attempts.back().where;
    ++out[{where.via, where.to}].requests;
  });
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
