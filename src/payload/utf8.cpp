#include "payload/utf8.hpp"

#include <charconv>

namespace stox::payload {

void append_utf8(std::string& out, std::uint32_t code) {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) code = 0xfffd;
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

std::optional<std::uint32_t> hex_number(std::string_view s) {
  std::uint32_t value = 0;
  if (s.empty() || s.size() > 6) return std::nullopt;
  const auto [end, why] = std::from_chars(s.data(), s.data() + s.size(), value, 16);
  if (why != std::errc() || end != s.data() + s.size()) return std::nullopt;
  return value;
}

}  // namespace stox::payload
