#include "daemon/log_line.hpp"

#include <algorithm>
#include <cstdint>

#include "base/text.hpp"

namespace stox::daemon {
namespace {

bool is_plain(char c) { return c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '='; }

void append_escaped(std::string& out, unsigned char byte) {
  static constexpr char digits[] = "0123456789abcdef";
  switch (byte) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    default: break;
  }
  out += "\\x";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

// Length of a well-formed UTF-8 sequence from its first byte.
std::size_t sequence_length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xE0) return 2;
  return first < 0xF0 ? 3 : 4;
}

// C1 controls, zero-width characters, line separators, byte order mark, and all direction marks (Unicode's
// Bidi_Control: U+061C, U+200E-F, U+202A-E, U+2066-9): they show as nothing or move what is shown.
bool is_deceptive(std::string_view sequence) {
  if (sequence.size() == 2) {
    return sequence == "\xD8\x9C" ||
           (sequence[0] == '\xC2' && static_cast<unsigned char>(sequence[1]) < 0xA0);
  }
  if (sequence.size() != 3) return false;
  const auto code = static_cast<std::uint32_t>((sequence[0] & 0x0F) << 12 | (sequence[1] & 0x3F) << 6 |
                                               (sequence[2] & 0x3F));
  return (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}

void append_quoted(std::string& out, std::string_view value) {
  const bool utf8 = text::is_utf8(value);
  out += '"';
  while (!value.empty()) {
    const auto first = static_cast<unsigned char>(value.front());
    const std::size_t n = utf8 ? sequence_length(first) : 1;
    const auto sequence = value.substr(0, n);
    value.remove_prefix(n);
    const bool kept =
        n == 1 ? first >= ' ' && first < 0x7F && first != '"' && first != '\\' : !is_deceptive(sequence);
    if (kept) {
      out += sequence;
    } else {
      for (const char c : sequence) append_escaped(out, static_cast<unsigned char>(c));
    }
  }
  out += '"';
}

void append_field(std::string& out, std::string_view key, std::string_view value) {
  out += ' ';
  out += key;
  out += '=';
  const auto shown = text::utf8_prefix(value, max_value_bytes);
  if (!shown.empty() && std::all_of(shown.begin(), shown.end(), is_plain)) {
    out += shown;
  } else {
    append_quoted(out, shown);
  }
  if (shown.size() < value.size()) out += "...";
}

}  // namespace

std::string log_line(const log_record& r) {
  std::string out(r.event);
  if (!r.conversation.empty()) append_field(out, "conv", r.conversation);
  for (const auto& [key, value] : r.fields) append_field(out, key, value);
  return out;
}

}  // namespace stox::daemon
