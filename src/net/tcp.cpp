#include "net/tcp.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <unordered_map>
#include <vector>

#include "net/errc.hpp"
#include "net/sockaddr.hpp"

namespace stox::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// One read is one turn, and a small one: each stanza may set off a request whose answer comes by UDP, and
// while one connection is read on and on, those answers overflow the socket's buffer.
constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::size_t write_parts = 64;
constexpr int accept_rounds = 32;
constexpr auto accept_pause = std::chrono::milliseconds(100);  // after EMFILE and its kin

struct piece {
  token tok{};
  std::string bytes;
};

// What a piece takes beside its bytes; it counts as long as the piece is there.
constexpr std::size_t piece_cost = sizeof(piece);

enum class state : std::uint8_t {
  resolving,   // the name's addresses are looked up
  connecting,  // one of them is tried
  open,
  flushing,   // close was asked: what is queued leaves
  lingering,  // closed for the core; our FIN is out and the peer's is awaited, lest a reset destroys what it
              // has not read yet
};

struct connection {
  connection(conn_id i, tcp::socket s) : id(i), socket(std::move(s)), limit(socket.get_executor()) {}

  conn_id id;
  tcp::socket socket;
  asio::steady_timer limit;
  state now = state::resolving;
  bool accepted = false;
  bool blocked = false;
  bool waiting_writable = false;
  bool dirty = false;  // named in `dirty_`
  socket_address local, peer;
  std::vector<socket_address> candidates;
  std::size_t next_candidate = 0;
  std::deque<piece> queue;
  std::size_t head = 0;    // bytes of the first piece that are written
  std::size_t queued = 0;  // bytes to write, and piece_cost for each piece
};

struct acceptor {
  explicit acceptor(asio::io_context& context) : socket(context), pause(context) {}
  tcp::acceptor socket;
  asio::steady_timer pause;
};

error bind_error(const socket_address& at, int number) {
  return {errc::cannot_bind, "tcp:" + at.to_string() + ": " + std::strerror(number)};
}

void no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

// Handlers carry the connection's id, never its address: whoever closes a connection need not wait for its
// handlers.
struct tcp_ports::impl {
  impl(reactor& loop, rim_numbers& n, event_sink& s, tcp_limits l)
      : context(loop.context()),
        numbers(n),
        sink(s),
        limits(l),
        resolver(context),
        spare(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}
  ~impl() {
    if (spare >= 0) ::close(spare);
  }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  connection* find(conn_id id) {
    const auto it = connections.find(id);
    return it == connections.end() ? nullptr : it->second.get();
  }
  connection& add(conn_id id, tcp::socket socket) {
    return *(connections[id] = std::make_unique<connection>(id, std::move(socket)));
  }
  void set_limit(connection& c, duration d);
  void on_limit(conn_id id);

  void resolve(conn_id id, const std::string& host, std::uint16_t port);
  void connect_next(connection& c, io::fail last);
  void on_connect(conn_id id, const boost::system::error_code& ec);

  void wait_acceptable(acceptor& a);
  void accept_some(acceptor& a);
  void accept_one(int fd);
  void shed_one(int listener);

  void wait_readable(connection& c);
  void on_readable(conn_id id);
  bool read_once(connection& c);
  void write_out(connection& c);
  int write_some(connection& c);
  void taken(connection& c, std::size_t n);
  void unqueue(connection& c, std::size_t n) {
    c.queued -= n;
    total_queued -= n;
  }
  void wait_writable(connection& c);
  void mark_dirty(connection& c);

  void fail_tokens(connection& c, io::fail why);
  void finish(connection& c, io::fail why);
  void begin_linger(connection& c);
  void forget(connection& c);
  void bound_lingering();
  void fail(token tok, io::fail why) {
    if (tok != token::none) sink.on_event(io::send_failed{tok, why});
  }

  asio::io_context& context;
  rim_numbers& numbers;
  event_sink& sink;
  tcp_limits limits;
  tcp_counters counts;
  tcp::resolver resolver;
  unsigned lookups = 0;
  std::vector<std::unique_ptr<acceptor>> acceptors;
  std::unordered_map<conn_id, std::unique_ptr<connection>> connections;
  std::vector<conn_id> dirty;
  std::size_t total_queued = 0;
  unsigned accepted_now = 0;  // those that linger do not count
  unsigned lingering_now = 0;
  std::deque<conn_id> lingering;  // in order, with some that are gone
  int spare;  // given up for a moment when descriptors run out, so that the waiting peer can be told so
  std::array<char, read_bytes> buffer;
};

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
  c->limit.cancel();
  c->now = state::open;
  c->candidates.clear();
  sink.on_event(io::opened{c->id, c->local, c->peer});
  wait_readable(*c);
  write_out(*c);
  sink.on_batch_end();
}

