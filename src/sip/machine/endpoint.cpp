#include "sip/machine/endpoint.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "sip/machine/client_core.hpp"
#include "sip/machine/connections.hpp"
#include "sip/machine/context.hpp"
#include "sip/machine/server_core.hpp"
#include "sip/machine/tx_key.hpp"

namespace stox::sip {

namespace {

/// What peers send to keep a NAT binding open: line ends, or nothing (RFC 5626 §3.5.1 leaves UDP to STUN;
/// many send CRLF).
bool is_keepalive(std::string_view datagram) {
  return std::all_of(datagram.begin(), datagram.end(),
                     [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

/// RFC 5389 §6: the first two bits are zero; the types in use begin with 0 or 1. No SIP message begins so.
bool is_stun(std::string_view datagram) { return datagram[0] == '\0' || datagram[0] == '\1'; }

bool has_start_line(std::string_view text) {
  const std::string_view line = text.substr(0, text.find("\r\n"));
  return text::istarts_with(line, "SIP/2.0 ") ||
         (line.size() > 8 && line.substr(line.size() - 8) == " SIP/2.0");
}

}  // namespace

struct endpoint::impl {
  impl(endpoint_options options, deadline_index& deadlines, id_source& ids, byte_account& memory, io_port& io,
       dns::resolver& dns)
      : ctx(std::move(options), deadlines, ids, memory, io),
        conns(ctx),
        server(ctx, conns, dns),
        client(ctx, conns, dns) {
    name_ourselves();
  }

  bool told = false;  ///< poll() gave out the first event

  void name_ourselves();
  void datagram(const listener& l, const io::received& e, instant now);
  void stream(const io::received& e, instant now);
  bool message_in(std::string_view text, framing how, const peer_info& peer, instant now);
  void broken_stream(std::string_view rest, const peer_info& peer, instant now);
  void lost(const io::closed& e, instant now);
  void failed(token tok, io::fail why, std::string_view words, instant now);

  void on(const io::listening& e, instant) {
    conns.listening(e);
    name_ourselves();
  }
  void on(const io::accepted& e, instant now) { conns.accepted(e, now); }
  void on(const io::opened& e, instant now) { conns.opened(e, now); }
  void on(const io::closed& e, instant now) { lost(e, now); }
  void on(const io::received& e, instant now) {
    if (const listener* l = conns.find_listener(e.conn)) {
      const listener copy = *l;
      return datagram(copy, e, now);
    }
    stream(e, now);
  }
  void on(const io::sent& e, instant) {
    const auto it = ctx.tokens.find(e.tok);
    if (it == ctx.tokens.end()) return;
    const send_origin from = it->second;
    ctx.tokens.erase(it);
    switch (owner_of(from.key)) {
      case owner::server: return server.sent(number_of(from.key));
      case owner::client: return client.sent(number_of(from.key), from.part);
      case owner::stream:
      case owner::answered: return;
    }
  }
  void on(const io::send_failed& e, instant now) { failed(e.tok, e.why, to_string(e.why), now); }
  void on(const io::blocked& e, instant) { conns.blocked(e.conn, true); }
  void on(const io::writable& e, instant) { conns.blocked(e.conn, false); }
  void on(const io::secured&, instant) {}    // SIP has no STARTTLS
  void on(const io::looked_up&, instant) {}  // the resolver's; it tells by `resolved`

  context ctx;
  connections conns;
  server_core server;
  client_core client;
  std::vector<std::string> own_hosts;
};

void endpoint::impl::name_ourselves() {
  own_hosts.clear();
  for (const advertised& a : ctx.options.advertise) {
    const std::string host = normal_host(a.host);
    own_hosts.push_back(host);
    if (a.port != 0) own_hosts.push_back(host + ':' + std::to_string(a.port));
    for (const listener& l : conns.listeners())
      own_hosts.push_back(host + ':' + std::to_string(l.local.port));
  }
  for (const listener& l : conns.listeners()) {
    const std::string port = ':' + std::to_string(l.local.port);
    // A wildcard address is everybody's: another element that wrote it into its Via is not us. We write what
    // is advertised then; config/ refuses a wildcard without.
    if (l.local.ip.is_unspecified()) continue;
    const std::string host = l.local.ip.to_uri_host();
    own_hosts.push_back(host);
    own_hosts.push_back(host + port);
  }
}

void endpoint::impl::datagram(const listener& l, const io::received& e, instant now) {
  std::string_view text = e.bytes;
  if (is_keepalive(text) || is_stun(text)) return;
  // RFC 3261 §7.5: line ends before the start line are ignored.
  text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  const peer_info peer{l.via, e.from, l.local, l.conn, ctx.is_trusted(e.from.ip)};
  if (!message_in(text, framing::datagram, peer, now)) ++ctx.stats.garbage;
}

/// False: it was no SIP message, and nothing was answered.
bool endpoint::impl::message_in(std::string_view text, framing how, const peer_info& peer, instant now) {
  auto parsed = parse_message(text, how, ctx.options.limits);
  if (!parsed) return server.handle_malformed(parsed.error(), peer, text.size(), now);
  message& m = *parsed;
  if (auto* r = std::get_if<sip::request>(&m)) {
    if (peer.via == transport::tls && peer.trusted) conns.offered(peer.conn, *r);
    server.handle(std::move(*r), peer, text.size(), own_hosts, now);
  } else {
    client.handle(std::move(std::get<response>(m)), now);
  }
  return true;
}

void endpoint::impl::stream(const io::received& e, instant now) {
  const auto ends = conns.find_stream(e.conn);
  if (!ends || !conns.begin_read(e.conn, e.bytes, now)) return;
  const peer_info peer{ends->via,           ends->peer, ends->local, e.conn, conns.is_trusted(e.conn),
                       conns.proven(e.conn)};
  bool ponged = false;
  for (bool more = true; more;) {
    const frame f = conns.next_frame(e.conn);
    switch (f.what) {
      case frame::kind::none: more = false; break;
      case frame::kind::whole: {
        const auto unwelcome = ctx.stats.garbage + ctx.stats.stray_responses;
        if (!message_in(f.text, framing::stream, peer, now)) {
          ++ctx.stats.garbage;
          // What has no start line of SIP was cut wrongly: the stream must not be read on, or a body could
          // pass for a message. A malformed response or ACK in its own frame costs only itself.
          if (!has_start_line(f.text)) conns.close(e.conn);
        }
        // A stranger gets one answer and goes: his unread answers would fill the write queues that all share.
        // A server that we wrote to may open a stream for its responses (RFC 3261 §18.1.1).
        const bool awaited = text::istarts_with(f.text, "SIP/2.0 ") &&
                             unwelcome == ctx.stats.garbage + ctx.stats.stray_responses;
        const bool stranger = !peer.trusted && static_cast<std::uint64_t>(e.conn) < first_core_conn;
        if (stranger && !awaited) conns.close(e.conn);
        break;
      }
      case frame::kind::ping:
        // One answer per read is enough: nobody needs more of them, and no one gets more bytes than he sent.
        // A stranger gets none: pings are for flows that were registered (RFC 5626 §4.4).
        if (!ponged && peer.trusted) conns.send(e.conn, token::none, "\r\n", now);
        ponged = true;
        break;
      case frame::kind::broken:
        broken_stream(f.text, peer, now);
        more = false;
        break;
    }
  }
  conns.end_read(e.conn, now);
}

/// RFC 3261 §18.3: where a stream cannot be cut any more, its last message is answered if possible, and the
/// stream ends.
void endpoint::impl::broken_stream(std::string_view rest, const peer_info& peer, instant now) {
  bool answered = false;
  const auto parsed = parse_message(rest, framing::stream, ctx.options.limits);
  if (!parsed) answered = server.handle_malformed(parsed.error(), peer, rest.size(), now);
  if (!answered) ++ctx.stats.garbage;
  conns.cut(peer.conn, "what it sends is no SIP");
}

void endpoint::impl::lost(const io::closed& e, instant now) {
  const connection_loss loss = conns.closed(e);
  for (const token tok : loss.unsent) failed(tok, e.why, loss.why, now);
  for (const std::uint64_t number : loss.users) client.connection_lost(number, e.conn, loss.why, now);
}

void endpoint::impl::failed(token tok, io::fail why, std::string_view words, instant now) {
  const auto it = ctx.tokens.find(tok);
  if (it == ctx.tokens.end()) return;
  const send_origin from = it->second;
  ctx.tokens.erase(it);
  switch (owner_of(from.key)) {
    case owner::server: return server.send_failed(number_of(from.key), now);
    case owner::client: return client.send_failed(number_of(from.key), from.part, why, words, now);
    case owner::stream:
    case owner::answered: return;
  }
}

endpoint::endpoint(endpoint_options options, deadline_index& deadlines, id_source& ids, byte_account& memory,
                   io_port& io, dns::resolver& dns)
    : impl_(std::make_unique<impl>(std::move(options), deadlines, ids, memory, io, dns)) {}

endpoint::~endpoint() = default;

void endpoint::configure(endpoint_options options) {
  impl_->ctx.options = std::move(options);
  impl_->name_ourselves();
  impl_->conns.review_trust();
}

void endpoint::forget_proofs() { impl_->conns.forget_proofs(); }

void endpoint::set_ready(bool ready) { impl_->ctx.ready = ready; }
void endpoint::set_draining(bool draining) { impl_->ctx.draining = draining; }
void endpoint::block(const ip_prefix& source) {
  impl_->ctx.blocked.add(source);
  impl_->conns.review_trust();
}
void endpoint::unblock(const ip_prefix& source) { impl_->ctx.blocked.remove(source); }

void endpoint::handle(const io::event& e, instant now) {
  std::visit([this, now](const auto& what) { impl_->on(what, now); }, e);
}

void endpoint::handle_timeout(std::uint64_t key, instant now) {
  switch (owner_of(key)) {
    case owner::server: return impl_->server.timeout(number_of(key), now);
    case owner::client: return impl_->client.timeout(number_of(key), now);
    case owner::stream: return impl_->conns.timeout(number_of(key), now);
    case owner::answered: return impl_->client.expire_answered(now);
  }
}

void endpoint::resolved(const dns::resolver::answered& a, instant now) {
  impl_->client.resolved(a, now);
  impl_->server.resolved(a, now);
}

void endpoint::tidy(instant now) { impl_->client.tidy(now); }

client_tx endpoint::request(outgoing out, instant now) { return impl_->client.request(std::move(out), now); }
void endpoint::respond(server_tx tx, const reply& r, instant now) { impl_->server.respond(tx, r, now); }
void endpoint::cancel(client_tx tx, instant now) { impl_->client.cancel(tx, now); }

event* endpoint::poll() {
  // A deque moves nothing when something is added behind: an event stays where it was made.
  auto& events = impl_->ctx.events;
  if (std::exchange(impl_->told, false)) events.pop_front();
  if (events.empty()) return nullptr;
  impl_->told = true;
  return &events.front();
}

std::vector<log_record> endpoint::take_log() { return std::exchange(impl_->ctx.log, {}); }
const endpoint_stats& endpoint::stats() const { return impl_->ctx.stats; }

std::vector<peer_status> endpoint::peers(instant now) const {
  peer_table found;
  impl_->conns.list(found);
  impl_->client.list(found, now);
  std::vector<peer_status> out;
  out.reserve(found.size());
  for (auto& [key, status] : found) {
    status.via = key.first;
    status.at = key.second;
    out.push_back(std::move(status));
  }
  return out;
}

}  // namespace stox::sip
