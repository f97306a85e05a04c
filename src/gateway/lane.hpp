#pragma once

#include <string>

namespace stox::gateway {

/// Within which RFC 3428 §8 allows one pending MESSAGE: an XMPP user (bare JID), who is the user agent, and a
/// Request-URI.
inline std::string lane_of(const std::string& jid, const std::string& uri) { return jid + '\0' + uri; }

}  // namespace stox::gateway
