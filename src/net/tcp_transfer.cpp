#include <boost/asio/post.hpp>
#include <utility>

#include "net/tcp_impl.hpp"

namespace stox::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using connection = tcp_connection;
using state = tcp_connection::state;
using outcome = tls_stream::outcome;

}  // namespace

// ---- securing ----

void tcp_ports::impl::begin_securing(connection& c) {
  c.now = state::securing;
  if (c.accepted) {
    const auto id = c.id;
    bound_securing(c);
    if (find(id) == nullptr) return;
  }
  auto ssl = new_session(c);
  if (!ssl) return fail_securing(c, tls_failure::other, "TLS is not set up");
  c.tls = std::make_unique<tls_stream>(tls, std::move(ssl), c.socket.native_handle());
  secure(c);
}

ssl_ptr tcp_ports::impl::new_session(const connection& c) const {
  if (!tls) return nullptr;
  if (!c.accepted) return tls->client(c.server_name, c.own_name, c.alpn);
  // XEP-0368 §3: ALPN belongs to TLS from the first byte. With STARTTLS there is nothing left to agree on.
  const bool agrees = c.use == conn_use::s2s && c.via == transport::tls;
  return tls->server(c.own_name, agrees ? xmpp_server_protocol : nullptr);
}

// One step of the handshake.
void tcp_ports::impl::secure(connection& c) {
  switch (c.tls->handshake().what) {
    case outcome::want_read: return wait_readable(c);
    case outcome::want_write: return wait_writable(c);
    case outcome::ended:
    case outcome::failed: return fail_securing(c, c.tls->failure(), c.tls->words());
    case outcome::done: break;
  }
  ++counts.tls_handshakes;
  if (c.accepted) securing.leave(c.id);
  if (c.accepted && !c.announced && !has_place(c.use)) return forget(c);
  announce(c);
}

void tcp_ports::impl::fail_securing(connection& c, tls_failure why, const std::string& words) {
  ++counts.tls_failures[static_cast<std::size_t>(why)];
  if (c.accepted && watcher) watcher(c.peer, words);
  finish(c, why == tls_failure::timed_out ? io::fail::timed_out : io::fail::tls, words);
}

// The connection can be used, and the core hears of it.
void tcp_ports::impl::announce(connection& c) {
  c.limit.cancel();
  c.now = state::open;
  c.queue.release();
  std::optional<peer_identity> who;
  if (c.tls) who = c.tls->identity(c.use);
  if (c.tls && c.via == transport::tcp) {
    sink.on_event(io::secured{c.id, *std::move(who)});
  } else if (c.accepted) {
    c.announced = true;
    ++counts.accepted;
    ++accepted_now[c.use];
    sink.on_event(io::accepted{c.id, c.use, c.via, c.local, c.peer, std::move(who)});
  } else {
    sink.on_event(io::opened{c.id, c.local, c.peer, std::move(who)});
  }
  // The peer's first words may have come with the end of the handshake.
  if (c.tls && c.tls->has_pending()) {
    asio::post(context, [this, id = c.id] { on_readable(id); });
  } else {
    wait_readable(c);
  }
  write_out(c);
}

// ---- reading ----

void tcp_ports::impl::wait_readable(connection& c) {
  if (c.waiting_readable) return;
  c.waiting_readable = true;
  c.socket.async_wait(tcp::socket::wait_read, [this, id = c.id](const boost::system::error_code& ec) {
    if (ec) return;
    if (auto* found = find(id)) found->waiting_readable = false;
    on_readable(id);
  });
}

void tcp_ports::impl::on_readable(conn_id id) {
  if (auto* c = find(id)) {
    if (c->now == state::securing) {
      secure(*c);
    } else if (c->now == state::clearing) {
      // The peer's first bytes are TLS already and stay in the kernel; its end without any is seen here.
      if (const auto how = c->gone()) finish(*c, *how);
    } else {
      read_some(*c);
    }
  }
  sink.on_batch_end();
}

// May end the connection: `c` is not to be used afterwards.
void tcp_ports::impl::read_some(connection& c) {
  bool drained = false;
  // TLS gives out one record at a time, which may hold only one message.
  for (std::size_t got = 0; got < read_bytes && !drained;) {
    const auto step = c.read(buffer);
    got += step.bytes;
    switch (step.what) {
      case outcome::done:
        if (c.now == state::open) sink.on_event(io::received{c.id, c.peer, {buffer.data(), step.bytes}});
        drained = c.tls ? !c.tls->has_pending() : step.bytes < buffer.size();
        break;
      case outcome::want_read: drained = true; break;
      case outcome::want_write: c.reads_when_writable = true; return wait_writable(c);
      case outcome::ended: return finish(c, io::fail::peer_closed);
      case outcome::failed:
        if (c.tls && c.tls->failure() != tls_failure::peer_gone) {
          return finish(c, io::fail::tls, c.tls->words());
        }
        return finish(c, io::fail::reset);
    }
  }
  if (!drained && c.tls) {
    // What TLS holds already makes no socket readable.
    asio::post(context, [this, id = c.id] { on_readable(id); });
  } else {
    wait_readable(c);
  }
  if (c.writes_when_readable) {
    c.writes_when_readable = false;
    write_out(c);
  }
}

// ---- writing ----

void tcp_ports::impl::mark_dirty(connection& c) {
  if (c.dirty) return;
  c.dirty = true;
  dirty.push_back(c.id);
}

// Writes until the queue is empty or the kernel takes no more. May end the connection: `c` is not to be used
// afterwards.
void tcp_ports::impl::write_out(connection& c) {
  while (c.queue.ready() && !c.waiting_writable && !c.writes_when_readable) {
    const auto step = c.write(record);
    switch (step.what) {
      case outcome::done:
        c.queue.taken(step.bytes, [this](token tok) { sink.on_event(io::sent{tok}); });
        break;
      case outcome::want_write: wait_writable(c); break;
      case outcome::want_read: c.writes_when_readable = true; break;
      case outcome::ended:
      case outcome::failed: return finish(c, io::fail::reset);
    }
  }
  if (c.queue.empty() && c.now == state::flushing) return begin_linger(c);
  if (!c.blocked && c.queue.size() > limits.high) {
    c.blocked = true;
    sink.on_event(io::blocked{c.id});
  } else if (c.blocked && c.queue.size() < limits.low) {
    c.blocked = false;
    sink.on_event(io::writable{c.id});
  }
  if (c.now == state::clearing && !c.queue.ready()) begin_securing(c);
}

void tcp_ports::impl::wait_writable(connection& c) {
  if (c.waiting_writable) return;
  c.waiting_writable = true;
  c.socket.async_wait(tcp::socket::wait_write, [this, id = c.id](const boost::system::error_code& ec) {
    if (!ec) on_writable(id);
  });
}

void tcp_ports::impl::on_writable(conn_id id) {
  auto* c = find(id);
  if (c == nullptr) return;
  c->waiting_writable = false;
  if (c->now == state::securing) {
    secure(*c);
  } else {
    const bool reads = std::exchange(c->reads_when_writable, false);
    write_out(*c);
    c = find(id);
    if (reads && c != nullptr) read_some(*c);
  }
  sink.on_batch_end();
}

}  // namespace stox::net
