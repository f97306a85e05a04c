#pragma once

#include <array>
#include <span>

#include "gateway/context.hpp"
#include "gateway/peer_lessons.hpp"
#include "sip/wire/message.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::gateway {

/// What a MESSAGE in CPIM that asks for IMDN, or brings one, needs of its receiver.
inline constexpr std::array<feature, 2> imdn_form = {feature::cpim, feature::imdn};

/// From the final answer to a MESSAGE of ours. `user`: the SIP user; `form`: see lessons_of.
void learn_from(const sip::response& r, const xmpp::jid& user, std::span<const feature> form, context& c);
/// From what the user's client sent. `user`: of either side.
void learn(const lessons& what, const xmpp::jid& user, context& c);

}  // namespace stox::gateway
