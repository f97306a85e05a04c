#include "gateway/report_queue.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "gateway/learn.hpp"
#include "sip/wire/headers.hpp"

namespace stox::gateway {

namespace {

/// A phone that is off for a moment, one that is carried through a tunnel, one that is charged.
constexpr std::array<std::chrono::seconds, 3> pauses{std::chrono::seconds(30), std::chrono::minutes(5),
                                                     std::chrono::minutes(30)};
constexpr std::size_t entry_bytes = 256;

std::size_t size_of(const sip::outgoing& out) {
  std::size_t n = sizeof(sip::outgoing) + out.request.uri.size() + out.request.body.size();
  for (const auto& f : out.request.headers.fields()) n += sizeof f + f.name.size() + f.value.size();
  return n;
}

/// The user or the way to him is away for now.
bool may_pass(std::uint16_t status) {
  return status == 408 || status == 480 || status == 503 || status == 504;
}

}  // namespace

void report_queue::send(sip::outgoing out, xmpp::jid user, about a, context& c) {
  c.counts().count(aside::report_sent);
  const auto bytes = entry_bytes + sizeof(report) + size_of(out);
  if (reports_.size() >= most || !c.memory().has_room(bytes)) {
    c.request(std::move(out));
    return;
  }
  // A number that no stanza has: both have their deadlines in one place.
  const auto key = static_cast<std::uint64_t>(c.new_ref());
  const auto at = reports_.try_emplace(key).first;
  at->second.out = std::move(out);
  at->second.user = std::move(user);
  at->second.names = std::move(a);
  at->second.memory = charge(c.memory(), bytes);
  try_now(at, c);
}

void report_queue::try_now(report_map::iterator at, context& c) {
  at->second.tx = c.request(at->second.out);
  sent_.emplace(at->second.tx, at->first);
}

report_queue::report_map::iterator report_queue::take(sip::client_tx tx) {
  const auto known = sent_.find(tx);
  if (known == sent_.end()) return reports_.end();
  const auto at = reports_.find(known->second);
  sent_.erase(known);
  at->second.tx = sip::client_tx::none;
  return at;
}

bool report_queue::answered(const sip::response_received& e, context& c) {
  if (e.response.status < 200) return sent_.contains(e.tx);
  const auto at = take(e.tx);
  if (at == reports_.end()) return false;
  learn_from(e.response, at->second.user, imdn_form, c);
  if (e.response.status < 300) {
    reports_.erase(at);
  } else if (may_pass(e.response.status)) {
    again(at, e.challenges, std::to_string(e.response.status), c);
  } else {
    lose(at, std::to_string(e.response.status), c);
  }
  return true;
}

bool report_queue::failed(const sip::request_failed& e, context& c) {
  const auto at = take(e.tx);
  if (at == reports_.end()) return false;
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
  if (r.tries == pauses.size() || c.draining()) return lose(at, cause, c);
  auto& headers = r.out.request.headers;
  const auto* value = headers.find(sip::header::cseq);
  if (const auto last = sip::parse_cseq(value == nullptr ? std::string_view() : *value))
    headers.set(sip::header::cseq,
                sip::write(sip::cseq{last->number + challenges + 1, last->method, last->method_name}));
  c.set_timer(r.timer, at->first, c.now().steady + pauses[r.tries]);
  ++r.tries;
}

bool report_queue::timed_out(std::uint64_t key, context& c) {
  const auto at = reports_.find(key);
  if (at == reports_.end()) return false;
  at->second.timer = {};
  c.counts().count(aside::report_retried);
  try_now(at, c);
  return true;
}

void report_queue::lose(report_map::iterator at, std::string_view cause, context& c) {
  auto& r = at->second;
  c.set_timer(r.timer, 0, std::nullopt);
  c.counts().count(aside::report_lost);
  if (c.logs(log_level::info))
    note(c, log_level::info, "message.to_xmpp.report_lost", std::move(r.names),
         {{"cause", std::string(cause)}});
  reports_.erase(at);
}

void report_queue::abandon(const work_end& why, context& c) {
  for (auto at = reports_.begin(); at != reports_.end();) {
    const auto here = at++;
    if (!why.concerns(here->second.user.domain)) continue;
    sent_.erase(here->second.tx);
    lose(here, why.cause, c);
  }
}

}  // namespace stox::gateway
