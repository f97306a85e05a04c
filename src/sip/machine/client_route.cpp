// Where the requests of client_core go: RFC 3263, with what is known about servers that failed.
#include <algorithm>
#include <utility>

#include "sip/machine/client_core.hpp"

namespace stox::sip {

reach client_core::what_we_have() const {
  // TCP and TLS need no listener of their own: the answer comes on the connection that we open.
  reach out{false, true, true, false, false};
  for (const listener& l : conns_.listeners()) {
    const bool any_v6 = l.local.ip.is_unspecified() && !l.local.ip.is_v4();
    out.udp = out.udp || l.via == transport::udp;
    out.v4 = out.v4 || l.local.ip.is_v4() || any_v6;
    out.v6 = out.v6 || !l.local.ip.is_v4();
  }
  return out;
}

void client_core::resolved(const dns::resolver::answered& a, instant now) {
  locator_.answered(a, now);
  while (auto out = locator_.poll()) {
    if (auto ack = acks_.extract(out->request)) {
      send_ack_once(std::move(ack.mapped()), out->found, now);
    } else if (call* c = calls_.find(out->request)) {
      begin(*c, out->request, std::move(out->found), now);
    }
  }
}

/// The targets are known, or that there are none.
void client_core::begin(call& c, std::uint64_t number, located found, instant now) {
  switch (found.why) {
    case located::reason::none: break;
    case located::reason::no_name:
      return fail(c, number, failure::not_found, "no SIP server for that domain in the DNS");
    case located::reason::no_transport:
      return fail(c, number, failure::not_found, "that domain offers no transport that we have");
    case located::reason::no_answer:
      return fail(c, number, failure::no_answer, "the DNS did not answer about that domain");
  }
  if (c.cancel_wanted) return fail(c, number, failure::transport, "cancelled before it was sent");
  auto& targets = found.targets;
  std::stable_partition(targets.begin(), targets.end(), [&](const target& t) {
    return !penalties_.is_punished({t.via, t.to}, now);
  });
  const bool all_trusted =
      std::all_of(targets.begin(), targets.end(), [this](const target& t) { return ctx_.is_trusted(t); });
  if (!all_trusted) c.request.headers.remove(header::p_asserted_identity);
  if (auto why = make_plan(c, targets)) return fail(c, number, failure::too_large, std::move(*why));
  if (start_attempt(c, number, now)) return update(c, number);
  const bool held = c.attempts.empty() && c.held_back;
  fail(c, number, held ? failure::held_back : failure::transport,
       c.last_error.empty() ? "no target" : c.last_error);
}

/// RFC 3263 §4.3: what did not answer is not tried first again for a while.
void client_core::punish(const attempt& a, instant now) {
  penalties_.punish({a.where.via, a.where.to}, ctx_.options.penalty, now);
}

}  // namespace stox::sip
