#include "gateway/learn.hpp"

namespace stox::gateway {

void learn(const lessons& what, const xmpp::jid& user, context& c) {
  // Most messages teach nothing, and the name costs a little.
  if (what.empty()) return;
  if (const auto name = peer_name(user, c.domains())) c.peers().learn(*name, user.domain, what, c.now(), c);
}

void learn_from(const sip::response& r, const xmpp::jid& user, std::span<const feature> form, context& c) {
  learn(lessons_of(r, form), user, c);
}

}  // namespace stox::gateway
