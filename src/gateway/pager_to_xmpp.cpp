#include "gateway/pager_to_xmpp.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/text.hpp"
#include "gateway/chat_states.hpp"
#include "gateway/late_failure.hpp"
#include "gateway/notification.hpp"
#include "gateway/reply.hpp"
#include "translate/composing.hpp"
#include "translate/identity.hpp"
#include "translate/loop.hpp"
#include "translate/pager.hpp"
#include "translate/sip_content.hpp"

namespace stox::gateway {

namespace {

constexpr std::size_t entry_bytes = 256;  ///< what a message takes in maps, queue and timer index

/// Whether the sender is told what becomes of his message, as far as he wants to know it.
bool will_hear(const payload::imdn_request& w) {
  return !w.message_id.empty() && (w.positive_delivery || w.negative_delivery || w.display);
}

}  // namespace

void pager_to_xmpp::refuse(const sip::request_received& e, const sip::reply& r, std::string_view cause,
                           const std::string& conversation, context& c, bool noted) {
  c.respond(e.tx, r);
  const auto served = c.domains().addresses.domain_to_xmpp(e.head.from.uri.host);
  c.counts().count(direction::to_xmpp, outcome::refused, cause, served ? *served : std::string());
  if (!noted || !c.logs(log_level::info)) return;
  auto sender = e.head.from.uri;
  sender.params.clear();
  if (!tells_refusal(rates_, cause, sip::write(sender), c.now().steady)) return;
  note(c, log_level::info, "message.to_xmpp.refused",
       {conversation, e.head.call_id, {}, sip::write(e.head.from.uri), sip::write(e.request_uri)},
       {{"peer", e.peer.remote.to_string()},
        {"status", std::to_string(r.status)},
        {"cause", std::string(cause)}});
}

void pager_to_xmpp::break_loop(const sip::request_received& e, const sip::reply& r, std::string_view cause,
                               const std::string& conversation, context& c) {
  // The parameters of the URIs may differ each time around.
  const auto bare = [](sip::uri u) {
    u.params.clear();
    return sip::write(u);
  };
  note_loop(c, rates_, {conversation, e.head.call_id, {}, bare(e.head.from.uri), bare(e.request_uri)}, cause);
  refuse(e, r, cause, conversation, c, false);
}

void pager_to_xmpp::handle(sip::request_received& e, context& c) {
  auto who = translate::identity_of(e.request, e.head, c.domains().sip);
  if (!who) return refuse(e, reply_of(who.error()), "identity", {}, c);
  // Who may speak for one domain must not speak for another one's users.
  if (!c.domains().trusts(e.peer, who->aor.host)) {
    return refuse(e, reply_of({403, "Not trusted for the sender's domain", {}, false}), "not_trusted", {}, c);
  }
  const auto& addresses = c.domains().addresses;
  auto target = addresses.to_jid(e.request_uri);
  if (!target) return refuse(e, reply_of(translate::pager::no_recipient(target.error())), "address", {}, c);
  auto sender = addresses.to_jid(who->aor);
  if (!sender) {
    // A gr that no resource can hold costs the resource, not the message.
    who->aor.params.clear();
    sender = addresses.to_jid(who->aor);
  }
  if (!sender)
    return refuse(e, reply_of({403, "Not an address of a served domain", {}, false}), "identity", {}, c);
  // Nothing is learned from the blocked, and no receipt of theirs goes on.
  if (c.blocks_sip(*sender)) return refuse(e, reply_of({403, "", {}, false}), "blocked", {}, c);
  if (const auto no = translate::undo_encoding(e.request)) return refuse(e, reply_of(*no), "content", {}, c);

  arrival a{e,
            std::move(who->aor),
            std::move(who->display),
            *std::move(sender),
            *std::move(target),
            translate::content_type_of(e.request)};
  if (a.type) {
    if (const auto said = take_notifications(*a.type, e.request.body, a.sender, a.target, talk_, c))
      return answer_notification(e, *said, c);
  }
  auto mark = translate::next_hop_mark(translate::hop_mark_of(e.request), c.domains().name);
  if (!mark) return break_loop(e, reply_of({482, "Loop Detected", {}, false}), "loop", {}, c);
  if (a.type) {
    if (const auto notice = translate::composing::read(*a.type, e.request.body))
      return typed(a, *notice, *mark, c);
  }
  accept(a, *std::move(mark), c);
}

void pager_to_xmpp::accept(arrival& a, std::string hop_mark, context& c) {
  const auto steady = c.now().steady;
  auto& e = a.e;
  auto& speaker = a.from;
  const std::string jid = a.target.bare_text();
  const std::string aor = a.sender.bare_text();
  auto* pair = talk_.find_pair(jid, aor, steady);
  const std::string known = pair != nullptr ? pair->name : std::string{};
  const auto& rules = c.domains().rules_of(speaker.host);
  const rated_message rated{aor, jid, a.sender.domain, a.sender.domain};
  // RFC 3261 has no code for it: docs/decisions/0008-choices-where-the-rfc-leaves-one.md.
  if (const auto r = refuse_rate(rates_, rated, c.settings().limits, rules.rate_per_domain, steady))
    return refuse(e, come_again("Too many messages", r->wait), cause_of(r->scope), known, c, r->tell);
  learn_client(a, c);
  if (pair != nullptr && repeats_too_often(pair->repeats[0], e.request.body, steady)) {
    return break_loop(e, reply_of({482, "Identical messages repeated too often", {}, false}), "repeated",
                      known, c);
  }
  // RFC 5438 §7.2.1: reports go to the URI in From, and not to a device that this request does not name.
  const auto reply_to = sip::write(speaker);
  const auto spelled = speaker.user.value_or(std::string{});
  const auto shown = speaker.params.size();
  const auto device = learn_device(speaker, spelled, pair);
  const bool showed = !device.empty() && speaker.params.size() == shown;
  if (speaker.params.size() != shown) {
    if (auto with_device = c.domains().addresses.to_jid(speaker)) a.sender = *std::move(with_device);
  }

  translate::pager::xmpp_context how;
  how.id = c.ids().next(id_kind::stanza);
  how.hop_mark = std::move(hop_mark);
  how.now = c.now().wall;
  how.xhtml = c.settings().chat.xhtml;
  // XEP-0172 §4.2: with the first message, not with each.
  const auto name = std::hash<std::string>{}(a.display);
  const bool new_name = pair == nullptr || pair->shown_name != name;
  if (rules.message_type == settings::message_type::normal) {
    how.type = xmpp::message_type::normal;
    const auto base = translate::pager::call_id_of(translate::pager::thread_of(e.head.call_id));
    const auto* thread = talk_.find_thread(jid, aor, base, steady);
    how.resource = thread != nullptr ? thread->locked.at(steady) : std::string{};
    // Who writes without a thread has only one conversation with this contact.
    if (thread == nullptr && pair != nullptr && pair->without_thread &&
        steady - *pair->without_thread < conversations::forget_after)
      how.resource = pair->locked.at(steady);
  } else if (pair != nullptr) {
    how.resource = pair->locked.at(steady);
  }
  const bool user_meant = a.target.is_bare();
  how.chat_states = how.type == xmpp::message_type::chat && understands_states(pair, jid, c);
  auto made = translate::pager::to_xmpp(e.request, e.head, a.type, speaker, std::move(a.sender),
                                        std::move(a.target), new_name ? a.display : std::string(), how);
  if (!made) return refuse(e, reply_of(made.error()), "content", known, c);
  std::string stanza = xmpp::write(made->value);
  const bool locked = user_meant && !made->value.to->is_bare();
  const auto kept = sizeof(pending) + entry_bytes + 2 * how.id.size() + e.head.call_id.size() + jid.size() +
                    aor.size() + made->value.from.resource.size() + made->value.to->resource.size() +
                    (locked ? stanza.size() : 0);
  const auto remembered =
      conversations::cost(jid, aor) + spelled.size() + device.size() + recent_texts::max_bytes;
  if (!c.memory().has_room(kept + stanza.size() + remembered))
    return refuse(e, busy("Out of memory for new messages", c), "memory", known, c);
  const auto state = c.link(made->value.from.domain, made->value.to->domain);
  if (state == link_state::none)
    return refuse(e, reply_of({404, "Domain not served", {}, false}), "not_served", known, c);
  if (state == link_state::blocked) return refuse(e, busy("XMPP link congested", c), "congested", known, c);

  // It is accepted: only now is anything remembered of it.
  auto& learned = remember(pair, jid, aor, e.request.body, spelled, device, showed, steady);
  learned.shown_name = name;
  conversations::set_thread(learned, made->value.thread ? &*made->value.thread : nullptr);
  typing_.text_sent(made->value.from, *made->value.to, c);
  talk_.note(learned, direction::to_xmpp, {{how.id}}, made->value.bodies.front().text, steady,
             takes_notices(e, speaker, will_hear(made->wanted)));
  c.counts().count_losses(direction::to_xmpp, made->losses.size());
  if (c.logs(log_level::debug)) {
    for (const auto& l : made->losses)
      note(c, log_level::debug, "message.loss", {learned.name, e.head.call_id, {}, {}, {}},
           {{"what", l.what}, {"why", l.why}});
  }
  const auto ref = c.new_ref();
  auto& p = open_[ref];
  p.tx = e.tx;
  p.from = std::move(made->value.from);
  p.to = *made->value.to;
  p.id = std::move(how.id);
  p.call_id = e.head.call_id;
  p.conversation = learned.name;
  p.begun = c.now().wall;
  p.locked = locked;
  p.kept = kept;
  p.memory = charge(c.memory(), kept + stanza.size());
  by_id_.emplace(p.id, ref);
  if (!made->wanted.message_id.empty()) await_reports(p, *made, reply_to, c);
  write_or_hold(ref, p, std::move(stanza), c);
}

std::string pager_to_xmpp::learn_device(sip::uri& speaker, const std::string& spelled,
                                        const pair_state* pair) {
  if (const auto* gr = speaker.find("gr"); gr != nullptr && gr->value) return *gr->value;
  // RFC 7572 §5: the full JID is used where the GRUU is known, from this request or an earlier one of the
  // same two. RFC 3261 §19.1.4: another spelling may be another user; what the first one showed is not his.
  if (pair == nullptr || pair->sip_user != spelled || pair->sip_gr.empty()) return {};
  speaker.params.push_back({"gr", pair->sip_gr});
  return pair->sip_gr;
}

pair_state& pager_to_xmpp::remember(pair_state* known, const std::string& jid, const std::string& aor,
                                    const std::string& body, const std::string& spelled,
                                    const std::string& device, bool shown, steady_time now) {
  auto& pair = known != nullptr ? *known : talk_.pair(jid, aor, now);
  if (known == nullptr) repeats_too_often(pair.repeats[0], body, now);
  // What showed no GRUU may have come from any device of his.
  pair.device_spoke = shown ? std::optional(now) : std::nullopt;
  if (pair.sip_user == spelled && pair.sip_gr == device) return pair;
  pair.sip_user = spelled;
  pair.sip_gr = device;
  pair.weigh();
  return pair;
}

void pager_to_xmpp::write_or_hold(xmpp::stanza_ref ref, pending& p, std::string stanza, context& c) {
  if (c.link(p.from.domain, p.to.domain) != link_state::down) {
    p.at = stage::writing;
    if (p.locked) p.stanza = stanza;
    if (c.send(p.from.domain, p.to.domain, std::move(stanza), ref)) return;
    return answer_error(ref, p, busy("XMPP link is down", c), outcome::failed, "link_down", c);
  }
  p.at = stage::held;
  p.stanza = std::move(stanza);
  held_.push_back(ref);
  c.set_timer(p.timer, static_cast<std::uint64_t>(ref), c.now().steady + c.settings().sip.hold);
}

void pager_to_xmpp::link_up(std::string_view domain, context& c) {
  // In order of arrival: what came first is written first.
  std::deque<xmpp::stanza_ref> still;
  for (const auto ref : std::exchange(held_, {})) {
    const auto at = open_.find(ref);
    if (at == open_.end() || at->second.at != stage::held) continue;
    auto& p = at->second;
    if (p.from.domain != domain) {
      still.push_back(ref);
      continue;
    }
    c.set_timer(p.timer, 0, std::nullopt);
    p.at = stage::writing;
    if (!c.send(domain, p.to.domain, p.locked ? p.stanza : std::exchange(p.stanza, {}), ref)) {
      answer_error(ref, p, busy("XMPP link is down", c), outcome::failed, "link_down", c);
    }
  }
  held_ = std::move(still);
}

}  // namespace stox::gateway
