// What becomes of a MESSAGE that was accepted for XMPP: its answer, and what is known after it.
#include <algorithm>
#include <utility>
#include <vector>

#include "gateway/late_failure.hpp"
#include "gateway/pager_to_xmpp.hpp"
#include "gateway/reply.hpp"
#include "translate/error.hpp"
#include "translate/pager.hpp"

namespace stox::gateway {

receipt_key pager_to_xmpp::key_of(const pending& p) {
  return {false, p.to.bare_text(), p.from.bare_text(), p.id};
}

about pager_to_xmpp::about_of(const pending& p) {
  return {p.conversation, p.call_id, p.id, p.from.to_string(), p.to.to_string()};
}

void pager_to_xmpp::sent(xmpp::stanza_ref ref, context& c) {
  const auto at = open_.find(ref);
  if (at == open_.end() || at->second.at != stage::writing) return;
  auto& p = at->second;
  p.memory.resize(p.kept);
  const auto wait = c.settings().sip.accept_wait;
  if (wait <= duration::zero()) return answer_ok(ref, p, c);
  p.at = stage::waiting;
  c.set_timer(p.timer, static_cast<std::uint64_t>(ref), c.now().steady + wait);
}

void pager_to_xmpp::confirmed(xmpp::stanza_ref ref, context& c) {
  const auto at = open_.find(ref);
  if (at == open_.end()) return;
  auto& p = at->second;
  p.confirmed = true;
  switch (p.at) {
    case stage::confirming: return answer_ok(ref, p, c);
    case stage::answered: return erase(ref, c);
    case stage::held:
    case stage::writing:
    case stage::waiting: return;
  }
}

void pager_to_xmpp::timed_out(std::uint64_t key, context& c) {
  const auto ref = xmpp::stanza_ref{key};
  const auto at = open_.find(ref);
  if (at == open_.end()) return;
  auto& p = at->second;
  switch (p.at) {
    case stage::held:
      return answer_error(ref, p, busy("XMPP link is down", c), outcome::failed, "link_down", c);
    case stage::waiting:
      if (p.confirmed) return answer_ok(ref, p, c);
      p.at = stage::confirming;
      return;
    case stage::writing:
    case stage::confirming:
    case stage::answered: return;
  }
}

void pager_to_xmpp::lost(const xmpp::stanza_lost& e, context& c) {
  const auto ref = e.ref;
  const auto at = open_.find(ref);
  if (at == open_.end()) return;
  auto& p = at->second;
  if (p.at == stage::answered) {
    doubt_after_answer(p, "link_lost_after_answer", c);
    return erase(ref, c);
  }
  if (!e.written && e.why) {
    const translate::error_policy policy{c.settings().sip.global_failure};
    const auto status = translate::to_sip(*e.why, !p.to.is_bare(), policy, c.domains().addresses);
    return answer_error(ref, p, reply_of(status), outcome::failed, xmpp::to_string(e.why->condition), c);
  }
  if (!e.written) return answer_error(ref, p, busy("XMPP link was lost", c), outcome::failed, "link_lost", c);
  // The server may or may not have processed it. RFC 4320 §4.2 forbids 408; 504 says that the other side did
  // not answer in time.
  answer_error(ref, p, reply_of({504, "XMPP link was lost before the server confirmed", {}, false}),
               outcome::in_doubt, "link_lost", c);
}

bool pager_to_xmpp::failed(const xmpp::message& error, context& c) {
  const auto known = by_id_.find(error.id);
  if (known == by_id_.end() || !error.error) return false;
  const auto ref = known->second;
  auto& p = open_.at(ref);
  // Only the addressee or his server speaks about this stanza, and only to its sender.
  if (error.from.bare() != p.to.bare() || !error.to || error.to->bare() != p.from.bare()) return false;
  // RFC 6120 §8.3.2: a warning only; the stanza was processed.
  if (error.error->type == xmpp::error_type::continue_) return true;
  if (p.at == stage::answered) {
    static constexpr std::string_view event = "message.to_xmpp.late_error";
    const auto condition = xmpp::to_string(error.error->condition);
    c.counts().count(aside::late_error);
    if (c.logs(log_level::warning))
      note(c, log_level::warning, event, about_of(p), {{"condition", std::string(condition)}});
    const auto what = about_of(p);
    const auto domain = p.from.domain;
    erase(ref, c);
    if (tell_late_failure(error, talk_, reports_, c) != late_failure::told)
      raise(c, event, what, domain, condition);
    return true;
  }
  const auto base = translate::pager::call_id_of(translate::pager::thread_of(p.call_id));
  if (auto* thread = talk_.find_thread(p.to.bare_text(), p.from.bare_text(), base, c.now().steady);
      thread != nullptr && thread->locked.at(c.now().steady) == error.from.resource) {
    thread->locked.end();
    thread->weigh();
  }
  if (did_not_arrive(p, error) && try_user(ref, c)) return true;
  const translate::error_policy policy{c.settings().sip.global_failure};
  const auto status = translate::to_sip(*error.error, !p.to.is_bare(), policy, c.domains().addresses);
  answer_error(ref, p, reply_of(status), outcome::failed, xmpp::to_string(error.error->condition), c);
  return true;
}

void pager_to_xmpp::arrived(const xmpp::jid& from, const xmpp::jid& to, const std::string& id, context& c) {
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return;
  const auto ref = known->second;
  auto& p = open_.at(ref);
  if (from.bare() != p.to.bare() || to.bare() != p.from.bare()) return;
  switch (p.at) {
    case stage::held: return;  // it was never sent
    case stage::writing:
    case stage::waiting:
    case stage::confirming: p.confirmed = true; return answer_ok(ref, p, c);
    case stage::answered: return;
  }
}

void pager_to_xmpp::answer_ok(xmpp::stanza_ref ref, pending& p, context& c) {
  sip::reply ok;
  ok.status = c.settings().sip.accepted_code;
  c.respond(p.tx, ok);
  c.counts().count(direction::to_xmpp, outcome::delivered, "accepted", p.from.domain);
  if (c.logs(log_level::info)) note(c, log_level::info, "message.to_xmpp.delivered", about_of(p), {});
  if (p.confirmed) return erase(ref, c);
  p.at = stage::answered;
}

void pager_to_xmpp::answer_error(xmpp::stanza_ref ref, pending& p, const sip::reply& r, outcome what,
                                 std::string_view cause, context& c) {
  c.respond(p.tx, r);
  c.counts().count(direction::to_xmpp, what, cause, p.from.domain);
  const bool doubt = what == outcome::in_doubt;
  const auto level = doubt ? log_level::warning : log_level::info;
  const std::string_view event = doubt ? "message.to_xmpp.in_doubt" : "message.to_xmpp.failed";
  if (c.logs(level)) {
    note(c, level, event, about_of(p), {{"status", std::to_string(r.status)}, {"cause", std::string(cause)}});
  }
  if (doubt) raise(c, event, about_of(p), p.from.domain, cause);
  // He was told: there is nothing to report any more.
  c.receipts().close(key_of(p), c);
  if (auto* pair = talk_.find_pair(p.to.bare_text(), p.from.bare_text(), c.now().steady); pair != nullptr)
    pair->texts.take_failed(p.id);
  erase(ref, c);
}

// Only with accept_wait = 0 does a 2xx go out before the fence answers. The sender's outcome stays what he
// was told.
void pager_to_xmpp::doubt_after_answer(const pending& p, std::string_view cause, context& c) {
  static constexpr std::string_view event = "message.to_xmpp.in_doubt";
  c.counts().count(aside::lost_after_answer);
  if (c.logs(log_level::warning))
    note(c, log_level::warning, event, about_of(p), {{"cause", std::string(cause)}});
  raise(c, event, about_of(p), p.from.domain, cause);
}

void pager_to_xmpp::erase(xmpp::stanza_ref ref, context& c) {
  const auto at = open_.find(ref);
  c.set_timer(at->second.timer, 0, std::nullopt);
  by_id_.erase(at->second.id);
  open_.erase(at);
  while (!held_.empty() && open_.count(held_.front()) == 0) held_.pop_front();
}

void pager_to_xmpp::abandon(const work_end& why, context& c) {
  std::vector<xmpp::stanza_ref> concerned;
  for (const auto& [ref, p] : open_) {
    if (why.concerns(p.from.domain)) concerned.push_back(ref);
  }
  std::sort(concerned.begin(), concerned.end());  // in the order of their arrival
  for (const auto ref : concerned) abandon(ref, open_.at(ref), why, c);
}

void pager_to_xmpp::abandon(xmpp::stanza_ref ref, pending& p, const work_end& why, context& c) {
  switch (p.at) {
    case stage::held: return answer_error(ref, p, busy(why.text, c), outcome::failed, why.cause, c);
    case stage::writing:
    case stage::waiting:
    case stage::confirming:
      // What was handed to the rim may leave yet: who is told "come again" would be heard twice.
      return answer_error(ref, p, reply_of({504, std::string(why.text), {}, false}), outcome::in_doubt,
                          why.cause, c);
    case stage::answered: doubt_after_answer(p, why.cause, c); return erase(ref, c);
  }
}

bool pager_to_xmpp::is_open(std::string_view domain) const {
  return std::any_of(open_.begin(), open_.end(),
                     [domain](const auto& known) { return known.second.from.domain == domain; });
}

std::string_view pager_to_xmpp::name_of(stage s) {
  switch (s) {
    case stage::held: return "held";
    case stage::writing: return "writing";
    case stage::waiting: return "waiting";
    case stage::confirming: return "confirming";
    case stage::answered: return "answered";
  }
  return "?";
}

std::vector<open_message> pager_to_xmpp::open_messages(std::string_view domain, std::size_t limit) const {
  struct row {
    wall_time begun;
    const pending* at;
  };
  std::vector<row> rows;
  for (const auto& [ref, p] : open_) {
    if (domain.empty() || p.from.domain == domain) rows.push_back({p.begun, &p});
  }
  std::vector<open_message> out;
  for (const auto& r : oldest(std::move(rows), limit)) {
    const auto& p = *r.at;
    out.push_back({direction::to_xmpp, name_of(p.at), p.begun, p.conversation, p.call_id, p.id,
                   p.from.to_string(), p.to.to_string(), 0});
  }
  return out;
}

}  // namespace stox::gateway
