#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "xml/element.hpp"
#include "xmpp/wire/xep/disco.hpp"

/// Entity capabilities: a hash over what disco#info says, so that one answer serves for all who say the same
/// (XEP-0115, and XEP-0390, which mends its separators). Everything here is a function of the description.
namespace stox::xmpp::caps {

inline constexpr std::string_view ns = "http://jabber.org/protocol/caps";
inline constexpr std::string_view ns_2 = "urn:xmpp:caps";
/// XEP-0115 §4: the URI that stands for the software.
inline constexpr std::string_view software = "urn:x-stox:gateway";

/// XEP-0115 §5.1, the text S that is hashed.
std::string verification_text(const disco::info& i);
/// XEP-0115 §5.1: its SHA-1 in base64.
std::string verification(const disco::info& i);
/// XEP-0390 §4.1, the octets that are hashed.
std::string hash_input(const disco::info& i);

/// The <c/> of both, for a presence.
std::vector<xml::element> write(const disco::info& i);
/// Whether a disco#info query to this node asks for exactly this description.
bool is_node_of(std::string_view node, const disco::info& i);

}  // namespace stox::xmpp::caps
