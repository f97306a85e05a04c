#include "sip/machine/rate_limit.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace stox::sip {

namespace {

constexpr std::size_t table_size = 4096;

/// The part of the address that one network holds: an attacker has a whole /56 of IPv6 as easily as one
/// address.
ip_address prefix_of(ip_address a) {
  const std::size_t kept = a.is_v4() ? 15 : 7;
  std::fill(a.bytes.begin() + static_cast<std::ptrdiff_t>(kept), a.bytes.end(), std::uint8_t{0});
  return a;
}

std::size_t place_of(const ip_address& prefix, std::uint64_t seed) {
  std::uint64_t h = seed ^ 0xCBF29CE484222325U;
  for (const std::uint8_t byte : prefix.bytes) h = (h ^ byte) * 0x100000001B3U;
  return (h ^ (h >> 29)) % table_size;
}

}  // namespace

bool rate_limit::take(const ip_address& source, unsigned per_second, steady_time now) {
  if (per_second == 0) return false;
  if (buckets_.empty()) buckets_.resize(table_size);
  bucket& b = buckets_[place_of(prefix_of(source), seed_)];
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
