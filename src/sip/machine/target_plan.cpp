#include "sip/machine/target_plan.hpp"

#include <algorithm>
#include <utility>

namespace stox::sip {

void target_plan::add(const target& t) { steps_.push_back({t, false}); }

void target_plan::add_by_stream(const target& t, bool may_fall_back) {
  if (t.via != transport::udp) return add(t);
  add({transport::tcp, t.to});
  if (may_fall_back) steps_.push_back({t, true});
}

void target_plan::again_by_stream() {
  steps_[next_ - 1].where.via = transport::tcp;
  again();
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
