#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sip/wire/message.hpp"
#include "xml/element.hpp"
#include "xmpp/wire/stanza.hpp"

namespace stox::translate {

/// The hop mark crosses both worlds with a message: a header of ours on SIP, a SHIM header (XEP-0131) on
/// XMPP. Its value is a count of gateway passages and the gateways' short names: "2;a1b2;c3d4". A gateway
/// that finds itself in it, or more than max_hops, breaks the loop.
inline constexpr std::string_view hop_header = "Stox-Hops";
inline constexpr unsigned max_hops = 5;

std::string hop_mark_of(const sip::request& r);   ///< "" if none
std::string hop_mark_of(const xmpp::message& m);  ///< "" if none

/// The SHIM header of a stanza with that mark.
xml::element shim_of(const std::string& hop_mark);

/// The mark with this gateway added; nullopt: a loop (we are in it already, or it is too long, or it is
/// malformed).
std::optional<std::string> next_hop_mark(std::string_view mark, std::string_view own_name);

}  // namespace stox::translate
