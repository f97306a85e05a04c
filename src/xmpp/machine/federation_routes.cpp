#include <algorithm>
#include <utility>

#include "xmpp/machine/federation_impl.hpp"

// Lanes: what goes between two domains, where it waits, and what is told when it cannot go.
namespace stox::xmpp {

namespace {

constexpr std::size_t lane_cost = 1024;  ///< about what one holds beside its queue

/// Whether the next address may be tried beside those that are.
bool may_attempt(const server_dial& d) {
  return d.begun && !d.targets.empty() && d.stream == s2s_id::none &&
         d.attempts.size() < server_dial::most_at_once;
}

std::uint64_t lane_key(std::uint64_t number) { return number << 1 | 1; }

std::size_t cost_of(const std::string& text) { return text.size() + 128; }

stanza_error timed_out() {
  return because(error_type::wait, condition::remote_server_timeout,
                 "The other server could not be reached in time");
}

}  // namespace

federation::impl::lane* federation::impl::find_lane(const domain_pair& p) {
  const auto at = lanes.find(p);
  return at == lanes.end() ? nullptr : at->second.get();
}

federation::impl::lane& federation::impl::lane_of(const domain_pair& p) {
  auto& slot = lanes[p];
  if (slot) return *slot;
  slot = std::make_unique<lane>(options);
  slot->number = ++last_lane;
  slot->pair = p;
  slot->memory = charge(memory, lane_cost + 2 * (p.local.size() + p.remote.size()));
  by_number.emplace(slot->number, slot.get());
  return *slot;
}

bool federation::impl::take(const domain_pair& p, std::string text, stanza_ref ref, instant now) {
  if (stopping || !options.serves(p.local) || options.serves(p.remote)) return false;
  auto* known = find_lane(p);
  if (known == nullptr && !memory.has_room(lane_cost + cost_of(text))) return false;
  auto& l = known == nullptr ? lane_of(p) : *known;
  l.used = true;
  auto* s = find(l.stream);
  // What a server asked for and does not read waits in the lane, which has its bounds.
  const bool unread = s != nullptr && own(ref) && s->wire->is_blocked();
  if (s != nullptr && s->wire->sends(p) && !s->wire->is_closing() && l.queue.empty() && !unread) {
    ++counts.stanzas_out;
    s->wire->send({l.number, ref, std::move(text), true, false}, own(ref), now);
    touch(*s);
    settle(now);
    return true;
  }
  queued q{ref, std::move(text), now.steady + options.queue_time};
  // The last try failed a moment ago: it is not made again for each stanza.
  if (l.failure && now.steady < l.retry_at) {
    undeliverable(l, std::move(q), *l.failure);
    return true;
  }
  const auto cost = cost_of(q.text);
  if (l.queue.size() >= options.queue_stanzas || l.bytes + cost > options.queue_bytes ||
      !memory.has_room(cost)) {
    ++counts.queue_refused;
    return false;
  }
  l.bytes += cost;
  memory.take(cost);
  l.queue.push_back(std::move(q));
  reach(l, now);
  arm(l, now);
  settle(now);
  return true;
}

void federation::impl::release(lane& l, queued& q) {
  const auto cost = cost_of(q.text);
  l.bytes -= std::min(l.bytes, cost);
  memory.give(cost);
}

void federation::impl::flush(lane& l, instant now) {
  auto* s = find(l.stream);
  if (s == nullptr || !s->wire->sends(l.pair) || s->wire->is_closing()) return;
  while (!l.queue.empty() && !s->wire->is_blocked()) {
    auto q = std::move(l.queue.front());
    l.queue.pop_front();
    release(l, q);
    ++counts.stanzas_out;
    s->wire->send({l.number, q.ref, std::move(q.text), true, q.again}, own(q.ref), now);
  }
  touch(*s);
}

// ---- to a stream ----

/// One more pair on a stream to the same server.
bool federation::impl::ask_stream(lane& l) {
  const auto of = outgoing.find(l.pair.remote);
  if (of == outgoing.end()) return false;
  for (const auto id : of->second) {
    auto& e = *find(id);
    if (!e.wire->takes_more(l.pair)) continue;
    l.asked = id;
    tie(id, l);
    e.wire->want(l.pair);
    touch(e);
    return true;
  }
  return false;
}

/// Makes sure that something is under way to a stream that sends the pair.
void federation::impl::reach(lane& l, instant now) {
  if (l.stream != s2s_id::none) return flush(l, now);
  if (l.asked != s2s_id::none || stopping || (l.failure && now.steady < l.retry_at)) return;
  if (!l.dial && !l.session && ask_stream(l)) return;
  if (!l.dial) return begin_dial(l, now);
  // It was made for a question only; now there is something to send, too.
  if (auto* s = find(l.dial->stream)) {
    s->wire->want(l.pair);
    touch(*s);
  }
}

/// XEP-0220 §2.2: the keys are shown to the domain's own server, never on the stream that offered them.
void federation::impl::ask_keys(lane& l, instant now) {
  const bool open = std::any_of(l.questions.begin(), l.questions.end(),
                                [](const question& q) { return q.asked == s2s_id::none; });
  if (!open) return;
  const auto of = outgoing.find(l.pair.remote);
  for (const auto id : of == outgoing.end() ? std::set<s2s_id>{} : of->second) {
    auto& e = *find(id);
    if (!e.wire->takes_questions()) continue;
    tie(id, l);
    for (auto& q : l.questions) {
      if (q.asked != s2s_id::none || q.asker == id) continue;
      q.asked = id;
      e.wire->verify(l.pair, q.stream, q.key);
      touch(e);
    }
  }
  const bool left = std::any_of(l.questions.begin(), l.questions.end(),
                                [](const question& q) { return q.asked == s2s_id::none; });
  if (!left || l.dial) return;
  if (l.failure && now.steady < l.retry_at) return refuse_keys(l, "remote-server-not-found", now);
  begin_dial(l, now);
}

/// Those that were put to nobody yet.
void federation::impl::refuse_keys(lane& l, std::string_view condition, instant now) {
  std::vector<question> refused;
  std::erase_if(l.questions, [&](const question& q) {
    if (q.asked != s2s_id::none) return false;
    refused.push_back(q);
    return true;
  });
  counts.keys_refused += refused.size();
  for (auto& q : refused) answer(l, q, dialback_type::error, condition, now);
}

void federation::impl::answer(lane& l, question& q, dialback_type type, std::string_view condition,
                              instant now) {
  auto* asker = find(q.asker);
  if (asker == nullptr) return;
  asker->wire->answer_key(l.pair, type, condition, now);
  touch(*asker);
}

// ---- what cannot go ----

void federation::impl::undeliverable(lane& l, queued q, const stanza_error& why) {
  if (own(q.ref)) {
    link_down told;
    told.unheard.push_back(std::move(q.text));
    events.push_back({l.pair.local, std::move(told)});
  } else {
    events.push_back({l.pair.local, stanza_lost{q.ref, false, why}});
  }
}

/// The domain cannot be reached: everything that waits for it hears so, and for a while nothing is tried.
void federation::impl::fail(lane& l, stanza_error why, const std::string& words, instant now) {
  if (!stopping) {
    ++counts.unreachable;
    // Strangers can make us look for domains as often as they like.
    log_record record{l.queue.empty() ? log_level::debug : log_level::info, "s2s.unreachable", {}, {}};
    record.fields = {{"domain", l.pair.local},
                     {"peer", l.pair.remote},
                     {"condition", std::string(to_string(why.condition))},
                     {"why", words},
                     {"stanzas", std::to_string(l.queue.size())}};
    log.push_back(std::move(record));
  }
  l.failure = why;
  l.retry_at = now.steady + l.wait.take(ids);
  for (auto& q : std::exchange(l.queue, {})) {
    release(l, q);
    undeliverable(l, std::move(q), why);
  }
  // Those that were asked of a stream that lives are still answered by it.
  std::erase_if(l.questions, [&](question& q) {
    if (find(q.asked) != nullptr) return false;
    answer(l, q, dialback_type::error, to_string(why.condition), now);
    return true;
  });
  // A session is for another try, until its time is over.
  if (l.session && (stopping || l.session->until <= now.steady)) {
    auto session = *std::exchange(l.session, std::nullopt);
    ++counts.lost_sessions;
    lost({std::make_move_iterator(session.waiting.begin()), std::make_move_iterator(session.waiting.end())},
         now);
  }
  arm(l, now);
}

/// What streams were given and did not confirm. What nobody waits for goes again, in its order: its receiver
/// knows a repeated one by its id.
void federation::impl::lost(std::vector<unconfirmed> all, instant now) {
  std::map<std::uint64_t, std::vector<queued>> again;
  for (auto& u : all) {
    const auto of = by_number.find(u.lane);
    if (!own(u.ref)) {
      events.push_back({{}, stanza_lost{u.ref, u.written, {}}});
    } else if (of != by_number.end() && u.again) {
      // It was lost twice: the peer may have it, and may be what it is lost for.
      undeliverable(*of->second, {u.ref, std::move(u.text), {}, true}, timed_out());
    } else if (of != by_number.end()) {
      again[u.lane].push_back({u.ref, std::move(u.text), now.steady + options.queue_time, true});
    }
  }
  for (auto& [number, texts] : again) {
    auto& l = *by_number.at(number);
    requeue(l, std::move(texts));
    reach(l, now);
    arm(l, now);
  }
}

void federation::impl::requeue(lane& l, std::vector<queued> again) {
  // They had their room before; refusing them now would lose them.
  for (auto at = again.rbegin(); at != again.rend(); ++at) {
    const auto cost = cost_of(at->text);
    l.bytes += cost;
    memory.take(cost);
    l.queue.push_front(std::move(*at));
  }
}

// ---- time ----

void federation::impl::arm(lane& l, instant) {
  std::optional<steady_time> due;
  const auto at = [&due](steady_time t) { due = due ? std::min(*due, t) : t; };
  if (!l.queue.empty()) at(l.queue.front().until);
  if (l.session) at(l.session->until);
  if (l.dial && l.dial->begun) at(l.dial->late ? l.dial->limit : l.dial->late_at);
  if (l.dial && may_attempt(*l.dial)) at(l.dial->next_attempt);
  // Nothing is under way, and something waits: it is tried again when the pause is over.
  if ((!l.queue.empty() || l.session) && is_idle(l) && l.failure && !stopping) at(l.retry_at);
  if (due == l.armed) return;
  l.armed = due;
  deadlines.set(l.timer, {timer_owner::s2s, lane_key(l.number)}, due);
}

void federation::impl::lane_timeout(lane& l, instant now) {
  l.armed.reset();
  const bool too_long = !l.queue.empty() && l.queue.front().until <= now.steady;
  // The stream that was asked to carry this pair too does not answer: the next ones get one of their own.
  if (too_long) l.asked = s2s_id::none;
  while (!l.queue.empty() && l.queue.front().until <= now.steady) {
    auto q = std::move(l.queue.front());
    l.queue.pop_front();
    release(l, q);
    undeliverable(l, std::move(q), timed_out());
  }
  if (l.session && l.session->until <= now.steady) {
    auto session = *std::exchange(l.session, std::nullopt);
    ++counts.lost_sessions;
    lost({std::make_move_iterator(session.waiting.begin()), std::make_move_iterator(session.waiting.end())},
         now);
  }
  const bool tried = l.dial && l.dial->begun;
  const auto last_words = tried ? l.dial->words : std::string();
  drop_dial_for_nobody(l);
  if (tried && !l.dial) fail(l, timed_out(), last_words.empty() ? "no answer in time" : last_words, now);
  if (l.dial && l.dial->begun) {
    if (!l.dial->late && l.dial->late_at <= now.steady) {
      l.dial->late = true;
      --dialling;
      if (l.dial->for_keys) --dialling_for_keys;
      ++late_dials;
    }
    if (l.dial->limit <= now.steady) {
      if (auto* s = find(l.dial->stream)) {
        s->wire->give_up("no answer in time", now);
        touch(*s);
      }
      const auto words = l.dial->words.empty() ? "no answer in time" : l.dial->words;
      end_dial(l);
      fail(l, timed_out(), words, now);
    } else if (may_attempt(*l.dial) && l.dial->next_attempt <= now.steady) {
      attempt(l, now);
    }
  }
  if ((!l.queue.empty() || l.session) && is_idle(l) && !stopping)
    too_long ? begin_dial(l, now) : reach(l, now);
  arm(l, now);
}

}  // namespace stox::xmpp
