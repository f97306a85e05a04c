#include "sip/machine/client_core.hpp"

#include <algorithm>

#include "sip/machine/tx_key.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/scan.hpp"

namespace stox::sip {

namespace {

/// How long an answered request may be remembered beyond its time.
constexpr auto forget_every = std::chrono::seconds(1);

/// Or none.
bool has_several_vias(const response& r) {
  std::size_t n = 0;
  r.headers.for_each(header::via, [&n](std::string_view value) {
    for_each_element(value, [&n](std::string_view) { ++n; });
  });
  return n != 1;
}

}  // namespace

client_tx client_core::request(outgoing out, instant now) {
  header_list& headers = out.request.headers;
  if (!headers.find(header::max_forwards)) headers.add(header::max_forwards, "70");
  if (!ctx_.options.product.empty() && !headers.find(header::user_agent)) {
    headers.add(header::user_agent, ctx_.options.product);
  }
  if (out.request.method_name.empty()) out.request.method_name = std::string(to_string(out.request.method));
  if (out.request.method == method::ack) {
    acknowledge_success(std::move(out), now);
    return client_tx::none;
  }
  const steady_time give_up_at = now.steady + 64 * ctx_.options.timers.t1;
  const bool invite = out.request.method == method::invite;
  const auto number =
      calls_.create(client_transaction(invite, true, now.steady, give_up_at, ctx_.options.timers));
  call& c = *calls_.find(number);
  c.request = std::move(out.request);
  c.domain = std::move(out.domain);
  c.max_message_bytes = out.max_message_bytes;
  c.request_bytes = bytes_of(c.request);
  c.method = c.request.method_name;
  c.give_up_at = give_up_at;
  c.memory = charge(ctx_.memory, 0);
  ctx_.stats.client_transactions = calls_.size();
  if (auto found = locator_.start(number, std::move(out.hops), what_we_have(), now)) {
    begin(c, number, std::move(*found), now);
  } else {
    update(c, number);
  }
  return static_cast<client_tx>(number);
}

/// Begins with the next target that can be sent to. False: there is none.
bool client_core::start_attempt(call& c, std::uint64_t number, instant now) {
  while (now.steady < c.give_up_at) {
    auto next = c.plan.next(health_, c.untouched(), c.last_error, now);
    if (!next) return false;
    attempt a;
    a.since = now.steady;
    a.where = *std::move(next);
    if (!c.first_via) {
      a.via = via_for(a.where, ctx_.ids.next(id_kind::branch));
    } else if (c.first_via->via == a.where.via && c.first_via->to == a.where.to) {
      a.via = std::move(c.first_via->made);
    } else {
      a.via = via_for(a.where, c.first_via->made.branch());
    }
    c.first_via.reset();
    const bool reliable = a.where.via != transport::udp;
    if (reliable) {
      a.conn = conns_.connect(a.where, c.domain, now);
      a.reused = conns_.is_open(a.conn);
      if (a.conn == conn_id::none) c.last_error = "too many connections";
    } else if (const listener* l = conns_.choose_listener(a.where.via, a.where.to.ip)) {
      a.conn = l->conn;
    } else {
      c.last_error = "no UDP listener for the address family of " + a.where.to.to_string();
    }
    if (!write_for(c, a, now)) {
      if (c.max_message_bytes < c.wire.size() || a.where.via != transport::udp) return false;
      // Credentials made it too long for a datagram.
      c.too_large = false;
      c.forced = true;
      c.plan.again_by_stream();
      continue;
    }
    by_branch_.add(hash_of(a.via.branch(), c.method), number);
    c.attempts.push_back(std::move(a));
    // A CANCEL is for one branch.
    if (std::exchange(c.cancelled, false)) c.cancel_wanted = true;
    c.fsm = client_transaction(c.fsm.invite(), reliable, now.steady, c.give_up_at, ctx_.options.timers);
    c.try_until.reset();
    if (c.attempts.back().conn == conn_id::none) continue;
    if (!transmit(c, number, now)) continue;
    if (reliable) conns_.add_user(c.attempts.back().conn, number);
    if (!c.plan.at_end()) c.try_until = now.steady + ctx_.options.try_each;
    return true;
  }
  return false;
}

bool client_core::transmit(call& c, std::uint64_t number, instant now) {
  attempt& a = c.attempts.back();
  const token tok = ctx_.track(owner::client, number, static_cast<std::uint32_t>(c.attempts.size() - 1));
  if (a.where.via == transport::udp) {
    conns_.send_datagram(a.conn, a.where.to, tok, c.wire);
  } else if (!conns_.send(a.conn, tok, c.wire, now)) {
    ctx_.tokens.erase(tok);
    c.last_error = "the connection to " + a.where.to.to_string() + " takes no more";
    return false;
  }
  a.last = tok;
  ++a.unreported;
  return true;
}

/// What still waits for its stream is not sent any more.
bool client_core::withdraw(call& c) {
  attempt& a = c.attempts.back();
  if (a.last == token::none || !conns_.withdraw(a.conn, a.last)) return false;
  ctx_.tokens.erase(a.last);
  --a.unreported;
  return true;
}

/// Lets go of the current attempt's stream.
void client_core::release(call& c, std::uint64_t number) {
  if (c.attempts.empty() || c.attempts.back().where.via == transport::udp) return;
  withdraw(c);
  conns_.remove_user(c.attempts.back().conn, number);
}

/// The current attempt failed or took too long: the next target, or the end.
void client_core::move_on(call& c, std::uint64_t number, instant now) {
  release(c, number);
  const target left_behind = c.attempts.back().where;
  if (!c.attempts.back().refused) {
    health_.note_failure(left_behind, c.last_error, now);
    health_.punish(left_behind, ctx_.options.penalty, now);
  }
  if (start_attempt(c, number, now)) {
    const auto call_id = c.request.headers.find(header::call_id);
    const bool same = c.attempts.back().where == left_behind;
    ctx_.note(same ? log_level::info : log_level::warning, "sip.failover", {},
              {{"call_id", std::string(call_id.value_or(std::string_view()))},
               {"from", left_behind.to.to_string()},
               {"to", c.attempts.back().where.to.to_string()},
               {"why", c.last_error}});
    return update(c, number);
  }
  fail(c, number, why_of(c), c.last_error);
}

/// RFC 5923 §8.1: a stream that stood open before and broke before it took a byte says nothing about the
/// server; the request goes to it once more, on a new one.
void client_core::stream_failed(call& c, std::uint64_t number, instant now) {
  attempt& a = c.attempts.back();
  if (a.reused && a.untouched() && !c.reopened) {
    c.reopened = true;
    a.refused = true;
    conns_.end_reuse(a.conn);
    c.plan.again();
  }
  move_on(c, number, now);
}

/// RFC 5626 §4.4.1, RFC 5923 §8.1: a stream that gave no sign of life all the time that the request waited
/// may lead nowhere. The next request goes over a new one; what still waits on this one goes on.
void client_core::doubt_stream(const call& c) {
  const attempt& a = c.attempts.back();
  if (a.where.via != transport::udp) conns_.end_reuse_if_silent(a.conn, a.since);
}

void client_core::fail(call& c, std::uint64_t number, failure why, std::string detail) {
  if (why == failure::transport && c.forced && !doubt_before(c, c.attempts.size())) {
    why = failure::too_large;
    detail.insert(0, "the MESSAGE is too long for UDP, and TCP failed: ");
  }
  release(c, number);
  if (!c.hidden) {
    ctx_.events.push_back(request_failed{static_cast<client_tx>(number), why,
                                         doubt_before(c, c.attempts.size()), std::move(detail),
                                         c.challenges.rounds});
  }
  destroy(number);
}

failure client_core::why_of(const call& c) {
  if (c.too_large) return failure::too_large;
  return c.timed_out ? failure::timed_out : failure::transport;
}

bool client_core::doubt_before(const call& c, std::size_t part) {
  return std::any_of(c.attempts.begin(), c.attempts.begin() + static_cast<std::ptrdiff_t>(part),
                     [](const attempt& a) { return a.in_doubt(); });
}

void client_core::handle(response&& r, instant now) {
  const auto head = check_mandatory(r);
  if (!head) {
    ++ctx_.stats.garbage;
    return;
  }
  ++ctx_.stats.responses;
  // RFC 3261 §8.1.3.3: more Vias than ours mean that it went astray; §18.1.2: the top one must be what we
  // wrote.
  const place p = find(head->top_via.branch(), head->cseq.method_name);
  call* c = calls_.find(p.number);
  const auto from = sent_by(head->top_via);
  if (has_several_vias(r) || (c != nullptr && from != c->attempts[p.part].via.sent_by())) {
    ++ctx_.stats.stray_responses;
    return;
  }
  if (c == nullptr) return handle_stray(*head, from, now);
  if (c->finished) {
    ++ctx_.stats.retransmissions_in;
    if (c->fsm.receive(r.status, now.steady, ctx_.options.timers).acknowledge) {
      send_ack(*c, c->attempts[p.part], r, now);
    }
    return;
  }
  if (r.status < 200) {
    provisional(*c, p, std::move(r), now);
  } else {
    final(*c, p, std::move(r), now);
  }
}

void client_core::handle_stray(const response_match& head, std::string_view from, instant now) {
  const auto hash = hash_of(head.top_via.branch(), head.cseq.method_name, from);
  ++(answered_.knows(hash, now.steady) ? ctx_.stats.retransmissions_in : ctx_.stats.stray_responses);
}

void client_core::provisional(call& c, const place& p, response&& r, instant now) {
  health_.forgive(c.attempts[p.part].where);
  // An attempt that was given up may still be at work; the one that counts is the last.
  if (p.part + 1 != c.attempts.size()) return;
  c.fsm.receive(r.status, now.steady, ctx_.options.timers);
  // Whoever said 100 has the request: it is not sent elsewhere while he works on it.
  c.try_until.reset();
  if (r.status != 100 && !c.hidden) {
    ctx_.events.push_back(response_received{static_cast<client_tx>(p.number), std::move(r)});
  }
  if (c.cancel_wanted) {
    c.cancel_wanted = false;
    send_cancel(c, now);
  }
  update(c, p.number);
}

void client_core::final(call& c, const place& p, response&& r, instant now) {
  attempt& a = c.attempts[p.part];
  a.left = true;
  health_.forgive(a.where);
  const bool current = p.part + 1 == c.attempts.size();
  const bool busy = r.status == 503 && !c.hidden;
  if (busy) {
    a.refused = true;
    health_.note_failure(a.where, "503", now);
    pause(a.where.to, r, now);
  }
  const bool acknowledge = c.fsm.invite() && r.status >= 300;
  const bool challenge = (r.status == 401 || r.status == 407) && !c.hidden;
  if (challenge) a.refused = true;
  if ((busy || challenge) && !current) {
    if (acknowledge) send_ack(c, a, r, now);
    return;  // a later target has the request already
  }
  // Who wants it cancelled wants no second one.
  const bool wanted = !c.cancelled && !c.cancel_wanted;
  if (challenge && wanted && answer_challenge(c, p, r, now)) return;
  const bool repeated = r.status == 482 && doubt_before(c, p.part);
  if (busy && c.plan.has_more(health_, c.untouched(), now)) {
    if (acknowledge) send_ack(c, a, r, now);
    c.last_error = "503 from " + a.where.to.to_string();
    return move_on(c, p.number, now);
  }
  if (repeated || ((busy || challenge) && doubt_before(c, p.part))) {
    // An earlier target did get it (482), or may have got it (503 or a challenge from the last one): its
    // answer is lost.
    if (acknowledge) send_ack(c, a, r, now);
    a.refused = true;
    return fail(c, p.number, failure::timed_out, "an earlier attempt was not answered in time");
  }
  finish(c, p, std::move(r), now);
}

void client_core::finish(call& c, const place& p, response&& r, instant now) {
  const std::uint64_t number = p.number;
  release(c, number);
  c.finished = true;
  c.try_until.reset();
  const client_step step = c.fsm.receive(r.status, now.steady, ctx_.options.timers);
  if (step.acknowledge) send_ack(c, c.attempts[p.part], r, now);
  if (r.status < 300 && p.part + 1 == c.attempts.size())
    auth_.accepted(c.request, c.domain, r, c.attempts[p.part].where);
  if (!c.hidden) {
    auto& told = std::get<response_received>(ctx_.events.emplace_back(std::in_place_type<response_received>));
    told.tx = static_cast<client_tx>(number);
    told.response = std::move(r);
    told.challenges = c.challenges.rounds;
  }
  const auto end = c.fsm.next_deadline();
  if (c.fsm.invite() && end && *end > now.steady) {
    std::string().swap(c.wire);
    return update(c, number);
  }
  if (!c.fsm.invite()) remember_answered(c, now);
  destroy(number);
}

/// RFC 3261 §17.1.2.2: for Timer K, which is zero for reliable transports.
void client_core::remember_answered(const call& c, instant now) {
  const auto& t = ctx_.options.timers;
  for (const attempt& a : c.attempts) {
    if (a.where.via != transport::udp) continue;
    answered_.add(hash_of(a.via.branch(), c.method, a.via.sent_by()), now.steady + t.t4);
    if (answered_timer_.slot == timer_handle{}.slot)
      ctx_.arm(answered_timer_, owner::answered, 1, now.steady + forget_every);
  }
}

void client_core::expire_answered(instant now) {
  answered_timer_ = {};
  if (answered_.expire(now.steady)) ctx_.arm(answered_timer_, owner::answered, 1, now.steady + forget_every);
}

void client_core::timeout(std::uint64_t number, instant now) {
  call* c = calls_.find(number);
  if (c == nullptr) return;
  if (c->try_until && *c->try_until <= now.steady && now.steady < c->give_up_at) {
    c->try_until.reset();
    doubt_stream(*c);
    const bool unsent = withdraw(*c);
    if (c->plan.has_more(health_, c->untouched(), now)) {
      c->timed_out = c->timed_out || c->attempts.back().in_doubt();
      c->last_error = "no answer from " + c->attempts.back().where.to.to_string();
      return move_on(*c, number, now);
    }
    if (unsent && !transmit(*c, number, now)) return move_on(*c, number, now);
  }
  const bool heard = c->fsm.proceeding();
  switch (c->fsm.timeout(now.steady, ctx_.options.timers)) {
    case client_due::nothing: break;
    case client_due::resend:
      ++ctx_.stats.retransmissions_out;
      transmit(*c, number, now);
      break;
    case client_due::timed_out:
      if (c->attempts.empty()) return fail(*c, number, failure::no_answer, "the DNS did not answer in time");
      // RFC 3263 §4.3, RFC 4320 §4.2: only who never said anything has failed; a 100 shows that he is well,
      // and it is a user behind him who is not there.
      if (!heard) health_.punish(c->attempts.back().where, ctx_.options.penalty, now);
      doubt_stream(*c);
      return fail(*c, number, failure::timed_out,
                  "no final response from " + c->attempts.back().where.to.to_string());
    case client_due::ended: return destroy(number);
  }
  update(*c, number);
}

void client_core::sent(std::uint64_t number, std::uint32_t part) {
  call* c = calls_.find(number);
  if (c == nullptr || part >= c->attempts.size()) return;
  attempt& a = c->attempts[part];
  if (a.unreported > 0) --a.unreported;
  a.left = true;
}

void client_core::send_failed(std::uint64_t number, std::uint32_t part, io::fail why, std::string_view words,
                              instant now) {
  call* c = calls_.find(number);
  if (c == nullptr || part >= c->attempts.size()) return;
  attempt& a = c->attempts[part];
  if (a.unreported > 0) --a.unreported;
  if (c->finished || part + 1 != c->attempts.size()) return;
  // A full socket buffer is a lost datagram, not a dead peer: Timers A and E are for that.
  if (a.where.via == transport::udp && why == io::fail::overflow) return;
  c->last_error = "sending to " + a.where.to.to_string() + " failed: " + std::string(words);
  stream_failed(*c, number, now);
}

void client_core::connection_lost(std::uint64_t number, conn_id conn, std::string_view why, instant now) {
  call* c = calls_.find(number);
  if (c == nullptr || c->finished || c->attempts.empty() || c->attempts.back().conn != conn) return;
  c->last_error =
      "the connection to " + c->attempts.back().where.to.to_string() + " was lost: " + std::string(why);
  stream_failed(*c, number, now);
}

std::size_t client_core::bytes_of(const struct request& r) {
  return r.uri.size() + r.body.size() + r.headers.memory();
}

/// Branches are ours: nobody can choose them to collide.
std::uint64_t client_core::hash_of(std::string_view branch, std::string_view method) {
  return key_hash(branch, method.size());
}

std::uint64_t client_core::hash_of(std::string_view branch, std::string_view method,
                                   std::string_view sent_by) {
  return key_hash(method, key_hash(sent_by, key_hash(branch, 0)));
}

client_core::place client_core::find(std::string_view branch, std::string_view method) const {
  place p;
  p.number = by_branch_.find(hash_of(branch, method), [&](std::uint64_t number) {
    const call& c = *calls_.find(number);
    const auto it = std::find_if(c.attempts.begin(), c.attempts.end(),
                                 [branch](const attempt& a) { return a.via.branch() == branch; });
    if (it == c.attempts.end() || c.method != method) return false;
    p.part = static_cast<std::uint32_t>(it - c.attempts.begin());
    return true;
  });
  return p;
}

void client_core::update(call& c, std::uint64_t number) {
  std::size_t n = sizeof(call) + c.request_bytes + c.domain.size() + c.wire.capacity();
  for (const attempt& a : c.attempts) n += sizeof(attempt) + a.via.text.size() + 64;
  c.memory.resize(n);
  auto when = c.fsm.next_deadline();
  if (c.try_until && (!when || *c.try_until < *when)) when = c.try_until;
  ctx_.arm(c.timer, owner::client, number, when);
}

void client_core::destroy(std::uint64_t number) {
  call* c = calls_.find(number);
  if (c == nullptr) return;
  release(*c, number);
  locator_.stop(number);
  ctx_.arm(c->timer, owner::client, number, std::nullopt);
  for (const attempt& a : c->attempts) by_branch_.remove(hash_of(a.via.branch(), c->method), number);
  calls_.destroy(number);
  ctx_.stats.client_transactions = calls_.size();
}

void client_core::list(peer_table& out, instant now) const {
  calls_.for_each([&out](const call& c) {
    if (c.finished || c.attempts.empty()) return;
    const auto& where = c.attempts.back().where;
    ++out[{where.via, where.to}].requests;
  });
  health_.list(out, now);
}

}  // namespace stox::sip
