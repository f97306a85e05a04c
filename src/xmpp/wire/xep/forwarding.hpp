#pragma once

#include <string_view>

#include "xml/element.hpp"

/// Stanzas within stanzas: forwarding (XEP-0297), carbons (XEP-0280) and results of an archive (XEP-0313).
/// Servers wrap what they copy; a user's own forward is a child of the message itself (XEP-0297 §3.2).
namespace stox::xmpp {

inline bool is_forwarded(const xml::element& e) { return e.is("forwarded", "urn:xmpp:forward:0"); }

/// A copy that a server made for another device, or took from an archive.
inline bool is_server_copy(const xml::element& e) {
  if (e.ns == "urn:xmpp:carbons:2") return e.name == "sent" || e.name == "received";
  return e.is("result", "urn:xmpp:mam:2");
}

}  // namespace stox::xmpp
