#pragma once

#include <string_view>

#include "xml/element.hpp"

namespace stox::xmpp {

/// XEP-0334, message processing hints.
struct hints {
  static constexpr std::string_view ns = "urn:xmpp:hints";

  bool no_store = false, no_permanent_store = false, no_copy = false, store = false;
  friend bool operator==(const hints&, const hints&) = default;
};

/// Whether it is a hint that is known; then it is set.
inline bool read_hint(const xml::element& e, hints& out) {
  if (e.ns != hints::ns) return false;
  if (e.name == "no-store") return out.no_store = true;
  if (e.name == "no-permanent-store") return out.no_permanent_store = true;
  if (e.name == "no-copy") return out.no_copy = true;
  if (e.name == "store") return out.store = true;
  return false;
}

}  // namespace stox::xmpp
