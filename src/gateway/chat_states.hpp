#pragma once

#include "gateway/context.hpp"
#include "gateway/conversation.hpp"
#include "xmpp/wire/jid.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/xep/extras.hpp"

/// Who is to see chat states: XEP-0085 §5.1 wants them only where the other side showed that it knows them.
namespace stox::gateway {

/// What a message of an XMPP user shows of his client, for this conversation and for later ones.
void learn_states(const xmpp::message& m, const xmpp::extras& x, conversations& talk, context& c);

/// Whether his client knows them: in this conversation it showed so, or nothing else and earlier. `pair` may
/// be nullptr.
bool understands_states(const pair_state* pair, const xmpp::jid& user, context& c);

}  // namespace stox::gateway
