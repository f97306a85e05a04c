#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "xml/element.hpp"

/// XEP-0202, entity time. Always in UTC: where the machine stands is nobody's business.
namespace stox::xmpp::entity_time {

inline constexpr std::string_view ns = "urn:xmpp:time";

inline bool is_query(const xml::element& payload) { return payload.is("time", ns); }

inline xml::element write(wall_time now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  char utc[40];  // XEP-0082 §3.1
  std::snprintf(utc, sizeof utc, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  xml::element out("time", std::string(ns));
  out.add({"tzo", std::string(ns)}).add_text("+00:00");
  out.add({"utc", std::string(ns)}).add_text(utc);
  return out;
}

}  // namespace stox::xmpp::entity_time
