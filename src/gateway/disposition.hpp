#pragma once

#include "gateway/context.hpp"
#include "gateway/conversation.hpp"
#include "gateway/receipt_book.hpp"
#include "gateway/report_queue.hpp"
#include "xmpp/wire/stanza.hpp"

/// What became of a message that a SIP user sent, told to him as a disposition notification (RFC 5438) where
/// he asked for it.
namespace stox::gateway {

class pager_to_xmpp;

/// An XMPP client says that it got or showed a message (XEP-0184, XEP-0333). Whether the stanza held such a
/// report, also one that nobody waits for.
/// One that is still open in `texts` has its 2xx before its report goes.
bool take_reports(const xmpp::message& m, conversations& talk, pager_to_xmpp& texts, report_queue& queue,
                  context& c);

/// An error stanza came for a message whose sender had his 2xx. Whether he is told.
bool take_late_failure(const xmpp::message& error, report_queue& queue, context& c);

}  // namespace stox::gateway
