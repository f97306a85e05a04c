#include "net/udp.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <vector>

#include "net/errc.hpp"
#include "net/sockaddr.hpp"

namespace stox::net {
namespace {

using boost::asio::ip::udp;

constexpr std::size_t receive_batch = 32;
constexpr std::size_t send_batch = 64;
constexpr int receive_rounds = 4;           // then the other sockets have their turn
constexpr std::size_t slot_bytes = 65'536;  // the largest datagram fits, so none is ever cut

struct datagram {
  socket_address to;
  token tok{};
  std::string bytes;
};

std::size_t cost(const datagram& d) { return sizeof(datagram) + d.bytes.size(); }

struct port {
  port(conn_id i, boost::asio::io_context& context) : id(i), socket(context) {}

  conn_id id;
  udp::socket socket;
  int family = AF_INET;
  std::deque<datagram> queue;
  std::size_t queued = 0;  // their cost
  bool waiting_writable = false;
};

// Received bytes are borrowed only until the sink returns, so one set of buffers serves all sockets.
// Untouched pages cost nothing.
struct receive_slots {
  receive_slots() : bytes(new char[receive_batch * slot_bytes]) {
    for (std::size_t i = 0; i < receive_batch; ++i) {
      parts[i] = {bytes.get() + i * slot_bytes, slot_bytes};
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      headers[i].msg_hdr.msg_name = &sources[i];
    }
  }
  std::unique_ptr<char[]> bytes;
  std::array<iovec, receive_batch> parts{};
  std::array<sockaddr_storage, receive_batch> sources{};
  std::array<mmsghdr, receive_batch> headers{};
};

error bind_error(const socket_address& at, int number) {
  return {errc::cannot_bind, "udp:" + at.to_string() + ": " + std::strerror(number)};
}

}  // namespace

struct udp_ports::impl {
  impl(reactor& loop, event_sink& s, udp_limits l) : context(loop.context()), sink(s), limits(l) {}

  port* find(conn_id id) {
    for (auto& p : ports) {
      if (p->id == id) return p.get();
    }
    return nullptr;
  }
  void fail(token tok, io::fail why) {
    ++(why == io::fail::overflow ? counts.dropped : counts.failed);
    if (tok != token::none) sink.on_event(io::send_failed{tok, why});
  }
  void wait_readable(port& p);
  void receive(port& p);
  int receive_once(port& p);
  void flush(port& p);
  bool send_some(port& p);
  void wait_writable(port& p);

