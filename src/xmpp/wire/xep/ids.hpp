#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "xml/element.hpp"

/// XEP-0359, unique and stable stanza ids.
namespace stox::xmpp {

inline constexpr std::string_view ids_ns = "urn:xmpp:sid:0";

/// The id that an archive gave; true only if `by` is known to clean out forged ones (XEP-0359 §6).
struct stanza_id {
  std::string by, id;
  friend bool operator==(const stanza_id&, const stanza_id&) = default;
};

inline xml::element write_origin_id(std::string id) {
  xml::element out("origin-id", std::string(ids_ns));
  out.set("id", std::move(id));
  return out;
}
/// The id that the sending client gave; nullptr: none.
inline const std::string* parse_origin_id(const xml::element& e) {
  return e.is("origin-id", ids_ns) ? e.attr("id") : nullptr;
}
inline std::optional<stanza_id> parse_stanza_id(const xml::element& e) {
  if (!e.is("stanza-id", ids_ns)) return std::nullopt;
  const auto* by = e.attr("by");
  const auto* id = e.attr("id");
  if (by == nullptr || id == nullptr || by->empty() || id->empty()) return std::nullopt;
  return stanza_id{*by, *id};
}

}  // namespace stox::xmpp
