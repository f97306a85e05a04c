#include "gateway/chat_states.hpp"

namespace stox::gateway {

void learn_client(const xmpp::message& m, const xmpp::extras& x, pair_state& pair, context& c) {
  lessons shown;
  const auto show = [&shown](feature f, bool is) {
    if (is) shown.facts.push_back({f, true, learned_by::received});
  };
  // §5.4: other messages than those of chats show nothing of states.
  const bool chat = m.type == xmpp::message_type::chat;
  if (chat && (x.state || !m.bodies.empty())) pair.chat_states = x.state.has_value();
  show(feature::chat_states, chat && x.state);
  show(feature::receipts, x.receipt_request || x.receipt_for);
  show(feature::markers, x.markable || x.marker);
  show(feature::xhtml, x.html != nullptr);
  if (shown.empty()) return;
  if (const auto name = peer_name(m.from, c.domains()))
    c.peers().learn(*name, m.to->domain, shown, c.now(), c);
}

bool understands_states(const pair_state* pair, const std::string& user, context& c) {
  if (pair != nullptr && pair->chat_states) return *pair->chat_states;
  const auto* caps = c.peers().find(user, c.now());
  return caps != nullptr && caps->can(feature::chat_states);
}

}  // namespace stox::gateway
