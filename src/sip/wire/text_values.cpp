#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/scan.hpp"

namespace stox::sip {

std::string quote(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r' || c == '\n') {
      out += ' ';
      continue;
    }
    // RFC 3261 §25.1: controls may stand in a quoted-string only as a quoted-pair.
    if (c == '"' || c == '\\' || (byte < 0x20 && c != '\t') || byte == 0x7F) out += '\\';
    out += c;
  }
  out += '"';
  return out;
}

std::string unquote(std::string_view quoted) {
  if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') return std::string(quoted);
  quoted = quoted.substr(1, quoted.size() - 2);
  std::string out;
  out.reserve(quoted.size());
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] == '\\' && i + 1 < quoted.size()) ++i;
    out += quoted[i];
  }
  return out;
}

namespace {

/// The length of the UTF-8 sequence at the front, 0 when it is none.
std::size_t sequence_length(std::string_view s) {
  const auto lead = static_cast<unsigned char>(s.front());
  const std::size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return n <= s.size() && text::is_utf8(s.substr(0, n)) ? n : 0;
}

/// C0 and C1 controls, DEL, and the line and paragraph separators.
bool breaks_a_line(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
  if (sequence.size() == 2) return byte(0) == 0xC2 && byte(1) < 0xA0;
  return sequence == "\xE2\x80\xA8" || sequence == "\xE2\x80\xA9";
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t limit) {
  static constexpr std::string_view replacement = "\xEF\xBF\xBD";
  std::string out;
  out.reserve(std::min(text.size(), limit));
  while (!text.empty() && out.size() < limit) {
    const auto n = sequence_length(text);
    auto piece = n == 0 ? replacement : text.substr(0, n);
    if (n != 0 && breaks_a_line(piece)) piece = " ";
    text.remove_prefix(std::max<std::size_t>(n, 1));
    // Several blanks in a row, or one at the front, say nothing.
    if (piece == " " && (out.empty() || out.back() == ' ')) continue;
    if (out.size() + piece.size() > limit) break;
    out += piece;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

namespace {
using namespace std::string_view_literals;
constexpr std::array day_names = {"Sun"sv, "Mon"sv, "Tue"sv, "Wed"sv, "Thu"sv, "Fri"sv, "Sat"sv};
constexpr std::array month_names = {"Jan"sv, "Feb"sv, "Mar"sv, "Apr"sv, "May"sv, "Jun"sv,
                                    "Jul"sv, "Aug"sv, "Sep"sv, "Oct"sv, "Nov"sv, "Dec"sv};

template <class Names>
std::optional<unsigned> index_of(const Names& names, std::string_view word) {
  for (unsigned i = 0; i < names.size(); ++i) {
    if (text::iequals(names[i], word)) return i;
  }
  return std::nullopt;
}

/// Exactly `width` digits, at most `max`.
std::optional<unsigned> digits(std::string_view s, std::size_t width, unsigned max) {
  const auto number = text::to_number(s, max);
  if (s.size() != width || !number) return std::nullopt;
  return static_cast<unsigned>(*number);
}

void append_padded(std::string& out, std::int64_t number, std::size_t width) {
  const auto text = std::to_string(number);
  if (text.size() < width) out.append(width - text.size(), '0');
  out += text;
}
}  // namespace

result<std::int64_t> parse_date(std::string_view value) {
  const error bad{errc::bad_header, "Date: not of the form \"Sat, 13 Nov 2010 23:29:00 GMT\""};
  // "Sat, 13 Nov 2010 23:29:00 GMT": every part has its place.
  const auto s = text::trim(value);
  if (s.size() != 29 || s.substr(3, 2) != ", " || s[7] != ' ' || s[11] != ' ' || s[16] != ' ' ||
      s[19] != ':' || s[22] != ':' || s.substr(25) != " GMT") {
    return bad;
  }
  const auto weekday = index_of(day_names, s.substr(0, 3));
  const auto day = digits(s.substr(5, 2), 2, 31);
  const auto month = index_of(month_names, s.substr(8, 3));
  const auto year = digits(s.substr(12, 4), 4, 9999);
  const auto hour = digits(s.substr(17, 2), 2, 23);
  const auto minute = digits(s.substr(20, 2), 2, 59);
  const auto second = digits(s.substr(23, 2), 2, 60);  // 60: a leap second
  if (!weekday || !day || !month || !year || !hour || !minute || !second) return bad;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month + 1), std::chrono::day(*day)};
  if (!date.ok()) return bad;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * 86400 + *hour * 3600 + *minute * 60 + *second;
}

std::string write_date(std::int64_t unix_seconds) {
  // Four digits of the year are all that the format has: 0000-01-01 to 9999-12-31.
  unix_seconds = std::clamp<std::int64_t>(unix_seconds, -62167219200, 253402300799);
  const auto days = unix_seconds >= 0 ? unix_seconds / 86400 : -((86399 - unix_seconds) / 86400);
  const auto rest = unix_seconds - days * 86400;
  const std::chrono::sys_days day{std::chrono::days(days)};
  const std::chrono::year_month_day date(day);
  std::string out(day_names[std::chrono::weekday(day).c_encoding()]);
  out += ", ";
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  out += ' ';
  out += month_names[static_cast<unsigned>(date.month()) - 1];
  out += ' ';
  append_padded(out, static_cast<int>(date.year()), 4);
  out += ' ';
  append_padded(out, rest / 3600, 2);
  out += ':';
  append_padded(out, rest / 60 % 60, 2);
  out += ':';
  append_padded(out, rest % 60, 2);
  out += " GMT";
  return out;
}

}  // namespace stox::sip
