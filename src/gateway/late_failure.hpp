#pragma once

#include "gateway/context.hpp"
#include "gateway/conversation.hpp"
#include "gateway/report_queue.hpp"
#include "sip/machine/endpoint.hpp"
#include "sip/wire/uri.hpp"
#include "xmpp/wire/stanza.hpp"

/// A stanza error that comes after the sender had his 2xx: he hears it as a disposition notification if he
/// asked for any, else as a short message of the gateway.
namespace stox::gateway {

enum class late_failure : std::uint8_t {
  unknown,  ///< it answers nothing that is remembered
  told,
  untold,  ///< he does not want to know, cannot be told, or was told of another message a moment ago
};
late_failure tell_late_failure(const xmpp::message& error, conversations& talk, report_queue& reports,
                               context& c);

/// Whether the sender of that MESSAGE may be sent such a notice: a person with a client. `asks`: he asked for
/// disposition notifications, which say it. A gateway's own notice is never accepted: it has no user part.
bool takes_notices(const sip::request_received& e, const sip::uri& sender, bool asks);

}  // namespace stox::gateway
