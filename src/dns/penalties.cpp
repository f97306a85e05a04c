#include "dns/penalties.hpp"

#include <algorithm>

namespace stox::dns {

void penalties::punish(const server& s, duration how_long, instant now) {
  if (until_.size() >= most && !until_.contains(s)) {
    std::erase_if(until_, [&](const auto& e) { return e.second <= now.steady; });
    if (until_.size() >= most) {
      until_.erase(std::min_element(until_.begin(), until_.end(),
                                    [](const auto& a, const auto& b) { return a.second < b.second; }));
    }
  }
  auto& until = until_[s];
  until = std::max(until, now.steady + how_long);
}

bool penalties::is_punished(const server& s, instant now) const {
  const auto at = until_.find(s);
  return at != until_.end() && now.steady < at->second;
}

}  // namespace stox::dns
