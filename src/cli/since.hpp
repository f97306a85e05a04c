#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace stox::cli {

/// "2026-01-31", "2026-01-31T12:00:00Z" (UTC), or a duration before `now` like "30min", "12h" or "7d"; in
/// seconds since 1970, never negative.
std::optional<std::int64_t> parse_since(std::string_view text, std::int64_t now);

/// "30min", "12h", "7d" in seconds.
std::optional<std::int64_t> parse_age(std::string_view text);

}  // namespace stox::cli
