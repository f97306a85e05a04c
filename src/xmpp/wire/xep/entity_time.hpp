#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "xml/element.hpp"
#include "xmpp/wire/xep/date_time.hpp"

/// XEP-0202, entity time. Always in UTC: where the machine stands is nobody's business.
namespace stox::xmpp::entity_time {

inline constexpr std::string_view ns = "urn:xmpp:time";

inline bool is_query(const xml::element& payload) { return payload.is("time", ns); }

inline xml::element write(wall_time now) {
  xml::element out("time", std::string(ns));
  out.add({"tzo", std::string(ns)}).add_text("+00:00");
  out.add({"utc", std::string(ns)}).add_text(write_date_time(std::chrono::floor<std::chrono::seconds>(now)));
  return out;
}

}  // namespace stox::xmpp::entity_time
