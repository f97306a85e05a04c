#include "gateway/report_queue.hpp"

#include <array>
#include <span>
#include <utility>

#include "base/text.hpp"
#include "gateway/lane.hpp"
#include "gateway/learn.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/uri.hpp"

namespace stox::gateway {

namespace {

/// A phone that is off for a moment, one that is carried through a tunnel, one that is charged.
constexpr std::array<std::chrono::seconds, 3> pauses{std::chrono::seconds(30), std::chrono::minutes(5),
                                                     std::chrono::minutes(30)};
constexpr std::size_t entry_bytes = 256;

std::size_t size_of(const sip::outgoing& out) {
  return sizeof(sip::outgoing) + out.request.uri.size() + out.request.body.size() +
         out.request.headers.memory();
}

/// The user or the way to him is away for now.
bool may_pass(std::uint16_t status) {
  return status == 408 || status == 480 || status == 503 || status == 504;
}

/// It may have arrived all the same: RFC 3261 §16.7, a proxy's own word about a branch that did not answer.
bool leaves_doubt(std::uint16_t status) { return status == 408 || status == 504; }

/// Nobody is at that device: RFC 3261 §21.4.5, §21.4.11 and §21.4.18, RFC 5626 §11.6.
bool device_is_gone(std::uint16_t status) {
  return status == 404 || status == 410 || status == 430 || status == 480;
}

/// The URI without its device; nullopt: it names none.
std::optional<std::string> user_behind(const std::string& uri) {
  auto parsed = sip::parse_uri(uri);
  if (!parsed || parsed->find("gr") == nullptr) return std::nullopt;
  std::erase_if(parsed->params, [](const sip::param& p) { return text::iequals(p.name, "gr"); });
  return sip::write(*parsed);
}

/// So that who got an earlier copy can tell. `challenges`: what the endpoint answered by itself.
void use_next_cseq(sip::request& r, unsigned challenges) {
  const auto value = r.headers.find(sip::header::cseq);
  if (const auto last = sip::parse_cseq(value.value_or(std::string_view())))
    r.headers.set(sip::header::cseq,
                  sip::write(sip::cseq{last->number + challenges + 1, last->method, last->method_name}));
}

}  // namespace

void report_queue::send(report_kind kind, sip::outgoing out, const xmpp::jid& from, xmpp::jid user, about a,
                        std::string_view what, context& c) {
  auto lane = lane_of(from.bare_text(), out.request.uri);
  const auto bytes = entry_bytes + sizeof(report) + size_of(out) + 3 * lane.size() + a.call_id.size() +
                     a.stanza_id.size() + a.from.size() + a.to.size() + user.local.size() +
                     user.domain.size();
  const auto known = lines_.find(lane);
  const bool full =
      reports_.size() >= most || (known != lines_.end() && known->second.waiting.size() >= most_in_line);
  if (full || !c.memory().has_room(bytes))
    return note_lost(kind, std::move(a), what, user.domain, full ? "full" : "memory", c);
  // A number that no stanza has: both have their deadlines in one place.
  const auto at = reports_.try_emplace(static_cast<std::uint64_t>(c.new_ref())).first;
  auto& r = at->second;
  r.kind = kind;
  r.what = what;
  r.out = std::move(out);
  r.user = std::move(user);
  r.names = std::move(a);
  r.lane = std::move(lane);
  r.memory = charge(c.memory(), bytes);
  stand_in_line(at);
}

void report_queue::stand_in_line(report_map::iterator at) {
  auto& r = at->second;
  r.at = stage::in_line;
  lines_[r.lane].waiting.push_back(at->first);
  free_.push_back(r.lane);
}

std::optional<std::string> report_queue::next_free() {
  if (free_.empty()) return std::nullopt;
  auto lane = std::move(free_.back());
  free_.pop_back();
  return lane;
}

void report_queue::go_on(const std::string& lane, context& c) {
  const auto known = lines_.find(lane);
  if (known == lines_.end() || known->second.pending || known->second.waiting.empty()) return;
  auto& [key, l] = *known;
  const auto at = reports_.find(l.waiting.front());
  l.waiting.pop_front();
  l.pending = true;
  auto& r = at->second;
  if (std::exchange(r.was_sent, true)) {
    c.counts().count(aside::report_retried);
  } else {
    note_sent(r, c);
  }
  r.at = stage::pending;
  r.tx = c.request(r.out);
  sent_.emplace(r.tx, at->first);
}

report_queue::report_map::iterator report_queue::take(sip::client_tx tx) {
  const auto known = sent_.find(tx);
  if (known == sent_.end()) return reports_.end();
  const auto at = reports_.find(known->second);
  end_transaction(at->second);
  return at;
}

void report_queue::end_transaction(report& r) {
  sent_.erase(std::exchange(r.tx, sip::client_tx::none));
  const auto at = lines_.find(r.lane);
  at->second.pending = false;
  if (at->second.waiting.empty()) lines_.erase(at);
  free_.push_back(r.lane);
}

bool report_queue::answered(const sip::response_received& e, context& c) {
  if (e.response.status < 200) return sent_.contains(e.tx);
  const auto at = take(e.tx);
  if (at == reports_.end()) return false;
  const bool wrapped = at->second.kind != report_kind::notice;
  learn_from(e.response, at->second.user,
             wrapped ? std::span<const feature>(imdn_form) : std::span<const feature>(), c);
  auto& r = at->second;
  if (e.response.status < 300) {
    reports_.erase(at);
  } else if (auto user = device_is_gone(e.response.status) ? user_behind(r.out.request.uri) : std::nullopt) {
    // As a text does (docs/decisions/0031).
    use_next_cseq(r.out.request, e.challenges);
    r.out.request.uri = *std::move(user);
    r.lane = lane_of(r.lane.substr(0, r.lane.find('\0')), r.out.request.uri);
    stand_in_line(at);
  } else if (may_pass(e.response.status) &&
             !(r.kind == report_kind::notice && leaves_doubt(e.response.status))) {
    again(at, e.challenges, std::to_string(e.response.status), c);
  } else {
    lose(at, std::to_string(e.response.status), c);
  }
  return true;
}

bool report_queue::failed(const sip::request_failed& e, context& c) {
  const auto at = take(e.tx);
  if (at == reports_.end()) return false;
  // Who got an earlier copy of a text cannot tell.
  if (at->second.kind == report_kind::notice && e.may_have_arrived) {
    lose(at, "in_doubt", c);
    return true;
  }
  switch (e.why) {
    case sip::failure::timed_out: again(at, e.challenges, "timeout", c); break;
    case sip::failure::transport: again(at, e.challenges, "transport", c); break;
    case sip::failure::no_answer: again(at, e.challenges, "dns", c); break;
    case sip::failure::held_back: again(at, e.challenges, "held_back", c); break;
    case sip::failure::not_found: lose(at, "no_server", c); break;
    case sip::failure::too_large: lose(at, "too_large", c); break;
  }
  return true;
}

void report_queue::again(report_map::iterator at, unsigned challenges, std::string_view cause, context& c) {
  auto& r = at->second;
  use_next_cseq(r.out.request, challenges);
  // What is in line behind it would only hear the same, each after its own wait.
  std::deque<std::uint64_t> behind;
  if (const auto known = lines_.find(r.lane); known != lines_.end()) {
    behind = std::move(known->second.waiting);
    lines_.erase(known);
  }
  pause(at, cause, c);
  for (const auto key : behind) pause(reports_.find(key), cause, c);
}

/// It is in no line, and nothing of it is pending.
void report_queue::pause(report_map::iterator at, std::string_view cause, context& c) {
  auto& r = at->second;
  r.at = stage::paused;
  ++paused_;
  const auto of_one = ++paused_for_[r.user.bare_text()];
  if (r.tries == pauses.size() || paused_ > most_paused || of_one > most_paused_of_one || c.draining())
    return lose(at, cause, c);
  c.set_timer(r.timer, at->first, c.now().steady + pauses[r.tries]);
  ++r.tries;
}

void report_queue::wake(const report& r) {
  --paused_;
  const auto of_one = paused_for_.find(r.user.bare_text());
  if (--of_one->second == 0) paused_for_.erase(of_one);
}

bool report_queue::timed_out(std::uint64_t key) {
  const auto at = reports_.find(key);
  if (at == reports_.end()) return false;
  at->second.timer = {};
  wake(at->second);
  stand_in_line(at);
  return true;
}

void report_queue::note_sent(const report& r, context& c) {
  const bool notice = r.kind == report_kind::notice;
  c.counts().count(notice ? aside::late_notice : aside::report_sent);
  if (c.logs(log_level::info))
    note(c, log_level::info, notice ? "message.to_xmpp.late_notice" : "message.to_xmpp.reported", r.names,
         {{notice ? "condition" : "what", std::string(r.what)}});
}

void report_queue::note_lost(report_kind kind, about names, std::string_view what, const std::string& domain,
                             std::string_view cause, context& c) {
  c.counts().count(aside::report_lost);
  if (c.logs(log_level::info))
    note(c, log_level::info, "message.to_xmpp.report_lost", names,
         {{"what", std::string(what)}, {"cause", std::string(cause)}});
  if (kind != report_kind::success) raise(c, "message.to_xmpp.late_error", std::move(names), domain, what);
}

/// Nothing of it is pending.
void report_queue::lose(report_map::iterator at, std::string_view cause, context& c) {
  auto& r = at->second;
  if (r.at == stage::paused) wake(r);
  c.set_timer(r.timer, 0, std::nullopt);
  note_lost(r.kind, std::move(r.names), r.what, r.user.domain, cause, c);
  reports_.erase(at);
}

void report_queue::abandon(const work_end& why, context& c) {
  for (auto at = reports_.begin(); at != reports_.end();) {
    const auto here = at++;
    auto& r = here->second;
    if (!why.concerns(r.user.domain)) continue;
    if (r.at == stage::pending) end_transaction(r);
    if (const auto known = lines_.find(r.lane); r.at == stage::in_line && known != lines_.end()) {
      std::erase(known->second.waiting, here->first);
      if (!known->second.pending && known->second.waiting.empty()) lines_.erase(known);
    }
    lose(here, why.cause, c);
  }
}

}  // namespace stox::gateway
