#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/peer_identity.hpp"

namespace stox::sip {

/// The SIP domains that a certificate is for, RFC 5922 §7.1, in lower case. Whether the certificate is to be
/// believed is not asked here.
std::vector<std::string> sip_domains_of(const peer_identity& who);

/// Whether the peer is the SIP domain (RFC 5922 §7.2): a valid chain, and one of its domains equals `domain`.
/// Neither wildcards nor parent domains count. `domain`: A-labels; case does not matter.
bool is_sip_domain(const peer_identity& who, std::string_view domain);

}  // namespace stox::sip
