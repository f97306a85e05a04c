#pragma once

#include <string>

#include "gateway/context.hpp"
#include "gateway/conversation.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/xep/extras.hpp"

/// Who is to see chat states: XEP-0085 §5.1 wants them only where the other side showed that it knows them.
namespace stox::gateway {

/// What a message of an XMPP user shows of his client, for this conversation and for later ones. Only where a
/// text was accepted between the two: what is learned is kept, and anybody can send a state.
void learn_states(const xmpp::message& m, const xmpp::extras& x, pair_state& pair, context& c);

/// Whether the client of that XMPP user (a bare JID) knows them: in this conversation it showed so, or
/// nothing else and earlier. `pair` may be nullptr.
bool understands_states(const pair_state* pair, const std::string& user, context& c);

}  // namespace stox::gateway
