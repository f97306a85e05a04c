#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stox {

/// What a TLS peer proved about itself, as the rim read it from the handshake. Whether that is enough for a
/// name is decided in the core, by rules that differ by protocol.
struct peer_identity {
  bool chain_ok = false;  ///< the certificate leads to one of our authorities, is valid now, and its key
                          ///< usages allow what it is used for
  std::string why_not;    ///< if not: OpenSSL's reason
  bool has_san = false;   ///< there is a subjectAltName, of whatever types
  std::vector<std::string> san_dns, san_uri;
  std::vector<std::string> san_srv, san_xmpp;  ///< RFC 4985 names; RFC 6120 §13.7.1.4 addresses
  std::string common_name;                     ///< the subject's, the most specific one
  std::int64_t valid_until = 0;  ///< its certificate, in seconds since 1970; 0: not known. Decides nothing
                                 ///< beyond chain_ok: for people, and in no trace
  std::string fingerprint;       ///< SHA-256 of the certificate, lower-case hex; empty: there was none
  std::string spki;              ///< the same of its public key alone (RFC 6698 §2.1.2, selector 1)
  std::string sni;               ///< the name that the client asked for
  std::string alpn;              ///< the protocol that was agreed on
  friend bool operator==(const peer_identity&, const peer_identity&) = default;
};

}  // namespace stox
