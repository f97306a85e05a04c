#include <string>
#include <utility>

#include "gateway/chat_states.hpp"
#include "gateway/pager_to_xmpp.hpp"
#include "translate/pager.hpp"

// What pager_to_xmpp does with a MESSAGE that is a typing notice.
namespace stox::gateway {

void pager_to_xmpp::typed(const sip::request_received& e, const sip::uri& from,
                          const result<payload::is_composing>& notice, const std::string& hop_mark,
                          context& c) {
  auto target = c.domains().addresses.to_jid(e.request_uri);
  if (!target) return refuse(e, reply_of(translate::pager::no_recipient(target.error())), "address", {}, c);
  // It is no text that could be shown instead.
  if (!notice) return refuse(e, reply_of({400, "Bad isComposing document", {}, false}), "content", {}, c);
  sip::uri speaker = from;
  speaker.params.clear();
  auto sender = c.domains().addresses.to_jid(speaker);
  if (!sender)
    return refuse(e, reply_of({403, "Not an address of a served domain", {}, false}), "identity", {}, c);
  if (c.blocks_sip(*sender)) return refuse(e, reply_of({403, "", {}, false}), "blocked", {}, c);
  sip::reply ok;
  ok.status = 200;
  c.respond(e.tx, ok);

  // Only a conversation has somebody who waits for a text, and one device of his that spoke last in it.
  const auto* pair = talk_.find_pair(target->bare_text(), sender->bare_text(), c.now().steady);
  bool shown = false;
  const bool allowed =
      allows_typing(rates_, sender->bare_text(), target->bare_text(), c.settings().limits, c.now().steady);
  if (!allowed) c.counts().count(typing_drop::rate);
  // Also where CPIM hides it from who looks at Content-Type.
  if (const auto name = allowed ? peer_name(*sender, c.domains()) : std::nullopt)
    c.peers().learn(*name, sender->domain, {feature::is_composing, true, learned_by::received}, c.now(), c);
  const auto resource = pair != nullptr ? pair->locked.at(c.now().steady) : std::string();
  if (allowed && !resource.empty() && understands_states(pair, *target, c) &&
      (target->is_bare() || target->resource == resource)) {
    speaker = from;
    learn_device(speaker, from.user.value_or(std::string{}), pair);
    if (auto device = c.domains().addresses.to_jid(speaker)) sender = std::move(device);
    target->resource = resource;
    shown = typing_.handle(*notice, *sender, *target, pair->thread, hop_mark, c);
  }
  c.counts().count(direction::to_xmpp, outcome::ignored, shown ? "typing" : "typing_unseen", sender->domain);
}

}  // namespace stox::gateway