// ---- accepting ----

void tcp_ports::impl::wait_acceptable(acceptor& a) {
  a.socket.async_wait(tcp::acceptor::wait_read, [this, &a](const boost::system::error_code& ec) {
    if (ec) return;
    accept_some(a);
    sink.on_batch_end();
  });
}

void tcp_ports::impl::accept_some(acceptor& a) {
  for (int i = 0; i < accept_rounds; ++i) {
    const int fd = accept4(a.socket.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      accept_one(fd);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    // EMFILE, ENFILE, ENOBUFS, ENOMEM: the peer still waits, so the listener stays readable; without a pause
    // this would spin.
    ++counts.accept_failures;
    shed_one(a.socket.native_handle());
    a.pause.expires_after(accept_pause);
    a.pause.async_wait([this, &a](const boost::system::error_code& ec) {
      if (!ec) wait_acceptable(a);
    });
    return;
  }
  wait_acceptable(a);
}

void tcp_ports::impl::accept_one(int fd) {
  if (accepted_now >= limits.max_accepted) {
    ++counts.refused_full;
    ::close(fd);
    return;
  }
  no_delay(fd);
  const auto local = local_address(fd);
  const auto peer = peer_address(fd);
  tcp::socket socket(context);
  boost::system::error_code ec;
  socket.assign(local.ip.is_v4() ? tcp::v4() : tcp::v6(), fd, ec);
  if (ec) {
    ++counts.accept_failures;
    ::close(fd);
    return;
  }
  ++counts.accepted;
  ++accepted_now;
  auto& c = add(numbers.next(), std::move(socket));
  c.socket.native_non_blocking(true, ec);
  c.accepted = true;
  c.now = state::open;
  c.local = local;
  c.peer = peer;
  sink.on_event(io::accepted{c.id, conn_use::sip, transport::tcp, local, peer});
  wait_readable(c);
}

void tcp_ports::impl::shed_one(int listener) {
  if (spare < 0) return;
  ::close(spare);
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) ::close(fd);
  spare = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

// ---- reading ----

void tcp_ports::impl::wait_readable(connection& c) {
  c.socket.async_wait(tcp::socket::wait_read, [this, id = c.id](const boost::system::error_code& ec) {
    if (!ec) on_readable(id);
  });
}

void tcp_ports::impl::on_readable(conn_id id) {
  if (auto* c = find(id)) {
    bool alive = true;
    const auto n = recv(c->socket.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0) {
      if (c->now == state::open) {
        sink.on_event(io::received{id, c->peer, {buffer.data(), static_cast<std::size_t>(n)}});
      }
    } else if (n == 0) {
      finish(*c, io::fail::peer_closed);
      alive = false;
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
      finish(*c, io::fail::reset);
      alive = false;
    }
    if (alive) wait_readable(*c);
  }
  sink.on_batch_end();
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
  while (!c.queue.empty() && !c.waiting_writable) {
    const int why = write_some(c);
    if (why == EINTR || why == 0) continue;
    if (why == EAGAIN || why == EWOULDBLOCK) {
      wait_writable(c);
      break;
    }
    return finish(c, io::fail::reset);
  }
  if (c.queue.empty() && c.now == state::flushing) return begin_linger(c);
  if (!c.blocked && c.queued > limits.high) {
    c.blocked = true;
    sink.on_event(io::blocked{c.id});
  } else if (c.blocked && c.queued < limits.low) {
    c.blocked = false;
    sink.on_event(io::writable{c.id});
  }
}

// One write of many pieces; 0 or errno.
int tcp_ports::impl::write_some(connection& c) {
  std::array<iovec, write_parts> parts;
  std::size_t n = 0;
  for (; n < write_parts && n < c.queue.size(); ++n) {
    auto& bytes = c.queue[n].bytes;
    const std::size_t skip = n == 0 ? c.head : 0;
    parts[n] = {bytes.data() + skip, bytes.size() - skip};
  }
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = n;
  const auto written = sendmsg(c.socket.native_handle(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (written < 0) return errno;
  taken(c, static_cast<std::size_t>(written));
  return 0;
}

void tcp_ports::impl::taken(connection& c, std::size_t n) {
  unqueue(c, n);
  while (!c.queue.empty()) {
    const std::size_t rest = c.queue.front().bytes.size() - c.head;
    if (n < rest) {
      c.head += n;
      return;
    }
    n -= rest;
    c.head = 0;
    const auto tok = c.queue.front().tok;
    c.queue.pop_front();
    unqueue(c, piece_cost);
    if (tok != token::none) sink.on_event(io::sent{tok});
  }
}

void tcp_ports::impl::wait_writable(connection& c) {
  c.waiting_writable = true;
  c.socket.async_wait(tcp::socket::wait_write, [this, id = c.id](const boost::system::error_code& ec) {
    auto* found = find(id);
    if (ec || found == nullptr) return;
    found->waiting_writable = false;
    write_out(*found);
    sink.on_batch_end();
  });
}

// ---- ending ----

void tcp_ports::impl::fail_tokens(connection& c, io::fail why) {
  for (const auto& p : c.queue) fail(p.tok, why);
  unqueue(c, c.queued);
  c.head = 0;
  c.queue.clear();
}

void tcp_ports::impl::finish(connection& c, io::fail why) {
  const bool told = c.now == state::lingering;
  fail_tokens(c, why);
  if (!told) sink.on_event(io::closed{c.id, why});
  forget(c);
}

void tcp_ports::impl::begin_linger(connection& c) {
  shutdown(c.socket.native_handle(), SHUT_WR);
  c.now = state::lingering;
  if (c.accepted) --accepted_now;
  ++lingering_now;
  lingering.push_back(c.id);
  sink.on_event(io::closed{c.id, io::fail::closed_here});
  set_limit(c, limits.close);
  bound_lingering();
}

// Peers that never end their side must not hold the places of others.
void tcp_ports::impl::bound_lingering() {
  while (!lingering.empty()) {
    auto* oldest = find(lingering.front());
    if (oldest != nullptr && lingering_now <= limits.max_lingering) return;
    if (oldest != nullptr) forget(*oldest);
    lingering.pop_front();
  }
}

void tcp_ports::impl::forget(connection& c) {
  if (c.now == state::lingering) {
    --lingering_now;
  } else if (c.accepted) {
    --accepted_now;
  }
  connections.erase(c.id);
}

// ---- the public face ----

tcp_ports::tcp_ports(reactor& loop, rim_numbers& numbers, event_sink& sink, tcp_limits limits)
    : impl_(std::make_unique<impl>(loop, numbers, sink, limits)) {}
tcp_ports::~tcp_ports() = default;

result<socket_address> tcp_ports::listen(const socket_address& at, bool v6_only) {
  auto a = std::make_unique<acceptor>(impl_->context);
  const int family = family_of(at.ip);
  boost::system::error_code ec;
  a->socket.open(family == AF_INET ? tcp::v4() : tcp::v6(), ec);
  if (ec) return bind_error(at, ec.value());
  const int fd = a->socket.native_handle();
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) {
    const int only = v6_only ? 1 : 0;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  }
  const auto address = to_kernel(at, family);
  if (!address || ::bind(fd, address->get(), address->size) != 0 || ::listen(fd, SOMAXCONN) != 0) {
    return bind_error(at, errno);
  }
  a->socket.native_non_blocking(true, ec);
  if (ec) return bind_error(at, ec.value());
  impl_->acceptors.push_back(std::move(a));
  impl_->wait_acceptable(*impl_->acceptors.back());
  return local_address(fd);
}

void tcp_ports::open(const io::open& o) {
  if (impl_->find(o.conn) != nullptr) return;  // a defect of the core: ids are never used again
  auto& c = impl_->add(o.conn, tcp::socket(impl_->context));
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
  const std::size_t n = s.bytes.size() + piece_cost;
  if (c->queued + n > impl_->limits.hard || impl_->total_queued + n > impl_->limits.total) {
    impl_->fail(s.tok, io::fail::overflow);
    return impl_->finish(*c, io::fail::overflow);
  }
  c->queue.push_back({s.tok, std::move(s.bytes)});
  c->queued += n;
  impl_->total_queued += n;
  if (c->now != state::open) return;
  impl_->mark_dirty(*c);
  // A long drain need not fill the queue while the kernel would take the bytes.
  if (c->queued > impl_->limits.high && !c->waiting_writable) impl_->write_out(*c);
}

void tcp_ports::close(conn_id id) {
  auto* c = impl_->find(id);
  if (c == nullptr) return;
  switch (c->now) {
    case state::resolving:
    case state::connecting: return impl_->finish(*c, io::fail::closed_here);
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

void tcp_ports::set_max_accepted(unsigned n) { impl_->limits.max_accepted = n; }
tcp_counters tcp_ports::counters() const { return impl_->counts; }
std::size_t tcp_ports::queued() const { return impl_->total_queued; }
bool tcp_ports::resolving() const { return impl_->lookups > 0; }

}  // namespace stox::net
