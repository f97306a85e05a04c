#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Small text tools. ASCII only where a protocol's tokens are ASCII; locale never matters.
namespace stox::text {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string to_lower(std::string_view s);
bool iequals(std::string_view a, std::string_view b);  ///< ASCII case-insensitive
bool istarts_with(std::string_view s, std::string_view prefix);
std::string_view trim(std::string_view s);  ///< SP, HTAB, CR, LF
/// All of `s` as a decimal number in [0, max]; no sign, no blanks.
std::optional<std::uint64_t> to_number(std::string_view s, std::uint64_t max = UINT64_MAX);
std::vector<std::string_view> split(std::string_view s, char separator);

/// Whether `s` is well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
bool is_utf8(std::string_view s);
/// The longest prefix of at most `n` bytes that does not cut a UTF-8 sequence.
std::string_view utf8_prefix(std::string_view s, std::size_t n);
/// Where in valid UTF-8 the code point number `n` begins, or the end where it has just `n`; nullopt: it has
/// fewer.
std::optional<std::size_t> code_point_at(std::string_view s, std::size_t n);

/// Decodes %HH once (RFC 3986 §2.1); nullopt on a malformed escape.
std::optional<std::string> percent_decode(std::string_view s);
/// Appends `s` to `out`, each byte that `keep` refuses as %HH with upper-case digits.
template <class Keep>
void percent_encode(std::string& out, std::string_view s, Keep keep) {
  static constexpr char digits[] = "0123456789ABCDEF";
  for (const char c : s) {
    if (keep(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
}

/// Eight hexadecimal digits that stand for `s`: the same in every build and run, and no secret (FNV-1a).
std::string short_hash(std::string_view s);

/// The candidate with the smallest edit distance to `name`, if it is near enough to be what was meant.
std::optional<std::string_view> nearest(std::string_view name,
                                        const std::vector<std::string_view>& candidates);

}  // namespace stox::text
