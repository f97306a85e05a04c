#include "net/tcp.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <utility>

#include "net/sockaddr.hpp"
#include "net/tcp_impl.hpp"

namespace stox::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using connection = tcp_connection;
using state = tcp_connection::state;

void no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// Some of these have ended meanwhile, or went on.
template <class Alive>
void drop_dead(std::deque<conn_id>& ids, Alive alive) {
  while (!ids.empty() && !alive(ids.front())) ids.pop_front();
}

}  // namespace

// ---- opening ----

void tcp_ports::impl::set_limit(connection& c, duration d) {
  c.limit.expires_after(d);
  c.limit.async_wait([this, id = c.id](const boost::system::error_code& ec) {
    if (!ec) on_limit(id);
  });
}

void tcp_ports::impl::on_limit(conn_id id) {
  auto* c = find(id);
  if (c == nullptr) return;
  switch (c->now) {
    case state::resolving:
    case state::connecting: finish(*c, io::fail::timed_out); break;
    case state::clearing:
    case state::securing: fail_securing(*c, tls_failure::timed_out, "no TLS handshake in time"); break;
    case state::flushing: finish(*c, io::fail::closed_here); break;
    case state::lingering: forget(*c); break;
    case state::open: break;
  }
  sink.on_batch_end();
}

void tcp_ports::impl::resolve(conn_id id, const std::string& host, std::uint16_t port) {
  ++lookups;
  resolver.async_resolve(
      host, "",
      [this, id, port](const boost::system::error_code& ec, const tcp::resolver::results_type& found) {
        --lookups;
        auto* c = find(id);
        if (c == nullptr || c->now != state::resolving) return;
        if (!ec) {
          for (const auto& entry : found) {
            sockaddr_storage s{};
            std::memcpy(&s, entry.endpoint().data(), entry.endpoint().size());
            c->candidates.push_back({from_kernel(s).ip, port});
          }
        }
        connect_next(*c, io::fail::not_found);
        sink.on_batch_end();
      });
}

// Tries the addresses one after the other; `last` is told when none is left.
void tcp_ports::impl::connect_next(connection& c, io::fail last) {
  c.now = state::connecting;
  while (c.next_candidate < c.candidates.size()) {
    const auto& to = c.candidates[c.next_candidate++];
    boost::system::error_code ec;
    c.socket.close(ec);
    c.socket.open(to.ip.is_v4() ? tcp::v4() : tcp::v6(), ec);
    const auto address = to_kernel(to, family_of(to.ip));
    if (ec || !address) {
      last = io::fail::unreachable;
      continue;
    }
    no_delay(c.socket.native_handle());
    tcp::endpoint endpoint;
    std::memcpy(endpoint.data(), address->get(), address->size);
    endpoint.resize(address->size);
    c.socket.async_connect(
        endpoint, [this, id = c.id](const boost::system::error_code& result) { on_connect(id, result); });
    return;
  }
  finish(c, last);
}

void tcp_ports::impl::on_connect(conn_id id, const boost::system::error_code& ec) {
  auto* c = find(id);
  if (c == nullptr || c->now != state::connecting) return;
  if (ec) {
    connect_next(*c, fail_of(ec.value()));
    return sink.on_batch_end();
  }
  const int fd = c->socket.native_handle();
  c->local = local_address(fd);
  c->peer = peer_address(fd);
  if (c->local == c->peer) {
    // A connect to a free port of the ephemeral range on this host can meet itself (simultaneous open).
    connect_next(*c, io::fail::refused);
    return sink.on_batch_end();
  }
  boost::system::error_code ignored;
  c->socket.native_non_blocking(true, ignored);
  c->candidates.clear();
  if (c->via == transport::tls) {
    begin_securing(*c);
  } else {
    announce(*c);
  }
  sink.on_batch_end();
}

void tcp_ports::impl::take(int descriptor, transport via, conn_use use) {
  if (!has_place(use)) {
    ::close(descriptor);
    return;
  }
  no_delay(descriptor);
  const auto local = local_address(descriptor);
  const auto peer = peer_address(descriptor);
  tcp::socket socket(context);
  boost::system::error_code ec;
  socket.assign(local.ip.is_v4() ? tcp::v4() : tcp::v6(), descriptor, ec);
  if (ec) {
    ++counts.accept_failures;
    ::close(descriptor);
    return;
  }
  auto& c = add(numbers.next(use), use, via, std::move(socket));
  c.socket.native_non_blocking(true, ec);
  c.accepted = true;
  c.local = local;
  c.peer = peer;
  if (via == transport::tls) {
    set_limit(c, limits.handshake);
    begin_securing(c);
  } else {
    announce(c);
  }
}

// ---- ending ----

void tcp_ports::impl::finish(connection& c, io::fail why, std::string detail) {
  c.queue.drop([this, why](token tok) { fail(tok, why); });
  if (c.tls && c.now != state::securing) c.tls->end();
  const bool tell = c.announced && c.now != state::lingering;
  if (tell) sink.on_event(io::closed{c.id, why, std::move(detail)});
  forget(c);
}

void tcp_ports::impl::begin_linger(connection& c) {
  c.end_writing();
  c.now = state::lingering;
  if (c.accepted) --accepted_now[c.use];
  ++lingering_now;
  lingering.push_back(c.id);
  sink.on_event(io::closed{c.id, io::fail::closed_here});
  set_limit(c, limits.close);
  bound_lingering();
}

