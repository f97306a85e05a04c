#pragma once

#include <string>
#include <string_view>

#include "xml/element.hpp"

/// What stands around the stanzas: RFC 6120 §4 and XEP-0114.
namespace stox::xmpp {

inline constexpr std::string_view stream_ns = "http://etherx.jabber.org/streams";
inline constexpr std::string_view stream_errors_ns = "urn:ietf:params:xml:ns:xmpp-streams";
/// The default namespace of a component's stream, hence of every stanza as we write it.
inline constexpr std::string_view component_ns = "jabber:component:accept";

inline constexpr std::string_view stream_end = "</stream:stream>";

/// The header that a component opens with; `domain` is what it wants to be (XEP-0114 §3).
std::string write_component_header(std::string_view domain);
/// The <handshake/> for the stream id that the server gave.
std::string write_handshake(std::string_view stream_id, std::string_view secret);
/// A <stream:error/> with the closing tag after it; `condition` is one of RFC 6120 §4.9.3.
std::string write_stream_error(std::string_view condition);

}  // namespace stox::xmpp
