#include "gateway/pager_to_sip.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "gateway/chat_states.hpp"
#include "gateway/lock.hpp"
#include "gateway/notification.hpp"
#include "sip/wire/headers.hpp"
#include "translate/chat_text.hpp"
#include "translate/error.hpp"
#include "translate/loop.hpp"
#include "translate/pager.hpp"

namespace stox::gateway {

namespace {

constexpr std::size_t entry_bytes = 256;  ///< what a lane and its places in the maps take beside their texts
/// Bytes of a body or subject. What no MESSAGE could carry is not looked through.
/// Longer ones, by bytes, a sender may have few of: what waits is kept more than once.
constexpr std::size_t long_message = 1300;
constexpr unsigned long_share = 16;
constexpr std::size_t max_text = 65'536;
constexpr std::size_t max_id = 1024;  ///< bytes of a stanza id; it is kept until the message's fate is known

xmpp::stanza_error refusal(xmpp::condition why, std::string text) {
  return {xmpp::usual_type(why), why, std::move(text), {}};
}

/// RFC 6120 §8.3.3.12: a policy of ours, and "wait" because it is one about time.
xmpp::stanza_error too_often(const rate_refusal& r) {
  auto e = refusal(xmpp::condition::policy_violation,
                   "Too many messages; come again in " + std::to_string(seconds_of(r.wait)) + " s");
  e.type = xmpp::error_type::wait;
  return e;
}

/// Whether the answer is about the user or the way to him rather than about this message: 480, the time-outs
/// that a proxy reports (408, 504), and 503 that says when to come back. What waits behind would only hear
/// the same, each after its own wait.
bool concerns_all(const sip::response& r) {
  return r.status == 408 || r.status == 480 || r.status == 504 ||
         (r.status == 503 && r.headers.find(sip::header::retry_after).has_value());
}

std::optional<sip::uri> first_contact(const sip::response& r) {
  for (const auto element : r.headers.elements(sip::header::contact)) {
    if (const auto contact = sip::parse_contact(element); contact && !contact->star)
      return contact->address.uri;
  }
  return std::nullopt;
}

}  // namespace

about pager_to_sip::about_of(const origin& o) {
  return {o.conversation, o.call_id, o.id, o.from.to_string(), o.to.to_string()};
}

void pager_to_sip::refuse(const xmpp::message& m, const xmpp::stanza_error& e, std::string_view cause,
                          about a, context& c, bool noted) {
  c.counts().count(direction::to_sip, outcome::refused, cause, m.to->domain);
  const auto reply = xmpp::write_error_reply(xmpp::stanza(m), e);
  const bool told = !reply || c.send_or_queue(m.to->domain, m.from.domain, *reply);
  noted =
      noted && c.logs(log_level::info) && tells_refusal(rates_, cause, m.from.bare_text(), c.now().steady);
  if (told && !noted) return;
  a.stanza_id = m.id;
  a.from = m.from.to_string();
  a.to = m.to->to_string();
  if (noted) {
    note(c, log_level::info, "message.to_sip.refused", a,
         {{"condition", std::string(xmpp::to_string(e.condition))}, {"cause", std::string(cause)}});
  }
  if (!told) sender_unreachable(c, std::move(a), m.to->domain, cause);
}

void pager_to_sip::break_loop(const xmpp::message& m, const xmpp::stanza_error& e, std::string_view cause,
                              about a, context& c) {
  auto told = a;
  told.stanza_id = m.id;
  told.from = m.from.bare_text();
  told.to = m.to->bare_text();
  note_loop(c, rates_, std::move(told), cause);
  refuse(m, e, cause, std::move(a), c, false);
}

void pager_to_sip::handle(const xmpp::message& m, const xmpp::extras& x, context& c) {
  if (c.draining())
    return refuse(m, refusal(xmpp::condition::resource_constraint, "Gateway is shutting down"), "draining",
                  {}, c);
  if (c.link(m.to->domain, m.from.domain) == link_state::none)
    return refuse(m, refusal(xmpp::condition::service_unavailable, "Domain no longer served"), "not_served",
                  {}, c);
  if (m.to->local.empty())
    return refuse(m, refusal(xmpp::condition::service_unavailable, "No user here"), "no_user", {}, c);
  if (m.id.size() > max_id)
    return refuse(m, refusal(xmpp::condition::policy_violation, "Stanza id too long"), "id", {}, c);
  const auto too_long = [](const auto& t) { return t.text.size() > max_text; };
  if (std::any_of(m.bodies.begin(), m.bodies.end(), too_long) ||
      std::any_of(m.subjects.begin(), m.subjects.end(), too_long))
    return refuse(m, refusal(xmpp::condition::policy_violation, "Text too long: at most 65536 bytes"),
                  "too_large", {}, c);
  auto mark = translate::next_hop_mark(translate::hop_mark_of(m), c.domains().name);
  if (!mark)
    return break_loop(m, refusal(xmpp::condition::not_acceptable, "482 Loop Detected"), "loop", {}, c);
  accept(m, x, *std::move(mark), c);
}

void pager_to_sip::accept(const xmpp::message& m, const xmpp::extras& x, std::string hop_mark, context& c) {
  const auto steady = c.now().steady;
  const auto& to = *m.to;
  const parties t{m.from.bare_text(), to.bare_text(),
                  m.thread && !m.thread->empty() ? translate::pager::call_id_of(*m.thread) : std::string{}};
  about a;
  auto* pair = talk_.find_pair(t.jid, t.aor, steady);
  if (pair != nullptr) a.conversation = pair->name;
  // Sent again over a new connection, or it came by two ways. The first one is answered for both.
  if (pair != nullptr && came_before(pair->texts, m, x, steady))
    return c.counts().count(direction::to_sip, outcome::ignored, "duplicate", to.domain);
  const auto host = c.domains().addresses.domain_to_sip(to.domain);
  if (!host)
    return refuse(m, refusal(xmpp::condition::remote_server_not_found, "No route to the SIP side"),
                  "no_route", a, c);
  const auto& rules = c.domains().rules_of(*host);
  const rated_message rated{t.jid, t.aor, m.from.domain, to.domain};
  if (const auto r = refuse_rate(rates_, rated, c.settings().limits, rules.rate_per_domain, steady))
    return refuse(m, too_often(*r), cause_of(r->scope), a, c, r->tell);
  if (pair != nullptr && !m.bodies.empty() &&
      repeats_too_often(pair->repeats[1], m.bodies.front().text, steady)) {
    return break_loop(m, refusal(xmpp::condition::policy_violation, "Identical messages repeated too often"),
                      "repeated", a, c);
  }

  auto* thread = t.thread.empty() ? nullptr : talk_.find_thread(t.jid, t.aor, t.thread, steady);
  thread_state new_thread;
  const bool fresh = thread == nullptr;
  if (fresh) new_thread = conversations::new_thread(t.thread, c.ids());
  const auto& talked = fresh ? new_thread : *thread;
  translate::pager::sip_context how;
  // RFC 3261 §8.1.1.4: a request outside a dialog has a Call-ID of its own; the thread stands in it.
  // COMPAT(linphone 5.1): drops what comes with a Call-ID that it has seen, and answers 200.
  how.call_id = t.thread.empty() ? talked.call_id
                                 : translate::pager::call_id_of(*m.thread, c.ids().next(id_kind::call_id));
  a.call_id = how.call_id;
  how.from_tag = talked.from_tag;
  // RFC 7247 §6.3: whoever writes to a resource means that device; a headline is no part of a conversation.
  how.gr = m.type == xmpp::message_type::headline ? to.resource : device_for(to, pair, steady);
  if (pair != nullptr) how.sip_user = pair->sip_user;
  how.hop_mark = std::move(hop_mark);
  how.now = c.now().wall;
  if (const auto id = translate::pager::quoted_id(x); pair != nullptr && !id.empty()) {
    // Only what one wrote himself can be taken back (XEP-0424 §5).
    const auto way = x.retracts ? std::optional(direction::to_sip) : std::nullopt;
    how.quoted = pair->texts.find(id, way);
  }
  auto asked = wish_of(m, x, *host, c);
  if (asked) how.message_id = asked->report_id;
  auto made = translate::pager::to_sip(m, x, how, c.domains().addresses);
  if (!made) return refuse(m, made.error(), x.encrypted ? "encrypted" : "content", a, c);

  // RFC 3428 §8: while one is pending for this Request-URI, the next waits.
  const std::string key = lane_of(t.jid, made->value.uri);
  if (asked && made->plain) asked->plain = c.route(*std::move(made->plain), *host);
  // RFC 6121 §8.5.3.2.1: so it is for chats among XMPP users, too.
  const bool falls_back = !how.gr.empty() && (to.is_bare() || m.type == xmpp::message_type::chat);
  const auto request_size = size_of(made->value);
  const auto kept = sizeof(origin) + entry_bytes + weight_of(asked.get()) + m.id.size() +
                    2 * (t.jid.size() + t.aor.size()) + m.from.resource.size() + to.resource.size() +
                    how.call_id.size() + 2 * key.size() + (falls_back ? request_size : 0);
  const auto size = kept + request_size;
  const auto remembered =
      conversations::cost(t.jid, t.aor) + 2 * m.from.resource.size() + recent_texts::max_bytes;
  if (!c.memory().has_room(size + remembered)) {
    return refuse(m, refusal(xmpp::condition::resource_constraint, "Out of memory for new messages"),
                  "memory", a, c);
  }
  const bool is_long = sip::written_size(made->value) > long_message;
  const auto places =
      is_long ? std::max(1U, rules.messages_per_sender / long_share) : rules.messages_per_sender;
  if (const auto why = full(t.jid, places, key, rules, c); !why.empty()) {
    return refuse(m, refusal(xmpp::condition::resource_constraint, "Too many messages wait"), why, a, c);
  }

  // It is accepted: only now is anything remembered of it.
  auto& talked_in = remember(m, x, t, pair, thread, std::move(new_thread), steady);
  const auto& name = talked_in.name;
  learn_states(m, x, talked_in, c);
  c.counts().count_losses(direction::to_sip, made->losses.size());
  if (c.logs(log_level::debug)) {
    for (const auto& l : made->losses)
      note(c, log_level::debug, "message.loss", {name, how.call_id, {}, {}, {}},
           {{"what", l.what}, {"why", l.why}});
  }
  origin o{m.type,     m.from,          to, m.id, name, std::move(how.call_id), c.now().wall,
           falls_back, std::move(asked)};
  await_reports(o, c);
  take_in(t.jid, key, {c.route(std::move(made->value), *host), std::move(o), kept, charge(c.memory(), size)},
          c);
}

std::string_view pager_to_sip::full(const std::string& jid, unsigned places, const std::string& key,
                                    const tenant& rules, context& c) const {
  const auto sender = senders_.find(jid);
  if (sender != senders_.end() && sender->second >= places) return "sender_full";
  const auto at = lanes_.find(key);
  // One may wait behind a report: the limit is about what stands behind texts.
  if (at == lanes_.end()) return {};
  const bool no_place =
      at->second.waiting.size() >= rules.queue_per_pair || waiting_ >= c.settings().sip.queue_total;
  return no_place ? "queue_full" : std::string_view();
}

void pager_to_sip::take_in(const std::string& jid, const std::string& key, queued q, context& c) {
  ++senders_[jid];
  auto& at = *lanes_.try_emplace(key).first;
  auto& l = at.second;
  if (!l.pending && l.waiting.empty() && !reports_.is_pending(key)) return start(at, std::move(q), c);
  ++waiting_;
  l.waiting.push_back(std::move(q));
}

void pager_to_sip::release(const std::string& key, std::size_t n) {
  const auto sender = senders_.find(std::string_view(key).substr(0, key.find('\0')));
  if (sender == senders_.end()) return;
  sender->second -= std::min(n, sender->second);
  if (sender->second == 0) senders_.erase(sender);
}

void pager_to_sip::start(place& at, queued&& q, context& c) {
  auto& l = at.second;
  l.again = q.sender.falls_back ? std::optional(q.out) : std::nullopt;
  l.pending = std::move(q.sender);
  l.memory = std::move(q.memory);
  l.memory.resize(q.kept);  // the endpoint charges for the request
  open_.emplace(c.request(std::move(q.out)), &at);
}

void pager_to_sip::next(place& at, context& c) {
  auto& l = at.second;
  l.pending.reset();
  if (l.waiting.empty()) {
    end_lane(lanes_.find(at.first));
    return;
  }
  start_next(at, c);
}

bool pager_to_sip::go_on(const std::string& key, context& c) {
  if (lanes_.empty()) return false;
  const auto at = lanes_.find(key);
  if (at == lanes_.end()) return false;
  if (!at->second.pending && !reports_.is_pending(key)) start_next(*at, c);
  return true;
}

pager_to_sip::lane_map::iterator pager_to_sip::end_lane(lane_map::iterator at) {
  reports_.is_free(at->first);
  return lanes_.erase(at);
}

void pager_to_sip::start_next(place& at, context& c) {
  auto& l = at.second;
  auto q = std::move(l.waiting.front());
  l.waiting.pop_front();
  --waiting_;
  start(at, std::move(q), c);
}

void pager_to_sip::answered(const sip::response_received& e, context& c) {
  if (e.response.status < 200) return;  // the transaction goes on
  const auto known = open_.find(e.tx);
  if (known == open_.end()) return;
  auto& at = *known->second;
  open_.erase(known);
  const auto& o = *at.second.pending;
  // Its device said so, and only the 2xx got lost: it must not go out again in another form or to another
  // one.
  const bool reported = e.response.status >= 300 && o.asked && c.receipts().arrived(report_key(o));
  if (!reported && heard_form(at, e, c)) return;
  release(at.first, 1);
  if (e.response.status < 300) {
    if (const auto failed = o.asked ? c.receipts().accepted(report_key(o), c.now(), c) : std::nullopt)
      tell_sender(*failed, receipt_kind::failed, talk_, c);
    c.counts().count(direction::to_sip, outcome::delivered, "accepted", o.to.domain);
    if (c.logs(log_level::info)) note(c, log_level::info, "message.to_sip.delivered", about_of(o), {});
    return next(at, c);
  }
  if (!reported && at.second.again && device_is_gone(e.response.status))
    return to_user(at, e.response.status, c);
  auto error = translate::to_xmpp(e.response.status, e.response.reason, first_contact(e.response),
                                  c.domains().addresses);
  // RFC 6120 §8.3.2: what says when to come again is no "do not retry".
  if (e.response.status == 503 && concerns_all(e.response)) error.type = xmpp::error_type::wait;
  const auto cause = std::to_string(e.response.status);
  tell(o, error, outcome::failed, cause, c);
  if (concerns_all(e.response)) return fail_lane(at, error, cause, c);
  next(at, c);
}

void pager_to_sip::failed(const sip::request_failed& e, context& c) {
  const auto known = open_.find(e.tx);
  if (known == open_.end()) return;
  auto& at = *known->second;
  open_.erase(known);
  const auto& o = *at.second.pending;
  if (e.why == sip::failure::too_large && !e.may_have_arrived && is_rich(o))
    return say_plainly(at, "too large in CPIM", c);
  release(at.first, 1);
  const auto what = e.may_have_arrived ? outcome::in_doubt : outcome::failed;
  switch (e.why) {
    case sip::failure::too_large:
      // RFC 7572 §6: policy-violation; the text says the limit. The next one may be shorter.
      tell(o,
           refusal(xmpp::condition::policy_violation,
                   e.may_have_arrived ? e.detail + "; an earlier copy may have arrived" : e.detail),
           what, "too_large", c);
      return next(at, c);
    case sip::failure::timed_out: {
      // RFC 3261 §8.1.3.1: a time-out counts as 408, a transport error as 503.
      auto error = translate::to_xmpp(408, "", std::nullopt, c.domains().addresses);
      error.text = "No answer from the SIP side; the message may have arrived";
      tell(o, error, what, "timeout", c);
      return fail_lane(at, error, "timeout", c);
    }
    case sip::failure::held_back: {
      const auto error =
          refusal(xmpp::condition::resource_constraint, "The SIP side is overloaded and asked for a pause");
      tell(o, error, what, "held_back", c);
      return fail_lane(at, error, "held_back", c);
    }
    case sip::failure::not_found: {
      const auto error = refusal(xmpp::condition::remote_server_not_found, e.detail);
      tell(o, error, what, "no_server", c);
      return fail_lane(at, error, "no_server", c);
    }
    case sip::failure::no_answer: {
      const auto error = refusal(xmpp::condition::remote_server_timeout, e.detail);
      tell(o, error, what, "dns", c);
      return fail_lane(at, error, "dns", c);
    }
    case sip::failure::transport: {
      auto error = translate::to_xmpp(503, "", std::nullopt, c.domains().addresses);
      error.text = e.may_have_arrived ? "Transport error; the message may have arrived" : "Transport error";
      tell(o, error, what, "transport", c);
      return fail_lane(at, error, "transport", c);
    }
  }
}

void pager_to_sip::fail_lane(place& at, const xmpp::stanza_error& e, std::string_view cause, context& c) {
  auto waiting = std::move(at.second.waiting);
  waiting_ -= waiting.size();
  release(at.first, waiting.size());
  end_lane(lanes_.find(at.first));
  for (const auto& q : waiting) tell(q.sender, e, outcome::failed, cause, c);
}

void pager_to_sip::tell(const origin& o, const xmpp::stanza_error& e, outcome what, std::string_view cause,
                        context& c) {
  // The error says it: no report is to follow. Where one said before that it arrived, that is the better
  // word.
  if (o.asked && c.receipts().close(report_key(o), c)) {
    c.counts().count(direction::to_sip, outcome::delivered, "reported", o.to.domain);
    if (c.logs(log_level::info)) note(c, log_level::info, "message.to_sip.delivered", about_of(o), {});
    return;
  }
  c.counts().count(direction::to_sip, what, cause, o.to.domain);
  const bool doubt = what == outcome::in_doubt;
  const auto level = doubt ? log_level::warning : log_level::info;
  const std::string_view event = doubt ? "message.to_sip.in_doubt" : "message.to_sip.failed";
  if (c.logs(level)) {
    note(c, level, event, about_of(o),
         {{"condition", std::string(xmpp::to_string(e.condition))}, {"cause", std::string(cause)}});
  }
  if (doubt) raise(c, event, about_of(o), o.to.domain, cause);
  xmpp::message original;
  original.type = o.type;
  original.from = o.from;
  original.to = o.to;
  original.id = o.id;
  const auto reply = xmpp::write_error_reply(xmpp::stanza(std::move(original)), e);
  // He may send it again, with the same ids.
  if (auto* pair = talk_.find_pair(o.from.bare_text(), o.to.bare_text(), c.now().steady); pair != nullptr)
    pair->texts.forget(direction::to_sip, o.id);
  if (reply && !c.send_or_queue(o.to.domain, o.from.domain, *reply))
    sender_unreachable(c, about_of(o), o.to.domain, cause);
}

void pager_to_sip::abandon(const work_end& why, context& c) {
  const auto error = refusal(xmpp::condition::remote_server_timeout, std::string(why.text));
  std::erase_if(open_,
                [&why](const auto& known) { return why.concerns(known.second->second.pending->to.domain); });
  for (auto at = lanes_.begin(); at != lanes_.end();) {
    auto& [key, l] = *at;
    if (!why.concerns(first_of(l).to.domain)) {
      ++at;
      continue;
    }
    if (l.pending) tell(*l.pending, error, outcome::in_doubt, why.cause, c);
    for (const auto& q : l.waiting) tell(q.sender, error, outcome::failed, why.cause, c);
    waiting_ -= l.waiting.size();
    release(key, l.waiting.size() + (l.pending ? 1 : 0));
    at = end_lane(at);
  }
}

bool pager_to_sip::is_open(std::string_view domain) const {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [domain](const place& at) { return first_of(at.second).to.domain == domain; });
}

std::vector<open_message> pager_to_sip::open_messages(std::string_view domain, std::size_t limit) const {
  struct row {
    wall_time begun;
    const lane* at;
  };
  std::vector<row> rows;
  for (const auto& [key, l] : lanes_) {
    const auto& o = first_of(l);
    if (domain.empty() || o.to.domain == domain) rows.push_back({o.begun, &l});
  }
  std::vector<open_message> out;
  for (const auto& r : oldest(std::move(rows), limit)) {
    const auto& o = first_of(*r.at);
    const bool sent = r.at->pending.has_value();
    out.push_back({direction::to_sip, sent ? "pending" : "behind_report", o.begun, o.conversation, o.call_id,
                   o.id, o.from.to_string(), o.to.to_string(), r.at->waiting.size() - (sent ? 0 : 1)});
  }
  return out;
}

}  // namespace stox::gateway
