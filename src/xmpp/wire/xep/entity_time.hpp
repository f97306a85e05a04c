#pragma once

#include <string>
#include <string_view>

#include "base/date_time.hpp"
#include "base/instant.hpp"
#include "xml/element.hpp"

/// XEP-0202, entity time. Always in UTC: where the machine stands is nobody's business.
namespace stox::xmpp::entity_time {

inline constexpr std::string_view ns = "urn:xmpp:time";

inline bool is_query(const xml::element& payload) { return payload.is("time", ns); }

inline xml::element write(wall_time now) {
  xml::element out("time", std::string(ns));
  out.add({"tzo", std::string(ns)}).add_text("+00:00");
  out.add({"utc", std::string(ns)}).add_text(write_date_time(now));  // XEP-0082 §3.1
  return out;
}

}  // namespace stox::xmpp::entity_time
