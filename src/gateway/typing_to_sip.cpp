#include "gateway/typing_to_sip.hpp"

#include <array>
#include <utility>
#include <vector>

#include "gateway/lane.hpp"
#include "gateway/lock.hpp"
#include "gateway/report.hpp"
#include "gateway/timer_keys.hpp"
#include "translate/composing.hpp"
#include "translate/loop.hpp"

namespace stox::gateway {

namespace {

/// RFC 3994 §3.2: no shorter than 60 s. It is refreshed before it is over, or the peer would see a gap.
constexpr std::uint32_t refresh_seconds = 120;
constexpr auto refresh_after = std::chrono::seconds(90);
/// A client that went away while its user typed never says so. XEP-0085 §3 has "paused" after 30 s without a
/// key, so that no one types for so long but a few.
constexpr unsigned most_refreshes = 3;
/// How often and how long a notice looks whether the text before it is out of the way.
constexpr auto hold_for = std::chrono::milliseconds(500);
constexpr unsigned most_holds = 20;

constexpr std::size_t entry_bytes = 4 * 64 + 128;  ///< what containers spend on one, and a hop mark

constexpr std::array notice_form = {feature::is_composing};

std::string key_of(const xmpp::jid& from, const xmpp::jid& to) {
  auto key = from.bare_text();
  key.append(1, '\0').append(to.bare_text());
  return key;
}

}  // namespace

typing_to_sip::place* typing_to_sip::find(const xmpp::jid& from, const xmpp::jid& to) {
  if (typists_.empty()) return nullptr;
  const auto at = typists_.find(key_of(from, to));
  return at == typists_.end() ? nullptr : &*at;
}

/// nullptr: too many type, or memory is short; messages need what is left.
typing_to_sip::place* typing_to_sip::make(const xmpp::message& m, context& c) {
  auto key = key_of(m.from, *m.to);
  const auto cost =
      sizeof(place) + entry_bytes + 4 * (key.size() + m.from.resource.size() + m.to->resource.size());
  const auto why = c.memory().has_room(cost) ? places_.take(m.from) : typing_drop::memory;
  if (why) {
    c.counts().count(*why);
    return nullptr;
  }
  auto& at = *typists_.try_emplace(std::move(key)).first;
  at.second.number = ++last_number_;
  at.second.memory = charge(c.memory(), cost);
  by_number_.emplace(at.second.number, &at);
  return &at;
}

void typing_to_sip::erase(place& at, context& c) {
  auto& t = at.second;
  c.set_timer(t.timer, 0, std::nullopt);
  if (t.pending) end_transaction(t);
  by_number_.erase(t.number);
  places_.give(t.from);
  typists_.erase(typists_.find(at.first));
}

void typing_to_sip::end_transaction(typist& t) {
  open_.erase(*t.pending);
  t.pending.reset();
  lanes_.erase(t.lane);
  reports_.is_free(t.lane);
}

void typing_to_sip::drop(place& at, typing_drop why, context& c) {
  c.counts().count(why);
  erase(at, c);
}

bool typing_to_sip::may_send(const typist& t, context& c) {
  if (c.draining() || c.link(t.to.domain, t.from.domain) == link_state::none || c.blocks(t.from))
    return false;
  const auto name = peer_name(t.to, c.domains());
  const auto* caps = name ? c.peers().find(*name, c.now()) : nullptr;
  return caps != nullptr && caps->can(feature::is_composing);
}

bool typing_to_sip::handle(const xmpp::message& m, xmpp::chat_state s, context& c) {
  if (!m.to || m.to->local.empty()) return false;
  const bool active = translate::composing::is_active(s);
  auto mark = translate::next_hop_mark(translate::hop_mark_of(m), c.domains().name);
  if (!mark) {
    c.counts().count(typing_drop::loop);
    return false;
  }
  auto* at = find(m.from, *m.to);
  if (at == nullptr) {
    // Who was not told that he types need not hear that he stopped.
    typist asked;
    asked.from = m.from;
    asked.to = *m.to;
    if (!active || !may_send(asked, c)) return false;
    at = make(m, c);
    if (at == nullptr) return false;
  }
  auto& t = at->second;
  t.from = m.from;
  t.to = *m.to;
  t.hop_mark = *std::move(mark);
  t.wanted = active;
  t.refreshes = 0;
  t.holds = 0;
  step(*at, c);
  return true;
}

void typing_to_sip::text_sent(const xmpp::message& m, context& c) {
  auto* at = find(m.from, *m.to);
  if (at == nullptr) return;
  auto& t = at->second;
  t.overtaken = t.pending && t.told;
  t.told = false;
  t.wanted.reset();
  c.set_timer(t.timer, 0, std::nullopt);
  if (!t.pending) erase(*at, c);
}

/// Does what is wanted, if nothing is in the way.
void typing_to_sip::step(place& at, context& c) {
  auto& t = at.second;
  if (t.pending) return;
  const auto wanted = std::exchange(t.wanted, std::nullopt);
  if (wanted && *wanted != t.told) return send(at, *wanted, c);
  if (!t.told) erase(at, c);
}

void typing_to_sip::send(place& at, bool active, context& c) {
  auto& t = at.second;
  const auto host = c.domains().addresses.domain_to_sip(t.to.domain);
  if (!host || !may_send(t, c)) return drop(at, typing_drop::withdrawn, c);
  xmpp::message m;
  m.type = xmpp::message_type::chat;
  m.from = t.from;
  m.to = t.to;
  const auto jid = t.from.bare_text();
  translate::composing::sip_context how;
  how.refresh = refresh_seconds;
  how.hop_mark = t.hop_mark;
  const auto* pair = talk_.find_pair(jid, t.to.bare_text(), c.now().steady);
  how.gr = device_for(t.to, pair, c.now().steady);
  if (pair != nullptr) how.sip_user = pair->sip_user;
  how.call_id = c.ids().next(id_kind::call_id);
  how.from_tag = c.ids().next(id_kind::tag);
  auto made = translate::composing::to_sip(m, active ? xmpp::chat_state::composing : xmpp::chat_state::paused,
                                           how, c.domains().addresses);
  if (!made) return drop(at, typing_drop::withdrawn, c);
  // RFC 3428 §8: one MESSAGE to a URI at a time. A text that arrived after the notice would end it at once.
  auto lane = lane_of(jid, made->value.uri);
  if (texts_.is_busy(lane)) {
    // What is in the way ends by itself: "idle" can wait for that, "active" would be too late.
    if (active && ++t.holds > most_holds) return drop(at, typing_drop::busy, c);
    // One that is only refreshed stays as it is told, and this try was none.
    if (active != t.told) {
      t.wanted = active;
    } else {
      --t.refreshes;
    }
    return c.set_timer(t.timer, key_in(timer_space::typing_to_sip, t.number), c.now().steady + hold_for);
  }
  if (c.logs(log_level::debug)) {
    note(c, log_level::debug, "typing.to_sip", {{}, how.call_id, {}, t.from.to_string(), t.to.to_string()},
         {{"state", active ? "active" : "idle"}});
  }
  c.counts().count(aside::typing_to_sip);
  const auto tx = c.request(c.route(std::move(made->value), *host));
  t.pending = tx;
  t.lane = std::move(lane);
  lanes_.insert(t.lane);
  t.told = active;
  open_.emplace(tx, &at);
  c.set_timer(t.timer, key_in(timer_space::typing_to_sip, t.number),
              active ? std::optional(c.now().steady + refresh_after) : std::nullopt);
}

bool typing_to_sip::answered(const sip::response_received& e, context& c) {
  const auto known = open_.find(e.tx);
  if (known == open_.end()) return false;
  if (e.response.status < 200) return true;
  auto& at = *known->second;
  auto& t = at.second;
  end_transaction(t);
  if (const auto name = peer_name(t.to, c.domains()))
    c.peers().learn(*name, t.to.domain, lessons_of(e.response, notice_form), c.now(), c);
  // RFC 3994 §4: after a 415 no more. Any other failure is no reason to try again, either.
  if (e.response.status >= 300) {
    drop(at, typing_drop::failed, c);
    return true;
  }
  if (std::exchange(t.overtaken, false)) {
    // The peer may have got "active" after the text that ended it.
    if (!t.wanted.value_or(false)) {
      t.told = true;
      t.wanted = false;
    }
  }
  step(at, c);
  return true;
}

bool typing_to_sip::failed(const sip::request_failed& e, context& c) {
  const auto known = open_.find(e.tx);
  if (known == open_.end()) return false;
  drop(*known->second, typing_drop::failed, c);
  return true;
}

void typing_to_sip::timed_out(std::uint64_t number, context& c) {
  const auto known = by_number_.find(number);
  if (known == by_number_.end()) return;
  auto& at = *known->second;
  auto& t = at.second;
  if (t.wanted || t.pending) return step(at, c);
  if (t.refreshes == most_refreshes) {
    t.wanted = false;
    return step(at, c);
  }
  ++t.refreshes;
  send(at, true, c);
}

void typing_to_sip::abandon(const work_end& why, context& c) {
  std::vector<place*> concerned;
  for (auto& at : typists_) {
    if (why.concerns(at.second.to.domain)) concerned.push_back(&at);
  }
  for (auto* at : concerned) erase(*at, c);
}

}  // namespace stox::gateway
