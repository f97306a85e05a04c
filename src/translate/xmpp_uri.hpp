#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "xmpp/wire/jid.hpp"

namespace stox::translate {

/// The address in an xmpp: URI or IRI (RFC 5122), as <gone/> and <redirect/> hold one: blanks around it,
/// query and fragment are ignored. nullopt: another scheme, an authority part, or no address.
std::optional<xmpp::jid> parse_xmpp_uri(std::string_view text);
std::string write_xmpp_uri(const xmpp::jid& j);  ///< as a URI: only ASCII

}  // namespace stox::translate
