#include "gateway/typing_to_xmpp.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "gateway/report.hpp"
#include "gateway/timer_keys.hpp"
#include "translate/composing.hpp"

namespace stox::gateway {

namespace {

constexpr std::uint32_t usual_seconds = 120;  ///< RFC 3994 §3.3
/// What is asked for beyond these bounds would flicker, or stand long after its sender is gone.
constexpr std::uint32_t shortest_seconds = 10, longest_seconds = 600;

constexpr std::size_t entry_bytes = 3 * 64;  ///< what containers spend on one

std::string key_of(const xmpp::jid& from, const xmpp::jid& to) {
  auto key = from.bare_text();
  key.append(1, '\0').append(to.bare_text());
  return key;
}

}  // namespace

bool typing_to_xmpp::handle(const payload::is_composing& notice, const xmpp::jid& from, const xmpp::jid& to,
                            const std::string& thread, const std::string& hop_mark, context& c) {
  auto key = key_of(from, to);
  auto known = typists_.find(key);
  if (!notice.active) {
    if (known == typists_.end()) return false;
    stop(*known, c);
    return true;
  }
  if (known == typists_.end()) {
    const auto cost = sizeof(place) + entry_bytes + 2 * key.size() + from.resource.size() +
                      to.resource.size() + thread.size() + hop_mark.size();
    const auto why = !c.memory().has_room(cost)                         ? std::optional(typing_drop::memory)
                     : c.link(from.domain, to.domain) != link_state::up ? std::optional(typing_drop::link)
                                                                        : places_.take(from);
    if (why) {
      c.counts().count(*why);
      return false;
    }
    known = typists_.try_emplace(std::move(key)).first;
    auto& t = known->second;
    t.from = from;
    t.to = to;
    t.thread = thread;
    t.hop_mark = hop_mark;
    t.number = ++last_number_;
    t.memory = charge(c.memory(), cost);
    by_number_.emplace(t.number, &*known);
    send(t, notice, c);
  }
  const auto seconds = std::clamp(notice.refresh.value_or(usual_seconds), shortest_seconds, longest_seconds);
  auto& t = known->second;
  c.set_timer(t.timer, key_in(timer_space::typing_to_xmpp, t.number),
              c.now().steady + std::chrono::seconds(seconds));
  return true;
}

/// "composing" that cannot go now would be false when it could.
void typing_to_xmpp::send(const typist& t, const payload::is_composing& notice, context& c) {
  const auto made = translate::composing::to_xmpp(notice, c.ids().next(id_kind::stanza), t.from, t.to,
                                                  t.thread, t.hop_mark);
  const bool late = notice.active && c.link(t.from.domain, t.to.domain) != link_state::up;
  if (late || !c.send_or_queue(t.from.domain, t.to.domain, xmpp::write(made.value)))
    return c.counts().count(typing_drop::link);
  c.counts().count(aside::typing_to_xmpp);
  c.counts().count_losses(direction::to_xmpp, made.losses.size());
  if (!c.logs(log_level::debug)) return;
  note(c, log_level::debug, "typing.to_xmpp", {{}, {}, made.value.id, t.from.to_string(), t.to.to_string()},
       {{"state", notice.active ? "composing" : "paused"}});
}

void typing_to_xmpp::stop(place& at, context& c) {
  send(at.second, payload::is_composing{}, c);
  erase(at, c);
}

void typing_to_xmpp::text_sent(const xmpp::jid& from, const xmpp::jid& to, context& c) {
  if (typists_.empty()) return;
  const auto known = typists_.find(key_of(from, to));
  if (known == typists_.end()) return;
  if (known->second.to != to) return stop(*known, c);
  erase(*known, c);
}

void typing_to_xmpp::timed_out(std::uint64_t number, context& c) {
  const auto known = by_number_.find(number);
  if (known != by_number_.end()) stop(*known->second, c);
}

void typing_to_xmpp::erase(place& at, context& c) {
  c.set_timer(at.second.timer, 0, std::nullopt);
  by_number_.erase(at.second.number);
  places_.give(at.second.from);
  typists_.erase(typists_.find(at.first));
}

void typing_to_xmpp::abandon(const work_end& why, context& c) {
  std::vector<place*> concerned;
  for (auto& at : typists_) {
    if (why.concerns(at.second.from.domain)) concerned.push_back(&at);
  }
  for (auto* at : concerned) stop(*at, c);
}

}  // namespace stox::gateway
