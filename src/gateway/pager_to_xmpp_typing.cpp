#include <string>
#include <utility>

#include "gateway/chat_states.hpp"
#include "gateway/pager_to_xmpp.hpp"
#include "gateway/reply.hpp"

// What pager_to_xmpp does with a MESSAGE that is a typing notice.
namespace stox::gateway {

void pager_to_xmpp::typed(arrival& a, const result<payload::is_composing>& notice,
                          const std::string& hop_mark, context& c) {
  // It is no text that could be shown instead.
  if (!notice) return refuse(a.e, reply_of({400, "Bad isComposing document", {}, false}), "content", {}, c);
  sip::reply ok;
  ok.status = 200;
  c.respond(a.e.tx, ok);

  // Only a conversation has somebody who waits for a text, and one device of his that spoke last in it.
  const auto jid = a.target.bare_text(), aor = a.sender.bare_text();
  const auto* pair = talk_.find_pair(jid, aor, c.now().steady);
  bool shown = false;
  const bool allowed = allows_typing(rates_, aor, jid, c.settings().limits, c.now().steady);
  if (!allowed) c.counts().count(typing_drop::rate);
  // Also where CPIM hides it from who looks at Content-Type.
  if (const auto name = allowed ? peer_name(a.sender, c.domains()) : std::nullopt)
    c.peers().learn(*name, a.sender.domain, {feature::is_composing, true, learned_by::received}, c.now(), c);
  const auto resource = pair != nullptr ? pair->locked.at(c.now().steady) : std::string();
  if (allowed && !resource.empty() && understands_states(pair, jid, c) &&
      (a.target.is_bare() || a.target.resource == resource)) {
    learn_device(a.from, a.from.user.value_or(std::string{}), pair);
    if (auto device = c.domains().addresses.to_jid(a.from)) a.sender = *std::move(device);
    a.target.resource = resource;
    shown = typing_.handle(*notice, a.sender, a.target, pair->thread, hop_mark, c);
  }
  c.counts().count(direction::to_xmpp, outcome::ignored, shown ? "typing" : "typing_unseen", a.sender.domain);
}

}  // namespace stox::gateway
