#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "xml/element.hpp"

/// XEP-0184, message delivery receipts.
namespace stox::xmpp::receipts {

inline constexpr std::string_view ns = "urn:xmpp:receipts";

inline xml::element write_request() { return {"request", std::string(ns)}; }
inline bool is_request(const xml::element& e) { return e.is("request", ns); }

/// The receipt for the message with that id.
inline xml::element write_received(std::string id) {
  xml::element out("received", std::string(ns));
  out.set("id", std::move(id));
  return out;
}
/// The id of the message that arrived; nullptr: no receipt, or one that names no message (XEP-0184 §5.4).
inline const std::string* parse_received(const xml::element& e) {
  return e.is("received", ns) ? e.attr("id") : nullptr;
}

}  // namespace stox::xmpp::receipts
