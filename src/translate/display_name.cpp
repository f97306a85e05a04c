#include "translate/display_name.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "sip/wire/headers.hpp"

namespace stox::translate {

namespace {

constexpr std::size_t max_name = 64;   ///< bytes; a MESSAGE has 1300
constexpr std::size_t min_number = 3;  ///< digits; shorter ones are nobody's number

/// Marks of direction, embeddings and isolates (Unicode Standard Annex 9), and the invisible characters
/// beside them. The joiners stay: names and emoji are written with them.
constexpr std::array<char32_t, 18> hidden{0x00AD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F,
                                          0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2060,
                                          0x2066, 0x2067, 0x2068, 0x2069, 0xFEFF, 0xFFFC};
/// What some fonts show like "@".
constexpr std::array<std::string_view, 3> at_signs{"@", "\uFE6B", "\uFF20"};
constexpr std::array<std::string_view, 7> schemes{
    "sip:", "sips:", "tel:", "xmpp:", "im:", "pres:", "mailto:"};
/// Full-width digits are the ASCII ones in another width: "\uFF10" to "\uFF19".
constexpr std::string_view wide_digit = "\xEF\xBC";

/// The code point of one whole UTF-8 sequence.
char32_t code_point(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence.front());
  if (sequence.size() == 1) return first;
  char32_t code = first & (0x7FU >> sequence.size());
  for (const char c : sequence.substr(1)) code = (code << 6) | (static_cast<unsigned char>(c) & 0x3FU);
  return code;
}

/// `s` is valid UTF-8.
std::string without_hidden(std::string_view s) {
  std::string out;
  while (!s.empty()) {
    const auto sequence = s.substr(0, text::code_point_at(s, 1).value_or(s.size()));
    if (std::find(hidden.begin(), hidden.end(), code_point(sequence)) == hidden.end()) out += sequence;
    s.remove_prefix(sequence.size());
  }
  return out;
}

/// Digits and what people put between them, and nothing else.
bool is_number(std::string_view s) {
  std::size_t digits = 0;
  while (!s.empty()) {
    if (text::is_digit(s.front())) {
      ++digits;
    } else if (s.size() >= 3 && s.starts_with(wide_digit) && static_cast<unsigned char>(s[2]) >= 0x90 &&
               static_cast<unsigned char>(s[2]) <= 0x99) {
      ++digits;
      s.remove_prefix(2);
    } else if (std::string_view(" +-.()/*#").find(s.front()) == std::string_view::npos) {
      return false;
    }
    s.remove_prefix(1);
  }
  return digits >= min_number;
}

bool is_address(const std::string& s) {
  const auto holds = [&s](std::string_view part) { return s.find(part) != std::string::npos; };
  const auto begins = [&s](std::string_view scheme) { return text::istarts_with(s, scheme); };
  return std::any_of(at_signs.begin(), at_signs.end(), holds) || holds("://") ||
         std::any_of(schemes.begin(), schemes.end(), begins) || is_number(s);
}

}  // namespace

std::string safe_display_name(std::string_view name) {
  // Cleaned twice: dropping may leave blanks side by side.
  const auto out = without_hidden(sip::clean_text(name.substr(0, 4 * max_name), 4 * max_name));
  if (is_address(out)) return {};
  return sip::clean_text(out, max_name);
}

}  // namespace stox::translate
