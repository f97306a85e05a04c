#include "sip/machine/answered_branches.hpp"

namespace stox::sip {

namespace {

/// In the queue, and in an index that is a quarter to half full.
constexpr std::size_t entry_bytes = 16 + 48;

/// Never 0, which would be a free place in the index.
std::int64_t ticks(steady_time t) { return t.time_since_epoch().count() | 1; }

}  // namespace

void answered_branches::add(std::uint64_t hash, steady_time until) {
  order_.push_back({hash, until});
  until_.add(hash, ticks(until));
  memory_.resize(order_.size() * entry_bytes);
}

bool answered_branches::knows(std::uint64_t hash, steady_time now) const {
  return until_.find(hash, [now](std::int64_t end) { return end > ticks(now); }) != 0;
}

std::optional<steady_time> answered_branches::expire(steady_time now) {
  while (!order_.empty() && order_.front().until <= now) {
    until_.remove(order_.front().hash, ticks(order_.front().until));
    order_.pop_front();
  }
  memory_.resize(order_.size() * entry_bytes);
  if (order_.empty()) return std::nullopt;
  return order_.front().until;
}

}  // namespace stox::sip
