// What only an INVITE of client_core has: the ACK to a failure, and CANCEL.
#include "sip/machine/client_core.hpp"
#include "sip/wire/headers.hpp"

namespace stox::sip {

namespace {

/// What an ACK or CANCEL has from its INVITE (RFC 3261 §9.1, §17.1.1.3).
request companion(const request& invite, method m, const std::string& via) {
  request r;
  r.method = m;
  r.method_name = std::string(to_string(m));
  r.uri = invite.uri;
  r.headers.add(header::via, via);
  for (const auto f : invite.headers) {
    if (f.id == header::route || f.id == header::from || f.id == header::to || f.id == header::call_id) {
      r.headers.add(f.id, f.value);
    }
  }
  const auto cseq = invite.headers.find(header::cseq);
  const auto parsed = !cseq ? result<sip::cseq>(errc::missing_header) : parse_cseq(*cseq);
  r.headers.add(header::cseq, write(sip::cseq{parsed ? parsed->number : 0, m, r.method_name}));
  r.headers.add(header::max_forwards, "70");
  return r;
}

}  // namespace

void client_core::send_ack(const call& c, const attempt& a, const response& r, instant now) {
  struct request ack = companion(c.request, method::ack, a.via.text);
  if (const auto to = r.headers.find(header::to)) ack.headers.set(header::to, *to);
  if (a.where.via == transport::udp) {
    conns_.send_datagram(a.conn, a.where.to, token::none, write(ack));
  } else {
    conns_.send(a.conn, token::none, write(ack), now);
  }
}

void client_core::cancel(client_tx tx, instant now) {
  call* c = calls_.find(static_cast<std::uint64_t>(tx));
  if (c == nullptr || c->finished || c->hidden || !c->fsm.invite()) return;
  c->plan.stop();
  // RFC 3261 §9.1: not before a provisional response, or it might overtake the INVITE.
  if (!c->fsm.proceeding()) {
    c->cancel_wanted = true;
    return;
  }
  send_cancel(*c, now);
  update(*c, static_cast<std::uint64_t>(tx));
}

void client_core::send_cancel(call& c, instant now) {
  if (c.cancelled) return;
  const timers& t = ctx_.options.timers;
  const steady_time end = now.steady + 64 * t.t1;
  c.fsm.expire_at(end);
  const attempt& invite = c.attempts.back();
  const bool reliable = invite.where.via != transport::udp;
  const auto number = calls_.create(client_transaction(false, reliable, now.steady, end, t));
  call& own = *calls_.find(number);
  own.hidden = true;
  own.method = "CANCEL";
  own.give_up_at = end;
  own.memory = charge(ctx_.memory, 0);
  own.wire = write(companion(c.request, method::cancel, invite.via.text));
  attempt a;
  a.via = invite.via;
  a.where = invite.where;
  a.conn = invite.conn;
  own.attempts.push_back(std::move(a));
  by_branch_.add(hash_of(invite.via.branch(), own.method), number);
  ctx_.stats.client_transactions = calls_.size();
  if (!transmit(own, number, now)) return destroy(number);
  c.cancelled = true;
  if (reliable) conns_.add_user(own.attempts.back().conn, number);
  update(own, number);
}

}  // namespace stox::sip
