#include "cli/since.hpp"

#include <algorithm>
#include <chrono>

#include "base/text.hpp"
#include "config/values.hpp"

namespace stox::cli {

namespace {

std::optional<unsigned> digits(std::string_view text, unsigned most) {
  const auto n = text::to_number(text, most);
  return n ? std::optional(static_cast<unsigned>(*n)) : std::nullopt;
}

std::optional<std::int64_t> parse_date(std::string_view text) {
  namespace chrono = std::chrono;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = digits(text.substr(0, 4), 2200), month = digits(text.substr(5, 2), 12),
             day = digits(text.substr(8), 31);
  if (!year || !month || !day) return std::nullopt;
  const chrono::year_month_day date(chrono::year(static_cast<int>(*year)), chrono::month(*month),
                                    chrono::day(*day));
  if (!date.ok()) return std::nullopt;
  return chrono::duration_cast<chrono::seconds>(chrono::sys_days(date).time_since_epoch()).count();
}

std::optional<std::int64_t> parse_clock(std::string_view text) {
  if (text.size() != 9 || text[2] != ':' || text[5] != ':' || text[8] != 'Z') return std::nullopt;
  const auto hour = digits(text.substr(0, 2), 23), minute = digits(text.substr(3, 2), 59),
             second = digits(text.substr(6, 2), 60);
  if (!hour || !minute || !second) return std::nullopt;
  return std::int64_t{*hour} * 3600 + std::int64_t{*minute} * 60 + *second;
}

}  // namespace

std::optional<std::int64_t> parse_age(std::string_view text) {
  if (text.ends_with('d')) {
    const auto days = digits(text.substr(0, text.size() - 1), 100'000);
    return days ? std::optional(std::int64_t{*days} * 86'400) : std::nullopt;
  }
  const auto milliseconds = config::parse_duration(text);
  return milliseconds ? std::optional(*milliseconds / 1000) : std::nullopt;
}

std::optional<std::int64_t> parse_since(std::string_view text, std::int64_t now) {
  if (const auto date = parse_date(text.substr(0, 10))) {
    std::optional<std::int64_t> clock = 0;
    if (text.size() > 10) clock = text[10] == 'T' ? parse_clock(text.substr(11)) : std::nullopt;
    return clock ? std::optional(std::max<std::int64_t>(*date + *clock, 0)) : std::nullopt;
  }
  const auto age = parse_age(text);
  return age ? std::optional(std::max<std::int64_t>(now - *age, 0)) : std::nullopt;
}

}  // namespace stox::cli
