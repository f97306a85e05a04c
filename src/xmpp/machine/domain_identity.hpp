#pragma once

#include <string_view>

#include "base/peer_identity.hpp"

namespace stox::xmpp {

/// Whether the peer is the XMPP domain (RFC 6120 §13.7.2.1, RFC 7590 §3.4, by the rules of RFC 6125 §6): a
/// valid chain, and one of its names is the domain:
///   a DNS name, also with "*" as the whole left-most label, which stands for exactly one label;
///   an SRV name "_<srv_service>.<domain>" (RFC 4985), without wildcard;
///   an XmppAddr (RFC 6120 §13.7.1.4) that is the domain alone;
///   the common name, as a DNS name, only where there is no subjectAltName at all.
/// `domain`: U-labels, as a JID has it; compared as A-labels, without case. An IP literal is nobody.
bool is_xmpp_domain(const peer_identity& who, std::string_view domain,
                    std::string_view srv_service = "xmpp-server");

}  // namespace stox::xmpp
