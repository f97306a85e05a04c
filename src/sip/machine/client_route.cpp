// Where the requests of client_core go: RFC 3263, with what is known about servers that failed, or want
// credentials.
#include <algorithm>
#include <chrono>
#include <utility>

#include "sip/machine/client_core.hpp"
#include "sip/machine/tx_key.hpp"
#include "sip/wire/headers.hpp"

namespace stox::sip {

namespace {

/// RFC 3261 §18.1.1 and RFC 3428 §8: what may cross a path of unknown MTU in one datagram.
constexpr std::size_t max_datagram_request = 1300;

const char* transport_token(transport via) {
  switch (via) {
    case transport::udp: return "UDP";
    case transport::tcp: return "TCP";
    case transport::tls: return "TLS";
  }
  return "UDP";
}

}  // namespace

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
      send_ack_once(std::move(ack.mapped().request), ack.mapped().domain, out->found, now);
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
  health_.order(targets, now);
  const bool all_trusted =
      std::all_of(targets.begin(), targets.end(), [this](const target& t) { return ctx_.is_trusted(t); });
  if (!all_trusted) c.request.headers.remove(header::p_asserted_identity);
  if (auto why = make_plan(c, targets)) return fail(c, number, failure::too_large, std::move(*why));
  if (start_attempt(c, number, now)) return update(c, number);
  const bool held = c.attempts.empty() && c.plan.held_back();
  fail(c, number, held ? failure::held_back : why_of(c), c.last_error.empty() ? "no target" : c.last_error);
}

/// What we are called in a request to that target: by transport and address family. A listener on every
/// address has no name of its own, so a name of the other family is better than none.
const advertised* client_core::name_for(const target& where, const listener* l) const {
  const advertised* other = nullptr;
  for (const advertised& a : ctx_.options.advertise) {
    if (a.via && *a.via != where.via) continue;
    const auto ip = ip_address::parse(a.host);
    if (!ip || ip->is_v4() == where.to.ip.is_v4()) return &a;
    if (other == nullptr) other = &a;
  }
  return l == nullptr || l->local.ip.is_unspecified() ? other : nullptr;
}

client_core::own_via client_core::via_for(const target& where, std::string_view branch) const {
  const listener* l = conns_.choose_listener(where.via, where.to.ip);
  // A stream is opened from any port; its Via names where we listen, by whatever transport.
  if (l == nullptr) l = conns_.choose_listener(transport::udp, where.to.ip);
  std::string host = l == nullptr ? "invalid" : l->local.ip.to_uri_host();
  std::uint16_t port = l == nullptr ? std::uint16_t{5060} : l->local.port;
  if (const advertised* name = name_for(where, l)) {
    host = name->host;
    if (name->port != 0) port = name->port;
  }
  const auto u16 = [](std::size_t n) { return static_cast<std::uint16_t>(n); };
  own_via out;
  out.text.reserve(64 + host.size() + branch.size());
  out.text.append("SIP/2.0/").append(transport_token(where.via)).append(" ");
  out.sent_by_at = u16(out.text.size());
  append_sent_by(out.text, host, port);
  out.sent_by_size = u16(out.text.size() - out.sent_by_at);
  out.text.append(";branch=");
  out.branch_at = u16(out.text.size());
  out.branch_size = u16(branch.size());
  out.text.append(branch);
  if (where.via == transport::udp) out.text += ";rport";  // RFC 3581 §3
  // RFC 5923 §7.1; where nobody listens for TLS, nothing is to be reused the other way.
  if (where.via == transport::tls && l != nullptr && l->via == transport::tls) out.text += ";alias";
  return out;
}

std::optional<std::string> client_core::size_problem(const call& c, transport via, std::size_t size) {
  const auto most = via == transport::udp ? max_datagram_request : c.max_message_bytes;
  if (size <= most || c.request.method != method::message) return std::nullopt;
  return "the MESSAGE would take " + std::to_string(size) + " bytes, and at most " + std::to_string(most) +
         " are allowed";
}

