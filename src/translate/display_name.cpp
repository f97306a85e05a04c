#include "translate/display_name.hpp"

#include <unicode/uchar.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "sip/wire/headers.hpp"
#include "translate/code_points.hpp"

namespace stox::translate {

namespace {

constexpr std::size_t max_name = 64;  ///< bytes; a MESSAGE has 1300

/// What some fonts show like "@".
constexpr std::array<std::string_view, 3> at_signs{"@", "\uFE6B", "\uFF20"};
constexpr std::array<std::string_view, 7> schemes{
    "sip:", "sips:", "tel:", "xmpp:", "im:", "pres:", "mailto:"};

bool has(char32_t c, UProperty p) { return u_hasBinaryProperty(static_cast<UChar32>(c), p) != 0; }
bool is_letter(char32_t c) { return u_isalpha(static_cast<UChar32>(c)) != 0; }
bool is_mark(char32_t c) { return (U_MASK(u_charType(static_cast<UChar32>(c))) & U_GC_M_MASK) != 0; }
/// Nd, Nl and No: digits of every script, Roman ones, superscripts, circled ones.
bool is_numeric(char32_t c) { return (U_MASK(u_charType(static_cast<UChar32>(c))) & U_GC_N_MASK) != 0; }
/// The ASCII digits are emoji, too, for the sake of keycaps.
bool is_pictograph(char32_t c) { return has(c, UCHAR_EXTENDED_PICTOGRAPHIC) || has(c, UCHAR_EMOJI_MODIFIER); }

/// ZWNJ and ZWJ: languages and emoji are written with them, but only between what they join.
constexpr bool is_joiner(char32_t c) { return c == 0x200C || c == 0x200D; }
/// "Show it as an emoji"; shown by itself it is nothing.
constexpr char32_t emoji_style = 0xFE0F;

/// Without what is not shown or turns the text around it: controls of direction, fillers, tags, invisible
/// operators (Default_Ignorable_Code_Point). `s` is valid UTF-8.
std::string without_hidden(std::string_view s) {
  constexpr char32_t object_replacement = 0xFFFC;
  std::string out, joiner;
  char32_t before = 0;  // the last letter, mark or emoji, if nothing else came after it
  for_each_code_point(s, [&](char32_t c, std::string_view bytes) {
    if (is_joiner(c)) {
      if (before != 0) joiner = bytes;
      return;
    }
    if (c == emoji_style && before != 0 && is_pictograph(before)) {
      out += bytes;
      return;
    }
    if (has(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) || has(c, UCHAR_BIDI_CONTROL) || c == object_replacement)
      return;
    if (is_letter(c) || is_pictograph(c)) {
      out += joiner;
      before = c;
    } else if (!is_mark(c)) {
      before = 0;
    }
    joiner.clear();
    out += bytes;
  });
  return out;
}

/// A name has a letter. What has none may be a picture, but one beside a number is "call me".
bool is_name(std::string_view s) {
  bool letter = false, picture = false, number = false;
  for_each_code_point(s, [&](char32_t c, std::string_view) {
    letter = letter || is_letter(c);
    picture = picture || is_pictograph(c);
    number = number || is_numeric(c);
  });
  return letter || (picture && !number);
}

bool is_address(const std::string& s) {
  const auto holds = [&s](std::string_view part) { return s.find(part) != std::string::npos; };
  const auto begins = [&s](std::string_view scheme) { return text::istarts_with(s, scheme); };
  return std::any_of(at_signs.begin(), at_signs.end(), holds) || holds("://") ||
         std::any_of(schemes.begin(), schemes.end(), begins);
}

}  // namespace

std::string safe_display_name(std::string_view name) {
  // Cleaned twice: dropping may leave blanks side by side. What is judged is what will be shown.
  const auto whole = without_hidden(sip::clean_text(name.substr(0, 4 * max_name), 4 * max_name));
  auto shown = without_hidden(sip::clean_text(whole, max_name));
  if (is_address(whole) || !is_name(shown)) return {};
  return shown;
}

}  // namespace stox::translate
