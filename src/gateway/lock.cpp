#include "gateway/lock.hpp"

#include <string>

#include "base/text.hpp"
#include "translate/pager.hpp"

namespace stox::gateway {

void follow_state(const xmpp::message& m, xmpp::chat_state s, conversations& talk, steady_time now) {
  const auto jid = m.from.bare_text(), aor = m.to->bare_text();
  auto* pair = talk.find_pair(jid, aor, now);
  if (pair == nullptr) return;
  auto* thread = m.thread && !m.thread->empty()
                     ? talk.find_thread(jid, aor, translate::pager::call_id_of(*m.thread), now)
                     : nullptr;
  const auto unlock = [&] {
    pair->locked.end();
    pair->weigh();
    if (thread == nullptr) return;
    thread->locked.end();
    thread->weigh();
  };
  const bool same = pair->locked.at(now) == m.from.resource;
  switch (s) {
    case xmpp::chat_state::composing: pair->locked.speaks(m.from.resource, now); return pair->weigh();
    case xmpp::chat_state::active:
    case xmpp::chat_state::paused:
      if (!same) return unlock();
      return pair->locked.speaks(m.from.resource, now);
    case xmpp::chat_state::inactive:
    case xmpp::chat_state::gone:
      if (same) unlock();
      return;
  }
}

void follow_error(const xmpp::message& error, conversations& talk, steady_time now) {
  const bool warning = error.error && error.error->type == xmpp::error_type::continue_;
  if (warning || error.from.is_bare() || !error.to) return;
  auto* pair = talk.find_pair(error.from.bare_text(), error.to->bare_text(), now);
  if (pair == nullptr || pair->locked.at(now) != error.from.resource) return;
  pair->locked.end();
  pair->weigh();
}

std::string device_for(const xmpp::jid& to, const pair_state* pair, steady_time now) {
  if (!to.resource.empty()) return to.resource;
  if (pair == nullptr || pair->sip_gr.empty() || !pair->device_spoke ||
      now - *pair->device_spoke >= lock_lasts)
    return {};
  return text::percent_decode(pair->sip_gr).value_or(std::string());
}

}  // namespace stox::gateway
