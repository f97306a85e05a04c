#include "sip/machine/target_plan.hpp"

#include <algorithm>
#include <utility>

namespace stox::sip {

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
