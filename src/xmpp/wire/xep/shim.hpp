#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xml/element.hpp"

/// XEP-0131, stanza headers and internet metadata.
namespace stox::xmpp::shim {

inline constexpr std::string_view ns = "http://jabber.org/protocol/shim";

struct header {
  std::string name, value;
  friend bool operator==(const header&, const header&) = default;
};

/// <headers/> as a child of a message or presence.
inline xml::element write(const std::vector<header>& headers) {
  xml::element out("headers", std::string(ns));
  for (const auto& h : headers) out.add({"header", std::string(ns)}).set("name", h.name).add_text(h.value);
  return out;
}

/// nullopt if the element is no <headers/>. A header without a name is left out.
inline std::optional<std::vector<header>> parse(const xml::element& e) {
  if (!e.is("headers", ns)) return std::nullopt;
  std::vector<header> out;
  for (const auto* child : e.elements()) {
    const auto* name = child->is("header", ns) ? child->attr("name") : nullptr;
    if (name != nullptr && !name->empty()) out.push_back({*name, child->text()});
  }
  return out;
}

}  // namespace stox::xmpp::shim
