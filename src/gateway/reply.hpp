#pragma once

#include <string_view>

#include "base/instant.hpp"
#include "gateway/context.hpp"
#include "sip/machine/endpoint.hpp"
#include "translate/error.hpp"

namespace stox::gateway {

/// What a SIP answer of ours holds: code, reason and the headers that the code asks for.
sip::reply reply_of(const translate::sip_status& s);

/// The gateway's own trouble, which passes. RFC 3261 §21.4.18: when to come back; an XMPP user's own absence
/// says nothing of the kind.
sip::reply come_again(std::string_view reason, duration after);
/// The same after the time for which messages are held.
sip::reply busy(std::string_view reason, const context& c);

}  // namespace stox::gateway
