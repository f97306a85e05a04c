#pragma once

#include <openssl/ssl.h>

#include "base/io.hpp"
#include "base/peer_identity.hpp"

namespace stox::net {

/// What the peer of a finished handshake proved, for a connection of that use.
peer_identity identity_of(const SSL* ssl, conn_use use);

/// The names and the key in a certificate, without any judgement.
void read_names(X509* certificate, peer_identity& out);

/// Whether its extended key usage, if it has one, allows TLS between servers of that protocol. SIP: TLS in
/// that role, or it is the one for SIP domains (RFC 5924 §4). XMPP: TLS in either role, for a server is both
/// by turns and public authorities no longer issue clientAuth beside serverAuth.
bool usage_allows(X509* certificate, conn_use use, bool as_server);

}  // namespace stox::net
