#include "base/date_time.hpp"

#include <chrono>
#include <cstdio>

#include "base/text.hpp"

namespace stox {

namespace {

/// Reads from the front, and fails for good at the first thing that is not as it must be.
class scanner {
 public:
  explicit scanner(std::string_view rest) : rest_(rest) {}

  int number(std::size_t digits) {
    const auto value = text::to_number(rest_.substr(0, digits));
    if (rest_.size() < digits || !value) {
      ok_ = false;
      return 0;
    }
    rest_.remove_prefix(digits);
    return static_cast<int>(*value);
  }
  void sign(char c) { ok_ = accepts(c) && ok_; }
  bool accepts(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_digits() {
    if (rest_.empty() || !text::is_digit(rest_.front())) ok_ = false;
    while (!rest_.empty() && text::is_digit(rest_.front())) rest_.remove_prefix(1);
  }
  bool at_end() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::optional<std::chrono::sys_seconds> parse_date_time(std::string_view text) {
  using namespace std::chrono;
  scanner in(text);
  const auto y = in.number(4);
  in.sign('-');
  const auto m = in.number(2);
  in.sign('-');
  const auto d = in.number(2);
  in.sign('T');
  const auto hour = in.number(2);
  in.sign(':');
  const auto minute = in.number(2);
  in.sign(':');
  const auto second = in.number(2);
  if (in.accepts('.')) in.skip_digits();
  minutes offset{0};
  if (!in.accepts('Z')) {
    const bool east = in.accepts('+');
    if (!east) in.sign('-');
    const auto hours_off = in.number(2);
    in.sign(':');
    const auto minutes_off = in.number(2);
    if (hours_off > 23 || minutes_off > 59) return std::nullopt;
    offset = minutes((east ? 1 : -1) * (hours_off * 60 + minutes_off));
  }
  const year_month_day date(year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d)));
  // RFC 3339 §5.6: a leap second is a legal one.
  if (!in.at_end() || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const auto t = sys_days(date) + hours(hour) + minutes(minute) + seconds(second) - offset;
  if (t < sys_seconds{}) return std::nullopt;
  return t;
}

std::string write_date_time(wall_time t) {
  const auto second = std::chrono::floor<std::chrono::seconds>(t);
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  char out[40];
  std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return out;
}

}  // namespace stox
