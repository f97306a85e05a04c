#include <optional>
#include <string>
#include <utility>

#include "gateway/pager_to_sip.hpp"
#include "translate/chat_text.hpp"

// What pager_to_sip learns from a message that it has accepted.
namespace stox::gateway {

namespace {

/// The id that the sender's own server gave it: any other may be somebody's invention (XEP-0359 §6).
std::string_view archived_id(const xmpp::message& m, const xmpp::extras& x) {
  if (x.stanza_ids.empty()) return {};
  const auto bare = m.from.bare_text();
  for (const auto& i : x.stanza_ids) {
    if (i.by == bare || i.by == m.from.domain) return i.id;
  }
  return {};
}

}  // namespace

bool pager_to_sip::came_before(const recent_texts& texts, const xmpp::message& m, const xmpp::extras& x,
                               steady_time now) {
  const auto seen = [&](std::string_view id) {
    return !id.empty() && texts.seen(direction::to_sip, id, now);
  };
  return seen(x.origin_id) || seen(archived_id(m, x));
}

pair_state& pager_to_sip::remember(const xmpp::message& m, const xmpp::extras& x, const parties& t,
                                   pair_state* known_pair, thread_state* known, thread_state made,
                                   steady_time now) {
  // RFC 6121 §5.2.2: nobody answers a headline.
  const bool talks = m.type != xmpp::message_type::headline;
  if (!t.thread.empty()) {
    // A new thread may take the place of an older entry, whichever that is.
    if (known == nullptr) known_pair = nullptr;
    auto& thread =
        known != nullptr ? *known : talk_.keep_thread(t.jid, t.aor, t.thread, std::move(made), now);
    if (talks) thread.locked.speaks(m.from.resource, now);
    thread.weigh();
    if (known_pair == nullptr) known_pair = talk_.find_pair(t.jid, t.aor, now);
  }
  auto& pair = known_pair != nullptr ? *known_pair : talk_.pair(t.jid, t.aor, now);
  if (known_pair == nullptr && !m.bodies.empty())
    repeats_too_often(pair.repeats[1], m.bodies.front().text, now);
  if (t.thread.empty()) pair.without_thread = now;
  if (talks) {
    pair.locked.speaks(m.from.resource, now);
    conversations::set_thread(pair, m.thread ? &*m.thread : nullptr);
  }
  pair.weigh();
  remember_text(m, x, pair, now);
  return pair;
}

void pager_to_sip::remember_text(const xmpp::message& m, const xmpp::extras& x, pair_state& pair,
                                 steady_time now) {
  if (x.retracts) pair.texts.forget_text(direction::to_sip, *x.retracts);
  std::string room;
  const auto words =
      translate::pager::is_off_the_record(x) ? std::string_view() : translate::pager::own_words(m, x, room);
  // A stanza without id can get no answer that says it failed: it must not stand in the way of a second try.
  const bool unique = !m.id.empty();
  // XEP-0308 §4: whoever speaks of a corrected message names the first one, and means the last.
  talk_.note(pair, direction::to_sip,
             {{m.id},
              {x.origin_id, unique},
              {archived_id(m, x), unique},
              {x.replaces ? std::string_view(*x.replaces) : std::string_view()}},
             words, now);
}

}  // namespace stox::gateway