// May end the newcomer.
void tcp_ports::impl::bound_securing(const connection& newcomer) {
  const auto leaves = securing.enter(newcomer.id, newcomer.peer.ip, trusted.contains(newcomer.peer.ip),
                                     limits.max_handshakes, limits.max_handshakes_of_network);
  if (!leaves) return;
  if (leaves->for_network)
    return fail_securing(*find(leaves->who), tls_failure::network_crowded,
                         "too many TLS handshakes of its network");
  fail_securing(*find(leaves->who), tls_failure::crowded, "too many TLS handshakes");
}

// Peers that never end their side must not hold the places of others.
void tcp_ports::impl::bound_lingering() {
  drop_dead(lingering, [this](conn_id id) { return find(id) != nullptr; });
  while (lingering_now > limits.max_lingering) {
    forget(*find(lingering.front()));
    drop_dead(lingering, [this](conn_id id) { return find(id) != nullptr; });
  }
}

void tcp_ports::impl::forget(connection& c) {
  if (c.now == state::lingering) {
    --lingering_now;
  } else if (c.accepted) {
    securing.leave(c.id);
    if (c.announced) --accepted_now[c.use];
  }
  connections.erase(c.id);
}

// ---- the public face ----

tcp_ports::tcp_ports(reactor& loop, rim_numbers& numbers, event_sink& sink, tcp_limits limits)
    : impl_(std::make_unique<impl>(loop, numbers, sink, limits)) {}
tcp_ports::~tcp_ports() = default;

void tcp_ports::set_tls(std::shared_ptr<const tls_context> context) { impl_->tls = std::move(context); }

void tcp_ports::watch_handshakes(handshake_watcher watcher) { impl_->watcher = std::move(watcher); }

result<socket_address> tcp_ports::listen(const socket_address& at, bool v6_only, transport via,
                                         conn_use use) {
  return impl_->acceptors.listen(via, use, at, v6_only);
}

void tcp_ports::open(const io::open& o) {
  if (impl_->find(o.conn) != nullptr) return;  // a defect of the core: ids are never used again
  auto& c = impl_->add(o.conn, o.use, o.via, tcp::socket(impl_->context));
  c.announced = true;
  c.server_name = o.server_name;
  c.own_name = o.own_name;
  c.alpn = o.alpn;
  impl_->set_limit(c, impl_->limits.connect);
  const auto literal = o.host.empty() ? std::optional(o.to.ip) : ip_address::parse(o.host);
  if (!literal) return impl_->resolve(c.id, o.host, o.to.port);
  c.candidates.push_back({*literal, o.to.port});
  impl_->connect_next(c, io::fail::unreachable);
}

void tcp_ports::send(io::send s) {
  auto* c = impl_->find(s.conn);
  if (c == nullptr) return impl_->fail(s.tok, io::fail::reset);
  if (c->now == state::flushing || c->now == state::lingering)
    return impl_->fail(s.tok, io::fail::closed_here);
  const std::size_t n = s.bytes.size() + write_queue::piece_cost;
  if (c->queue.size() + n > impl_->limits.hard || impl_->total_queued[c->use] + n > impl_->limits.total) {
    impl_->fail(s.tok, io::fail::overflow);
    return impl_->finish(*c, io::fail::overflow);
  }
  c->queue.push(s.tok, std::move(s.bytes));
  if (c->now != state::open) return;
  impl_->mark_dirty(*c);
  // A long drain need not fill the queue while the kernel would take the bytes.
  if (c->queue.size() > impl_->limits.high && !c->waiting_writable) impl_->write_out(*c);
}

void tcp_ports::start_tls(const io::start_tls& s) {
  auto* c = impl_->find(s.conn);
  if (c == nullptr || c->now != state::open || c->tls) return;
  c->server_name = s.server_name;
  c->own_name = s.own_name;
  c->now = state::clearing;
  c->queue.hold();
  impl_->set_limit(*c, c->accepted ? impl_->limits.handshake : impl_->limits.connect);
  impl_->write_out(*c);
}

void tcp_ports::close(conn_id id) {
  auto* c = impl_->find(id);
  if (c == nullptr) return;
  switch (c->now) {
    case state::resolving:
    case state::connecting:
    case state::securing: return impl_->finish(*c, io::fail::closed_here);
    case state::clearing:
      // What was to leave over TLS must not leave without it.
      c->queue.drop_held([this](token tok) { impl_->fail(tok, io::fail::closed_here); });
      impl_->wait_readable(*c);
      [[fallthrough]];
    case state::open:
      c->now = state::flushing;
      impl_->set_limit(*c, impl_->limits.close);
      return impl_->write_out(*c);
    case state::flushing:
    case state::lingering: return;
  }
}

void tcp_ports::flush() {
  std::vector<conn_id> ids;
  ids.swap(impl_->dirty);
  for (const auto id : ids) {
    auto* c = impl_->find(id);
    if (c == nullptr) continue;
    c->dirty = false;
    if (c->now == state::open) impl_->write_out(*c);
  }
}

void tcp_ports::set_max_accepted(conn_use use, unsigned n) { impl_->limits.max_accepted[use] = n; }
void tcp_ports::set_max_handshakes(unsigned n, unsigned of_network) {
  impl_->limits.max_handshakes = n;
  impl_->limits.max_handshakes_of_network = of_network;
}
void tcp_ports::set_trusted(prefix_set peers) { impl_->trusted = std::move(peers); }
tcp_counters tcp_ports::counters() const {
  auto out = impl_->counts;
  out.accept_failures += impl_->acceptors.failures();
  out.tls_securing = impl_->securing.size();
  return out;
}
std::size_t tcp_ports::queued() const { return impl_->total_queued.sip + impl_->total_queued.s2s; }
bool tcp_ports::resolving() const { return impl_->lookups > 0; }

}  // namespace stox::net
