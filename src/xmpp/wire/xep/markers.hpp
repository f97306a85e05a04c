#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "xml/element.hpp"

/// XEP-0333, displayed markers; the kinds that its later versions left out are read as well.
namespace stox::xmpp {

inline constexpr std::string_view markers_ns = "urn:xmpp:chat-markers:0";

struct marker {
  enum class kind : std::uint8_t { received, displayed, acknowledged };
  kind what = kind::displayed;
  std::string id;  ///< of the marked message; all before it are marked with it
  friend bool operator==(const marker&, const marker&) = default;
};

constexpr std::string_view to_string(marker::kind k) {
  switch (k) {
    case marker::kind::received: return "received";
    case marker::kind::displayed: return "displayed";
    case marker::kind::acknowledged: return "acknowledged";
  }
  return {};
}

inline xml::element write_markable() { return {"markable", std::string(markers_ns)}; }
inline bool is_markable(const xml::element& e) { return e.is("markable", markers_ns); }

inline xml::element write(const marker& m) {
  xml::element out(std::string(to_string(m.what)), std::string(markers_ns));
  out.set("id", m.id);
  return out;
}
/// nullopt: no marker, or one that names no message.
inline std::optional<marker> parse_marker(const xml::element& e) {
  if (e.ns != markers_ns) return std::nullopt;
  const auto* id = e.attr("id");
  if (id == nullptr || id->empty()) return std::nullopt;
  for (const auto k : {marker::kind::received, marker::kind::displayed, marker::kind::acknowledged}) {
    if (e.name == to_string(k)) return marker{k, *id};
  }
  return std::nullopt;
}

}  // namespace stox::xmpp
