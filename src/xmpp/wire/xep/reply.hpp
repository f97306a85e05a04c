#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xml/element.hpp"

namespace stox::xmpp {

/// XEP-0461, message replies.
struct reply {
  static constexpr std::string_view ns = "urn:xmpp:reply:0";

  std::string to;  ///< who wrote what is answered, as it stands; may be empty
  std::string id;  ///< of what is answered
  friend bool operator==(const reply&, const reply&) = default;
};
std::optional<reply> parse_reply(const xml::element& e);

/// XEP-0428, fallback indication: which parts of the body stand in for a payload.
struct fallback {
  static constexpr std::string_view ns = "urn:xmpp:fallback:0";
  static constexpr std::size_t max_ranges = 8;

  /// Unicode code points of a body (XEP-0426), `end` not included.
  struct range {
    std::size_t start = 0, end = 0;
    std::string lang;  ///< of the body that is meant; empty: any
    friend bool operator==(const range&, const range&) = default;
  };

  std::string feature;        ///< the namespace that the text stands in for; may be empty
  bool whole = false;         ///< all of the body does
  std::vector<range> ranges;  ///< else these parts
  bool broken = false;        ///< there was a range that is none, or one too many
  friend bool operator==(const fallback&, const fallback&) = default;
};
/// A range whose numbers are none, or that ends before it starts, is left out, which makes it `broken`.
std::optional<fallback> parse_fallback(const xml::element& e);

/// A body in two: what stands in for a payload, and the sender's own words.
struct split_body {
  std::string fallback, own;
};
/// `all` of one body, in one pass over it. nullopt: a range does not lie within `body`, so somebody counted
/// otherwise than XEP-0426 does.
std::optional<split_body> split(std::string_view body, std::vector<fallback::range> all);

}  // namespace stox::xmpp
