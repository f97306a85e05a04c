#pragma once

#include <chrono>
#include <cstdint>

namespace stox::engine {

/// The engine's own deadlines, under timer_owner::engine.
inline constexpr std::uint64_t tidy_key = 1;
inline constexpr std::uint64_t drain_key = 2;
inline constexpr std::uint64_t links_key = 3;
inline constexpr std::uint64_t blocks_key = 4;

/// For links to confirm and close after the work is done.
inline constexpr auto goodbye_limit = std::chrono::seconds(2);

}  // namespace stox::engine
