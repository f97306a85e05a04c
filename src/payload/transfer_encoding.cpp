#include "payload/transfer_encoding.hpp"

#include <array>
#include <cstdint>

#include "base/text.hpp"

namespace stox::payload {

namespace {

constexpr std::uint8_t not_base64 = 0xff;

constexpr std::array<std::uint8_t, 256> make_values() {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::uint8_t, 256> out{};
  for (auto& v : out) v = not_base64;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    out[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return out;
}
constexpr auto base64_values = make_values();

std::optional<std::string> from_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    if (c == '=') break;
    const auto value = base64_values[static_cast<unsigned char>(c)];
    if (value == not_base64) continue;
    bits = bits << 6 | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xff);
  }
  // Six bits alone are no octet: something is missing.
  if (held == 6) return std::nullopt;
  return out;
}

int hex_value(char c) {
  if (text::is_digit(c)) return c - '0';
  const char low = text::lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

std::optional<std::string> from_quoted_printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i];
      continue;
    }
    // A soft line break: "=", blanks, line end.
    auto j = i + 1;
    while (j < text.size() && (text[j] == ' ' || text[j] == '\t' || text[j] == '\r')) ++j;
    if (j == text.size()) break;
    if (text[j] == '\n') {
      i = j;
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return out;
}

enum class transfer : std::uint8_t { as_it_is, base64, quoted_printable };

std::optional<transfer> find_transfer(std::string_view encoding) {
  const auto name = text::trim(encoding);
  if (name.empty() || text::iequals(name, "7bit") || text::iequals(name, "8bit") ||
      text::iequals(name, "binary"))
    return transfer::as_it_is;
  if (text::iequals(name, "base64")) return transfer::base64;
  if (text::iequals(name, "quoted-printable")) return transfer::quoted_printable;
  return std::nullopt;
}

}  // namespace

bool is_known_transfer(std::string_view encoding) { return find_transfer(encoding).has_value(); }

std::optional<std::string> decode_transfer(std::string_view text, std::string_view encoding) {
  const auto how = find_transfer(encoding);
  if (!how) return std::nullopt;
  switch (*how) {
    case transfer::as_it_is: return std::string(text);
    case transfer::base64: return from_base64(text);
    case transfer::quoted_printable: return from_quoted_printable(text);
  }
  return std::nullopt;
}

}  // namespace stox::payload
