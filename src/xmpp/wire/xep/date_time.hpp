#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// XEP-0082, dates and times, to the second.
namespace stox::xmpp {

/// A DateTime with any offset, RFC 3339; fractions of a second are dropped. nullopt: no such time, or before
/// 1970.
std::optional<std::chrono::sys_seconds> parse_date_time(std::string_view text);
std::string write_date_time(std::chrono::sys_seconds t);  ///< in UTC, XEP-0082 §3.2

}  // namespace stox::xmpp