  boost::asio::io_context& context;
  event_sink& sink;
  udp_limits limits;
  std::vector<std::unique_ptr<port>> ports;  // few: found by looking
  receive_slots slots;
  udp_counters counts;
};

void udp_ports::impl::wait_readable(port& p) {
  p.socket.async_wait(udp::socket::wait_read, [this, &p](const boost::system::error_code& ec) {
    if (ec) return;
    receive(p);
  });
}

void udp_ports::impl::receive(port& p) {
  for (int round = 0; round < receive_rounds; ++round) {
    const int n = receive_once(p);
    if (n > 0) sink.on_batch_end();
    if (!p.socket.is_open()) return;
    if (n < static_cast<int>(receive_batch)) break;
  }
  wait_readable(p);
}

int udp_ports::impl::receive_once(port& p) {
  for (auto& h : slots.headers) h.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
  const int n =
      recvmmsg(p.socket.native_handle(), slots.headers.data(), receive_batch, MSG_DONTWAIT, nullptr);
  for (int i = 0; i < n; ++i) {
    const auto& header = slots.headers[static_cast<std::size_t>(i)];
    const auto& source = slots.sources[static_cast<std::size_t>(i)];
    const char* bytes = slots.bytes.get() + static_cast<std::size_t>(i) * slot_bytes;
    sink.on_event(io::received{p.id, from_kernel(source), {bytes, header.msg_len}});
  }
  return n;
}

void udp_ports::impl::flush(port& p) {
  while (!p.queue.empty() && !p.waiting_writable) {
    if (!send_some(p)) break;
  }
}

// Hands one batch to the kernel; false when it takes no more for now.
bool udp_ports::impl::send_some(port& p) {
  std::array<mmsghdr, send_batch> headers{};
  std::array<iovec, send_batch> parts{};
  std::array<kernel_address, send_batch> targets;
  std::size_t n = 0;
  for (; n < send_batch && n < p.queue.size(); ++n) {
    auto& d = p.queue[n];
    const auto target = to_kernel(d.to, p.family);
    if (!target) break;  // fails below, once it is the first
    targets[n] = *target;
    parts[n] = {d.bytes.data(), d.bytes.size()};
    headers[n].msg_hdr.msg_name = &targets[n].storage;
    headers[n].msg_hdr.msg_namelen = targets[n].size;
    headers[n].msg_hdr.msg_iov = &parts[n];
    headers[n].msg_hdr.msg_iovlen = 1;
  }
  const int taken = n == 0 ? -1
                           : sendmmsg(p.socket.native_handle(), headers.data(), static_cast<unsigned>(n),
                                      MSG_DONTWAIT | MSG_NOSIGNAL);
  if (taken < 0) {
    const int why = n == 0 ? EAFNOSUPPORT : errno;
    if (why == EINTR) return true;
    if (why == EAGAIN || why == EWOULDBLOCK) {
      wait_writable(p);
      return false;
    }
    // Only the first datagram is to blame (sendmmsg tells an error only when it sent nothing).
    fail(p.queue.front().tok, why == ENOBUFS ? io::fail::overflow : io::fail::unreachable);
    p.queued -= cost(p.queue.front());
    p.queue.pop_front();
    return true;
  }
  for (int i = 0; i < taken; ++i) {
    const auto& d = p.queue.front();
    if (d.tok != token::none) sink.on_event(io::sent{d.tok});
    p.queued -= cost(d);
    p.queue.pop_front();
  }
  return true;
}

void udp_ports::impl::wait_writable(port& p) {
  p.waiting_writable = true;
  p.socket.async_wait(udp::socket::wait_write, [this, &p](const boost::system::error_code& ec) {
    if (ec) return;
    p.waiting_writable = false;
    flush(p);
    sink.on_batch_end();
  });
}

udp_ports::udp_ports(reactor& loop, event_sink& sink, udp_limits limits)
    : impl_(std::make_unique<impl>(loop, sink, limits)) {}
udp_ports::~udp_ports() = default;

result<socket_address> udp_ports::listen(conn_id id, const socket_address& at, bool v6_only) {
  auto p = std::make_unique<port>(id, impl_->context);
  p->family = family_of(at.ip);
  boost::system::error_code ec;
  p->socket.open(p->family == AF_INET ? udp::v4() : udp::v6(), ec);
  if (ec) return bind_error(at, ec.value());
  const int fd = p->socket.native_handle();
  if (p->family == AF_INET6) {
    const int only = v6_only ? 1 : 0;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  }
  // The first needs CAP_NET_ADMIN; the second is cut at net.core.rmem_max.
  const int wanted = impl_->limits.receive_buffer;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
  }
  p->socket.native_non_blocking(true, ec);
  const auto address = to_kernel(at, p->family);
  if (!address || ::bind(fd, address->get(), address->size) != 0) return bind_error(at, errno);
  impl_->ports.push_back(std::move(p));
  impl_->wait_readable(*impl_->ports.back());
  return local_address(fd);
}

bool udp_ports::has(conn_id id) const { return impl_->find(id) != nullptr; }

void udp_ports::send(io::send s) {
  auto* p = impl_->find(s.conn);
  if (p == nullptr || !p->socket.is_open()) return impl_->fail(s.tok, io::fail::unreachable);
  datagram d{s.to, s.tok, std::move(s.bytes)};
  if (p->queued + cost(d) > impl_->limits.queue_bytes) return impl_->fail(d.tok, io::fail::overflow);
  p->queued += cost(d);
  p->queue.push_back(std::move(d));
  if (p->queue.size() >= send_batch) impl_->flush(*p);
}

void udp_ports::flush() {
  for (auto& p : impl_->ports) impl_->flush(*p);
}

void udp_ports::close_all() {
  for (auto& p : impl_->ports) {
    boost::system::error_code ignored;
    p->socket.close(ignored);
    p->waiting_writable = false;
    for (const auto& d : p->queue) impl_->fail(d.tok, io::fail::closed_here);
    p->queue.clear();
    p->queued = 0;
  }
}

udp_counters udp_ports::counters() const { return impl_->counts; }

std::size_t udp_ports::queued() const {
  std::size_t n = 0;
  for (const auto& p : impl_->ports) n += p->queued;
  return n;
}

}  // namespace stox::net