/// Fills the plan; the error is the detail of failure::too_large.
std::optional<std::string> client_core::make_plan(call& c, const std::vector<target>& targets) const {
  if (targets.empty()) return std::nullopt;
  // As it goes to the first target, so that it is written once; the others differ in the Via only.
  const auto& first_target = targets.front();
  c.first_via.emplace(
      prepared_via{first_target.via, first_target.to, via_for(first_target, ctx_.ids.next(id_kind::branch))});
  const own_via& via = c.first_via->made;
  c.request.headers.set(header::via, via.text);
  c.request_bytes = bytes_of(c.request);
  c.wire = write(c.request);
  const std::size_t bare = c.wire.size() - via.text.size();
  for (const target& t : targets) {
    const bool first = &t == &targets.front();
    const std::size_t size = first ? c.wire.size() : bare + via_for(t, via.branch()).text.size();
    if (auto why = size_problem(c, transport::tcp, size)) return why;
    if (size <= max_datagram_request) {
      c.plan.add(t);
    } else {
      // RFC 3428 §8: a long MESSAGE may not cross a link without congestion control, whatever TCP says.
      const bool is_message = c.request.method == method::message;
      c.plan.add_by_stream(t, !is_message);
      c.forced = c.forced || (is_message && t.via == transport::udp);
    }
  }
  return std::nullopt;
}

/// RFC 3261 §13.2.2.4: the ACK to a 2xx is the transaction user's, goes once and is not answered.
void client_core::acknowledge_success(outgoing out, instant now) {
  const auto number = first_ack | ++last_ack_;
  if (auto found = locator_.start(number, std::move(out.hops), what_we_have(), now)) {
    return send_ack_once(std::move(out.request), out.domain, *found, now);
  }
  const std::size_t bytes = sizeof(struct request) + bytes_of(out.request) + out.domain.size();
  acks_.emplace(number,
                waiting_ack{std::move(out.request), std::move(out.domain), charge(ctx_.memory, bytes)});
}

void client_core::send_ack_once(struct request ack, std::string_view domain, const located& found,
                                instant now) {
  if (found.targets.empty()) {
    const auto call_id = ack.headers.find(header::call_id);
    return ctx_.note(log_level::warning, "sip.ack_lost", {},
                     {{"call_id", std::string(call_id.value_or(std::string_view()))}, {"why", "no target"}});
  }
  const target& to = found.targets.front();
  ack.headers.set(header::via, via_for(to, ctx_.ids.next(id_kind::branch)).text);
  std::string bytes = write(ack);
  if (to.via != transport::udp) {
    conns_.send(conns_.connect(to, domain, now), token::none, std::move(bytes), now);
  } else if (const listener* l = conns_.choose_listener(to.via, to.to.ip)) {
    conns_.send_datagram(l->conn, to.to, token::none, std::move(bytes));
  }
}

/// RFC 3261 §21.5.4: no other requests to that server for the time that it names. A 503 is the next hop's own
/// word: a proxy does not pass on the one of a server behind it (§16.7 step 6).
void client_core::pause(const socket_address& server, const response& r, instant now) {
  const auto value = r.headers.find(header::retry_after);
  const auto parsed = !value ? result<retry_after_value>(errc::missing_header) : parse_retry_after(*value);
  if (!parsed || parsed->seconds == 0) return;
  const duration wanted = std::chrono::seconds(parsed->seconds);
  if (!health_.pause(server, std::min(wanted, ctx_.options.max_pause), now)) return;
  ctx_.note(log_level::warning, "sip.target_paused", {},
            {{"target", server.to_string()}, {"retry_after", std::to_string(parsed->seconds)}});
}

/// The request as it goes to that server: its Via, and credentials that the server is known to want. False:
/// they make a MESSAGE too large.
bool client_core::write_for(call& c, const attempt& a, instant now) {
  const bool changed = auth_.prepare(c.request, c.domain, a.where, now);
  if (!changed && *c.request.headers.find(header::via) == a.via.text) return true;
  c.request.headers.set(header::via, a.via.text);
  c.wire = write(c.request);
  c.request_bytes = bytes_of(c.request);
  const auto why = changed ? size_problem(c, a.where.via, c.wire.size()) : std::nullopt;
  if (why) c.last_error = *why;
  c.too_large = why.has_value();
  return !why;
}

/// RFC 3261 §22.2, §8.1.3.5: the same request with credentials and the next CSeq, to the same server. False:
/// the response is the final one.
bool client_core::answer_challenge(call& c, const place& p, const response& r, instant now) {
  const attempt& a = c.attempts[p.part];
  if (!auth_.challenged(c.request, c.domain, r, a.where, c.challenges)) return false;
  if (c.fsm.invite()) send_ack(c, a, r, now);
  const auto last = c.request.headers.find(header::cseq);
  if (const auto cseq = !last ? result<sip::cseq>(errc::missing_header) : parse_cseq(*last)) {
    c.request.headers.set(header::cseq, write(sip::cseq{cseq->number + 1, cseq->method, cseq->method_name}));
  }
  release(c, p.number);
  c.plan.again();
  if (start_attempt(c, p.number, now)) {
    update(c, p.number);
  } else {
    fail(c, p.number, why_of(c), c.last_error);
  }
  return true;
}

}  // namespace stox::sip
