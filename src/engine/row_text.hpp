#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/stored_row.hpp"

/// Rows as words of a trace line (trace.hpp): "capability=..." or "receipt=...", the values in the order of
/// their struct with commas between them, what would end a word or a value as %HH, times in seconds since
/// 1970.
namespace stox::engine {

std::string row_text(const stored_row& row);
std::string key_text(const row_key& key);
std::optional<stored_row> parse_row(std::string_view word);

}  // namespace stox::engine
