#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stox::payload {

/// Appends a code point; one that is no Unicode scalar value becomes U+FFFD.
void append_utf8(std::string& out, std::uint32_t code);

/// All of `s`, one to six hexadecimal digits.
std::optional<std::uint32_t> hex_number(std::string_view s);

}  // namespace stox::payload
