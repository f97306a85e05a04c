#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.hpp"

/// Dates and times of RFC 3339, which XEP-0082 and RFC 3862 use, to the second.
namespace stox {

/// Any offset; fractions of a second are dropped. nullopt: no such time, or before 1970.
std::optional<std::chrono::sys_seconds> parse_date_time(std::string_view text);
/// "2026-01-31T12:00:00Z".
std::string write_date_time(wall_time t);

}  // namespace stox
