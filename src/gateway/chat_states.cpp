#include "gateway/chat_states.hpp"

namespace stox::gateway {

void learn_states(const xmpp::message& m, const xmpp::extras& x, pair_state& pair, context& c) {
  const bool text = !m.bodies.empty();
  // §5.4: other messages than those of chats show nothing.
  if (m.type != xmpp::message_type::chat || (!x.state && !text)) return;
  pair.chat_states = x.state.has_value();
  if (!x.state) return;
  if (const auto name = peer_name(m.from, c.domains()))
    c.peers().learn(*name, m.to->domain, {feature::chat_states, true, learned_by::received}, c.now(), c);
}

bool understands_states(const pair_state* pair, const std::string& user, context& c) {
  if (pair != nullptr && pair->chat_states) return *pair->chat_states;
  const auto* caps = c.peers().find(user, c.now());
  return caps != nullptr && caps->can(feature::chat_states);
}

}  // namespace stox::gateway
