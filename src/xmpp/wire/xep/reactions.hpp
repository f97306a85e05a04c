#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xml/element.hpp"

namespace stox::xmpp {

/// XEP-0444, message reactions: all that its sender has for that message now, none: he took them back.
struct reactions {
  static constexpr std::string_view ns = "urn:xmpp:reactions:0";
  static constexpr std::size_t max_count = 16;
  static constexpr std::size_t max_bytes = 64;  ///< of one; the longest emoji sequences have half as many

  std::string id;  ///< of the message
  std::vector<std::string> emoji;
  friend bool operator==(const reactions&, const reactions&) = default;
};
/// Reactions that come twice, are none or cannot be one emoji are left out (XEP-0444 §4.1).
std::optional<reactions> parse_reactions(const xml::element& e);

}  // namespace stox::xmpp
