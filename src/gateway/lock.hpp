#pragma once

#include <string>

#include "base/instant.hpp"
#include "gateway/conversation.hpp"
#include "xmpp/wire/jid.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/xep/chat_states.hpp"

/// Which device of a user a conversation is held with: the one that spoke last (RFC 6121 §5.1). pair_state
/// and thread_state keep it; here is what moves and ends it beside the texts themselves.
namespace stox::gateway {

/// A chat state that stands alone: whoever types will speak next, whoever left is not to be written to, and
/// any other sign of another resource unlocks.
void follow_state(const xmpp::message& m, xmpp::chat_state s, conversations& talk, steady_time now);

/// An error of the resource that is locked on.
void follow_error(const xmpp::message& error, conversations& talk, steady_time now);

/// The SIP device (unescaped) that a message to `to` is meant for: the one that it names, else the one that
/// spoke last to this contact. Empty: the user, wherever he is. `pair` may be nullptr.
std::string device_for(const xmpp::jid& to, const pair_state* pair, steady_time now);

}  // namespace stox::gateway
