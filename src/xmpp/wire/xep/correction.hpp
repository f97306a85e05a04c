#pragma once

#include <string>
#include <string_view>

#include "xml/element.hpp"

/// What changes an earlier message of the same sender: correction (XEP-0308) and retraction (XEP-0424).
namespace stox::xmpp {

inline constexpr std::string_view correction_ns = "urn:xmpp:message-correct:0";
inline constexpr std::string_view retraction_ns = "urn:xmpp:message-retract:1";
/// Until 2022 a retraction was fastened to its message (XEP-0422).
inline constexpr std::string_view old_retraction_ns = "urn:xmpp:message-retract:0";
inline constexpr std::string_view fastening_ns = "urn:xmpp:fasten:0";

/// The id of the message that this one stands for; nullptr: it is no correction.
inline const std::string* parse_replace(const xml::element& e) {
  return e.is("replace", correction_ns) ? e.attr("id") : nullptr;
}

/// The id of the message that is taken back, in either version; nullptr: this is no retraction.
inline const std::string* parse_retract(const xml::element& e) {
  if (e.is("retract", retraction_ns)) return e.attr("id");
  if (e.is("apply-to", fastening_ns) && e.child("retract", old_retraction_ns) != nullptr) return e.attr("id");
  return nullptr;
}

}  // namespace stox::xmpp
