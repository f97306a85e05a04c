#include "sip/machine/rate_limit.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "base/prefix_set.hpp"

namespace stox::sip {

namespace {

constexpr std::size_t table_size = 4096;

std::size_t place_of(const ip_address& prefix, std::uint64_t seed) {
  std::uint64_t h = seed ^ 0xCBF29CE484222325U;
  for (const std::uint8_t byte : prefix.bytes) h = (h ^ byte) * 0x100000001B3U;
  return (h ^ (h >> 29)) % table_size;
}

}  // namespace

bool rate_limit::take(const ip_address& source, unsigned per_second, steady_time now) {
  if (per_second == 0) return false;
  if (buckets_.empty()) buckets_.resize(table_size);
  bucket& b = buckets_[place_of(rationed_network(source), seed_)];
  const double capacity = per_second;
  if (!b.used) {
    b = {capacity, now, true};
  } else {
    const double passed = std::chrono::duration<double>(now - b.filled).count();
    b.tokens = std::min(capacity, b.tokens + passed * capacity);
    b.filled = now;
  }
  if (b.tokens < 1) return false;
  b.tokens -= 1;
  return true;
}

}  // namespace stox::sip
