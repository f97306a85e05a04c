#include "sip/machine/target_plan.hpp"

#include <algorithm>
#include <utility>

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
  if (paused_.size() >= max_paused) return false;
  paused_.emplace(server, until);
  return true;
}

bool server_health::is_paused(const socket_address& server, instant now) const {
  const auto it = paused_.find(server);
  return it != paused_.end() && now.steady < it->second;
}

void target_plan::add(const target& t, bool too_large) {
  const bool instead = too_large && t.via == transport::udp;
  if (instead) steps_.push_back({{transport::tcp, t.to}, false});
  steps_.push_back({t, instead});
}

std::optional<target> target_plan::next(const server_health& health, bool untouched, std::string& why,
                                        instant now) {
  while (next_ < steps_.size() || again_) {
    const bool again = std::exchange(again_, false);
    const step& s = steps_[again ? next_ - 1 : next_++];
    if (health.is_paused(s.where.to, now)) {
      why = s.where.to.to_string() + " asked for a pause";
      held_back_ = true;
    } else if (!s.fallback || untouched || again) {
      return s.where;
    }
  }
  return std::nullopt;
}

bool target_plan::has_more(const server_health& health, bool untouched, instant now) const {
  for (std::size_t i = next_; i < steps_.size(); ++i) {
    if (health.is_paused(steps_[i].where.to, now)) continue;
    if (!steps_[i].fallback || (i == next_ && untouched)) return true;
  }
  return false;
}

}  // namespace stox::sip
