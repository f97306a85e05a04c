#pragma once

#include <optional>
#include <string>

#include "gateway/context.hpp"
#include "gateway/conversation.hpp"
#include "payload/mime.hpp"
#include "sip/machine/endpoint.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::gateway {

/// What a SIP user's client says of messages that an XMPP user sent (RFC 5438), told to that user as receipt
/// (XEP-0184), marker (XEP-0333) or late error: where he asked for it, once, and only if it comes from the
/// one to whom the message went. `sender`: whom the request is authorised for. nullopt: the body is a message
/// like others (§9). Otherwise its answer: 200 to all that can be read, whether anybody waits for it or not.
std::optional<sip::reply> take_notifications(const payload::content_type& type, const std::string& body,
                                             const xmpp::jid& sender, const xmpp::jid& target,
                                             conversations& talk, context& c);

/// Tells the XMPP user who sent a message what a report says of it. One that failed he may send again, with
/// the same ids.
void tell_sender(const receipt_row& asked, receipt_kind what, conversations& talk, context& c);

}  // namespace stox::gateway
