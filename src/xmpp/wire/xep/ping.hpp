#pragma once

#include <string>
#include <string_view>

#include "xml/element.hpp"

/// XEP-0199, ping: an empty <ping/> in an iq get, answered by an empty result.
namespace stox::xmpp::ping {

inline constexpr std::string_view ns = "urn:xmpp:ping";

inline xml::element write() { return {"ping", std::string(ns)}; }
inline bool is_ping(const xml::element& payload) { return payload.is("ping", ns); }

}  // namespace stox::xmpp::ping
