#pragma once

#include <openssl/ssl.h>

#include "base/peer_identity.hpp"

namespace stox::net {

/// What the peer of a finished handshake proved.
peer_identity identity_of(const SSL* ssl);

/// The names in a certificate, without any judgement.
void read_names(X509* certificate, peer_identity& out);

/// Whether its extended key usage, if it has one, allows TLS in that role or is the one for SIP domains (RFC
/// 5924 §4).
bool usage_allows(X509* certificate, bool as_server);

}  // namespace stox::net
