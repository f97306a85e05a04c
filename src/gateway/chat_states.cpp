#include "gateway/chat_states.hpp"

namespace stox::gateway {

void learn_states(const xmpp::message& m, const xmpp::extras& x, conversations& talk, context& c) {
  const bool text = !m.bodies.empty();
  // §5.4: other messages than those of chats show nothing.
  if (m.type != xmpp::message_type::chat || (!x.state && !text)) return;
  // Only where a text was accepted between the two: what is learned is kept, and anybody can send a state.
  auto* pair = talk.find_pair(m.from.bare_text(), m.to->bare_text(), c.now().steady);
  if (pair == nullptr) return;
  pair->chat_states = x.state.has_value();
  if (!x.state) return;
  if (const auto name = peer_name(m.from, c.domains()))
    c.peers().learn(*name, m.to->domain, {feature::chat_states, true, learned_by::received}, c.now(), c);
}

bool understands_states(const pair_state* pair, const xmpp::jid& user, context& c) {
  if (pair != nullptr && pair->chat_states) return *pair->chat_states;
  const auto name = peer_name(user, c.domains());
  const auto* caps = name ? c.peers().find(*name, c.now()) : nullptr;
  return caps != nullptr && caps->can(feature::chat_states);
}

}  // namespace stox::gateway
