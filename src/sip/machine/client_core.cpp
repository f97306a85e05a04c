#include "sip/machine/client_core.hpp"

#include <algorithm>
#include <chrono>

#include "base/text.hpp"
#include "sip/machine/tx_key.hpp"
#include "sip/wire/headers.hpp"

namespace stox::sip {

namespace {

/// RFC 3261 §18.1.1 and RFC 3428 §8: what may cross a path of unknown MTU in one datagram.
constexpr std::size_t max_datagram_request = 1300;

/// Servers that are remembered as paused; without a configured proxy, served domains can have many.
constexpr std::size_t max_paused = 256;

const char* transport_token(transport via) {
  switch (via) {
    case transport::udp: return "UDP";
    case transport::tcp: return "TCP";
    case transport::tls: return "TLS";
  }
  return "UDP";
}

std::size_t bytes_of(const request& r) {
  std::size_t n = r.uri.size() + r.body.size();
  for (const header_field& f : r.headers.fields()) n += sizeof(f) + f.value.size() + f.name.size();
  return n;
}

/// What an ACK or CANCEL has from its INVITE (RFC 3261 §9.1, §17.1.1.3).
request companion(const request& invite, method m, const std::string& via) {
  request r;
  r.method = m;
  r.method_name = std::string(to_string(m));
  r.uri = invite.uri;
  r.headers.add(header::via, via);
  for (const header_field& f : invite.headers.fields()) {
    if (f.id == header::route || f.id == header::from || f.id == header::to || f.id == header::call_id) {
      r.headers.add(f.id, f.value);
    }
  }
  const std::string* cseq = invite.headers.find(header::cseq);
  const auto parsed = cseq == nullptr ? result<sip::cseq>(errc::missing_header) : parse_cseq(*cseq);
  r.headers.add(header::cseq, write(sip::cseq{parsed ? parsed->number : 0, m, r.method_name}));
  r.headers.add(header::max_forwards, "70");
  return r;
}

}  // namespace

std::string client_core::via_for(const target& where, std::string_view branch, std::string* by) const {
  const listener* l = conns_.choose_listener(where.via, where.to.ip);
  // A stream is opened from any port; its Via names where we listen, by whatever transport.
  if (l == nullptr) l = conns_.choose_listener(transport::udp, where.to.ip);
  via v;
  v.transport = transport_token(where.via);
  v.host = l == nullptr ? "invalid" : l->local.ip.to_uri_host();
  if (!ctx_.options.advertise.empty()) v.host = ctx_.options.advertise;
  v.port = l == nullptr ? std::uint16_t{5060} : l->local.port;
  v.set_param("branch", std::string(branch));
  if (where.via == transport::udp) v.set_param("rport", std::nullopt);  // RFC 3581 §3
  if (by != nullptr) *by = sent_by(v);
  std::string out;
  write_to(out, v);
  return out;
}

/// Fills the plan; the error is the detail of failure::too_large.
std::optional<std::string> client_core::make_plan(call& c, const std::vector<target>& targets) const {
  if (targets.empty()) return std::nullopt;
  // As it goes to the first target, so that it is written once; the others differ in the Via only.
  std::string first_via = via_for(targets.front(), c.first_branch, nullptr);
  const std::size_t via_size = first_via.size();
  c.request.headers.set(header::via, std::move(first_via));
  c.wire = write(c.request);
  const std::size_t bare = c.wire.size() - via_size;
  for (const target& t : targets) {
    const bool first = &t == &targets.front();
    const std::size_t size = first ? c.wire.size() : bare + via_for(t, c.first_branch, nullptr).size();
    if (size > max_datagram_request && c.request.method == method::message) {
      return "the MESSAGE would take " + std::to_string(size) + " bytes, and at most " +
             std::to_string(max_datagram_request) + " are allowed";
    }
    const bool too_large = size > max_datagram_request && t.via == transport::udp;
    if (too_large) c.plan.push_back({{transport::tcp, t.to}, false});
    c.plan.push_back({t, too_large});
  }
  return std::nullopt;
}

client_tx client_core::request(outgoing out, instant now) {
  header_list& headers = out.request.headers;
  if (headers.find(header::max_forwards) == nullptr) headers.add(header::max_forwards, "70");
  if (!ctx_.options.product.empty() && headers.find(header::user_agent) == nullptr) {
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
  c.request_bytes = bytes_of(c.request);
  c.method = c.request.method_name;
  c.first_branch = ctx_.ids.next(id_kind::branch);
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

/// RFC 3261 §13.2.2.4: the ACK to a 2xx is the transaction user's, goes once and is not answered.
void client_core::acknowledge_success(outgoing out, instant now) {
  const auto number = first_ack | ++last_ack_;
  if (auto found = locator_.start(number, std::move(out.hops), what_we_have(), now)) {
    return send_ack_once(std::move(out.request), *found, now);
  }
  acks_.emplace(number, std::move(out.request));
}

void client_core::send_ack_once(struct request ack, const located& found, instant now) {
  if (found.targets.empty()) {
    const std::string* call_id = ack.headers.find(header::call_id);
    return ctx_.note(log_level::warning, "sip.ack_lost", {},
                     {{"call_id", call_id == nullptr ? std::string() : *call_id}, {"why", "no target"}});
  }
  const target& to = found.targets.front();
  ack.headers.set(header::via, via_for(to, ctx_.ids.next(id_kind::branch), nullptr));
  std::string bytes = write(ack);
  if (to.via != transport::udp) {
    conns_.send(conns_.connect(to.via, to.to, now), token::none, std::move(bytes), now);
  } else if (const listener* l = conns_.choose_listener(to.via, to.to.ip)) {
    conns_.send_datagram(l->conn, to.to, token::none, std::move(bytes));
  }
}

/// RFC 3261 §21.5.4: no other requests to that server for the time that it names. A 503 is the next hop's own
/// word: a proxy does not pass on the one of a server behind it (§16.7 step 6).
void client_core::pause(const socket_address& server, const response& r, instant now) {
  const std::string* value = r.headers.find(header::retry_after);
  const auto parsed =
      value == nullptr ? result<retry_after_value>(errc::missing_header) : parse_retry_after(*value);
  if (!parsed || parsed->seconds == 0) return;
  const duration wanted = std::chrono::seconds(parsed->seconds);
  const steady_time until = now.steady + std::min(wanted, ctx_.options.max_pause);
  std::erase_if(paused_, [now](const auto& p) { return p.second <= now.steady; });
  if (const auto known = paused_.find(server); known != paused_.end()) {
    known->second = std::max(known->second, until);
    return;
  }
  if (paused_.size() >= max_paused) return;
  paused_.emplace(server, until);
  ctx_.note(log_level::warning, "sip.target_paused", {},
            {{"target", server.to_string()}, {"retry_after", std::to_string(parsed->seconds)}});
}

bool client_core::is_paused(const socket_address& server, instant now) const {
  const auto it = paused_.find(server);
  return it != paused_.end() && now.steady < it->second;
}

bool client_core::more_targets(const call& c, instant now) const {
  for (std::size_t i = c.next; i < c.plan.size(); ++i) {
    if (is_paused(c.plan[i].where.to, now)) continue;
    if (!c.plan[i].fallback || (i == c.next && c.attempts.back().untouched())) return true;
  }
  return false;
}

/// Begins with the next target that can be sent to. False: there is none.
bool client_core::start_attempt(call& c, std::uint64_t number, instant now) {
  while (c.next < c.plan.size() && now.steady < c.give_up_at) {
    const planned p = c.plan[c.next++];
    if (is_paused(p.where.to, now)) {
      c.last_error = p.where.to.to_string() + " asked for a pause";
      c.held_back = true;
      continue;
    }
    // RFC 3261 §18.1.1: UDP after all only where TCP could not be connected.
    if (p.fallback && !c.attempts.back().untouched()) continue;
    attempt a;
    a.where = p.where;
    a.branch = c.first_branch.empty() ? ctx_.ids.next(id_kind::branch) : std::exchange(c.first_branch, {});
    a.via = via_for(p.where, a.branch, &a.sent_by);
    const bool reliable = p.where.via != transport::udp;
    if (reliable) {
      a.conn = conns_.connect(p.where.via, p.where.to, now);
      if (a.conn == conn_id::none) c.last_error = "too many connections";
    } else if (const listener* l = conns_.choose_listener(p.where.via, p.where.to.ip)) {
      a.conn = l->conn;
    } else {
      c.last_error = "no UDP listener for the address family of " + p.where.to.to_string();
    }
    if (*c.request.headers.find(header::via) != a.via) {
      c.request.headers.set(header::via, a.via);
      c.wire = write(c.request);
    }
    by_branch_.add(hash_of(a.branch, c.method), number);
    c.attempts.push_back(std::move(a));
    c.fsm = client_transaction(c.fsm.invite(), reliable, now.steady, c.give_up_at, ctx_.options.timers);
    c.try_until.reset();
    if (c.attempts.back().conn == conn_id::none) continue;
    if (!transmit(c, number, now)) continue;
    if (reliable) conns_.add_user(c.attempts.back().conn, number);
    if (c.next < c.plan.size()) c.try_until = now.steady + ctx_.options.try_each;
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
  const socket_address left_behind = c.attempts.back().where.to;
  if (!c.attempts.back().refused) punish(c.attempts.back(), now);
  if (start_attempt(c, number, now)) {
    const std::string* call_id = c.request.headers.find(header::call_id);
    ctx_.note(log_level::warning, "sip.failover", {},
              {{"call_id", call_id == nullptr ? std::string() : *call_id},
               {"from", left_behind.to_string()},
               {"to", c.attempts.back().where.to.to_string()},
               {"why", c.last_error}});
    return update(c, number);
  }
  fail(c, number, c.timed_out ? failure::timed_out : failure::transport, c.last_error);
}

void client_core::fail(call& c, std::uint64_t number, failure why, std::string detail) {
  release(c, number);
  if (!c.hidden) {
    ctx_.events.push_back(request_failed{static_cast<client_tx>(number), why,
                                         doubt_before(c, c.attempts.size()), std::move(detail)});
  }
  destroy(number);
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
  if (c == nullptr || r.headers.elements(header::via).size() != 1 ||
      sent_by(head->top_via) != c->attempts[p.part].sent_by) {
    ++ctx_.stats.stray_responses;
    return;
  }
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

void client_core::provisional(call& c, const place& p, response&& r, instant now) {
  penalties_.forgive({c.attempts[p.part].where.via, c.attempts[p.part].where.to});
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
  penalties_.forgive({a.where.via, a.where.to});
  const bool current = p.part + 1 == c.attempts.size();
  const bool busy = r.status == 503 && !c.hidden;
  if (busy) {
    a.refused = true;
    pause(a.where.to, r, now);
  }
  const bool acknowledge = c.fsm.invite() && r.status >= 300;
  if (busy && !current) {
    if (acknowledge) send_ack(c, a, r, now);
    return;  // a later target has the request already
  }
  const bool repeated = r.status == 482 && doubt_before(c, p.part);
  if (busy && more_targets(c, now)) {
    if (acknowledge) send_ack(c, a, r, now);
    c.last_error = "503 from " + a.where.to.to_string();
    return move_on(c, p.number, now);
  }
  if (repeated || (busy && doubt_before(c, p.part))) {
    // An earlier target did get it (482), or may have got it (503 from the last one): its answer is lost.
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
  if (!c.hidden) ctx_.events.push_back(response_received{static_cast<client_tx>(number), std::move(r)});
  c.wire = {};
  if (!c.fsm.invite()) {
    c.request = {};
    c.request_bytes = 0;
  }
  const auto end = c.fsm.next_deadline();
  if (!end || *end <= now.steady) return destroy(number);
  update(c, number);
}

void client_core::send_ack(const call& c, const attempt& a, const response& r, instant now) {
  struct request ack = companion(c.request, method::ack, a.via);
  if (const std::string* to = r.headers.find(header::to)) ack.headers.set(header::to, *to);
  if (a.where.via == transport::udp) {
    conns_.send_datagram(a.conn, a.where.to, token::none, write(ack));
  } else {
    conns_.send(a.conn, token::none, write(ack), now);
  }
}

void client_core::cancel(client_tx tx, instant now) {
  call* c = calls_.find(static_cast<std::uint64_t>(tx));
  if (c == nullptr || c->finished || c->hidden || !c->fsm.invite()) return;
  c->next = c->plan.size();
  // RFC 3261 §9.1: not before a provisional response, or it might overtake the INVITE.
  if (!c->fsm.proceeding()) {
    c->cancel_wanted = true;
    return;
  }
  send_cancel(*c, now);
  update(*c, static_cast<std::uint64_t>(tx));
}

void client_core::send_cancel(call& c, instant now) {
  const timers& t = ctx_.options.timers;
  const steady_time end = now.steady + 64 * t.t1;
  c.fsm.expire_at(end);
  const attempt& invite = c.attempts.back();
  if (find(invite.branch, "CANCEL").number != 0) return;
  const bool reliable = invite.where.via != transport::udp;
  const auto number = calls_.create(client_transaction(false, reliable, now.steady, end, t));
  call& own = *calls_.find(number);
  own.hidden = true;
  own.method = "CANCEL";
  own.give_up_at = end;
  own.memory = charge(ctx_.memory, 0);
  own.wire = write(companion(c.request, method::cancel, invite.via));
  attempt a;
  a.branch = invite.branch;
  a.via = invite.via;
  a.sent_by = invite.sent_by;
  a.where = invite.where;
  a.conn = invite.conn;
  own.attempts.push_back(std::move(a));
  by_branch_.add(hash_of(invite.branch, own.method), number);
  ctx_.stats.client_transactions = calls_.size();
  if (!transmit(own, number, now)) return destroy(number);
  if (reliable) conns_.add_user(own.attempts.back().conn, number);
  update(own, number);
}

void client_core::timeout(std::uint64_t number, instant now) {
  call* c = calls_.find(number);
  if (c == nullptr) return;
  if (c->try_until && *c->try_until <= now.steady && now.steady < c->give_up_at) {
    c->try_until.reset();
    const bool unsent = withdraw(*c);
    if (more_targets(*c, now)) {
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
      if (!heard) punish(c->attempts.back(), now);
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

void client_core::send_failed(std::uint64_t number, std::uint32_t part, io::fail why, instant now) {
  call* c = calls_.find(number);
  if (c == nullptr || part >= c->attempts.size()) return;
  attempt& a = c->attempts[part];
  if (a.unreported > 0) --a.unreported;
  if (c->finished || part + 1 != c->attempts.size()) return;
  // A full socket buffer is a lost datagram, not a dead peer: Timers A and E are for that.
  if (a.where.via == transport::udp && why == io::fail::overflow) return;
  c->last_error = "sending to " + a.where.to.to_string() + " failed: " + std::string(to_string(why));
  move_on(*c, number, now);
}

void client_core::connection_lost(std::uint64_t number, conn_id conn, io::fail why, instant now) {
  call* c = calls_.find(number);
  if (c == nullptr || c->finished || c->attempts.empty() || c->attempts.back().conn != conn) return;
  c->last_error = "the connection to " + c->attempts.back().where.to.to_string() +
                  " was lost: " + std::string(to_string(why));
  move_on(*c, number, now);
}

/// Branches are ours: nobody can choose them to collide.
std::uint64_t client_core::hash_of(std::string_view branch, std::string_view method) {
  return key_hash(branch, method.size());
}

client_core::place client_core::find(std::string_view branch, std::string_view method) const {
  place p;
  p.number = by_branch_.find(hash_of(branch, method), [&](std::uint64_t number) {
    const call& c = *calls_.find(number);
    const auto it = std::find_if(c.attempts.begin(), c.attempts.end(),
                                 [branch](const attempt& a) { return a.branch == branch; });
    if (it == c.attempts.end() || c.method != method) return false;
    p.part = static_cast<std::uint32_t>(it - c.attempts.begin());
    return true;
  });
  return p;
}

void client_core::update(call& c, std::uint64_t number) {
  std::size_t n = sizeof(call) + c.request_bytes + c.wire.capacity();
  for (const attempt& a : c.attempts)
    n += sizeof(attempt) + 2 * a.branch.size() + a.via.size() + a.sent_by.size() + 64;
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
  for (const attempt& a : c->attempts) by_branch_.remove(hash_of(a.branch, c->method), number);
  calls_.destroy(number);
  ctx_.stats.client_transactions = calls_.size();
}

}  // namespace stox::sip
