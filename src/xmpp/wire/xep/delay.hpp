#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/date_time.hpp"
#include "xml/element.hpp"

namespace stox::xmpp {

/// XEP-0203, delayed delivery.
struct delay {
  static constexpr std::string_view ns = "urn:xmpp:delay";

  std::string from;  ///< who sent or held it, as it stands; empty: not told
  std::chrono::sys_seconds stamp{};
  friend bool operator==(const delay&, const delay&) = default;
};

inline xml::element write(const delay& d) {
  xml::element out("delay", std::string(delay::ns));
  if (!d.from.empty()) out.set("from", d.from);
  out.set("stamp", write_date_time(d.stamp));
  return out;
}
/// nullopt: no <delay/>, or one without a time.
inline std::optional<delay> parse_delay(const xml::element& e) {
  const auto* stamp = e.is("delay", delay::ns) ? e.attr("stamp") : nullptr;
  if (stamp == nullptr) return std::nullopt;
  const auto t = parse_date_time(*stamp);
  if (!t) return std::nullopt;
  const auto* from = e.attr("from");
  return delay{from != nullptr ? *from : std::string(), *t};
}

}  // namespace stox::xmpp
