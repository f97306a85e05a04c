#pragma once

#include "gateway/context.hpp"
#include "xmpp/wire/stanza.hpp"

namespace stox::gateway {

/// What the gateway says of itself and of its users to XMPP: disco with caps (XEP-0030, 0115, 0390, 0157),
/// ping (XEP-0199), version (XEP-0092), time (XEP-0202), vCards (XEP-0054, 0292), typed addresses (XEP-0100);
/// every other get or set is service-unavailable (RFC 6120 §8.2.3). An answer about a user depends on nothing
/// but the question and on what his client was seen to take (XEP-0184 §4), so that it never tells whether he
/// is online.
class service_flow {
 public:
  void handle(const xmpp::iq& i, context& c);
  void handle(const xmpp::presence& p, context& c);
};

}  // namespace stox::gateway
