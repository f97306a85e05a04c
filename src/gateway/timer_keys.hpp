#pragma once

#include <cstdint>

namespace stox::gateway {

/// Whose deadline a key of context::set_timer is: its two highest bits. The rest is the owner's own number,
/// which counts from 1.
enum class timer_space : std::uint64_t {
  pager_to_xmpp = 0,
  typing_to_sip = std::uint64_t{1} << 62,
  typing_to_xmpp = std::uint64_t{2} << 62,
};
inline constexpr std::uint64_t timer_number_mask = (std::uint64_t{1} << 62) - 1;

constexpr std::uint64_t key_in(timer_space s, std::uint64_t number) {
  return static_cast<std::uint64_t>(s) | number;
}
constexpr timer_space space_of(std::uint64_t key) {
  return static_cast<timer_space>(key & ~timer_number_mask);
}
constexpr std::uint64_t number_of(std::uint64_t key) { return key & timer_number_mask; }

}  // namespace stox::gateway
