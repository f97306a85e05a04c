#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/log.hpp"

namespace stox::daemon {

/// Bytes of one value that a line shows; the rest is cut and marked by "...".
inline constexpr std::size_t max_value_bytes = 1024;

/// "event conv=... key=value key=\"a value\"": always one line. Whatever a peer sent, it cannot begin a line
/// or a field of its own, nor turn the terminal's cursor or the direction of writing.
std::string log_line(const log_record& r);

}  // namespace stox::daemon
