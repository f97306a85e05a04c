#pragma once

#include <string_view>

#include "base/text.hpp"

namespace stox::translate {

/// Calls `f` with each code point of `s`, which is valid UTF-8, and the bytes that it is written with.
template <class F>
void for_each_code_point(std::string_view s, F f) {
  while (!s.empty()) {
    const auto bytes = s.substr(0, text::code_point_at(s, 1).value_or(s.size()));
    const auto first = static_cast<unsigned char>(bytes.front());
    char32_t code = bytes.size() == 1 ? first : first & (0x7FU >> bytes.size());
    for (const char c : bytes.substr(1)) code = (code << 6) | (static_cast<unsigned char>(c) & 0x3FU);
    f(code, bytes);
    s.remove_prefix(bytes.size());
  }
}

}  // namespace stox::translate
