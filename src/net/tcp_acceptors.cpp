#include "net/tcp_acceptors.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "net/errc.hpp"
#include "net/sockaddr.hpp"

namespace stox::net {
namespace {

using boost::asio::ip::tcp;

constexpr int accept_rounds = 32;
constexpr auto accept_pause = std::chrono::milliseconds(100);  // after EMFILE and its kin

error bind_error(transport via, const socket_address& at, int number) {
  return {errc::cannot_bind,
          std::string(to_string(via)) + ":" + at.to_string() + ": " + std::strerror(number)};
}

}  // namespace

tcp_acceptors::tcp_acceptors(boost::asio::io_context& context, connection_taker& to)
    : context_(context), to_(to), spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

tcp_acceptors::~tcp_acceptors() {
  if (spare_ >= 0) ::close(spare_);
}

result<socket_address> tcp_acceptors::listen(transport via, conn_use use, const socket_address& at,
                                             bool v6_only) {
  auto a = std::make_unique<acceptor>(context_, via, use);
  const int family = family_of(at.ip);
  boost::system::error_code ec;
  a->socket.open(family == AF_INET ? tcp::v4() : tcp::v6(), ec);
  if (ec) return bind_error(via, at, ec.value());
  const int fd = a->socket.native_handle();
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) {
    const int only = v6_only ? 1 : 0;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  }
  const auto address = to_kernel(at, family);
  if (!address || ::bind(fd, address->get(), address->size) != 0 || ::listen(fd, SOMAXCONN) != 0) {
    return bind_error(via, at, errno);
  }
  a->socket.native_non_blocking(true, ec);
  if (ec) return bind_error(via, at, ec.value());
  all_.push_back(std::move(a));
  wait(*all_.back());
  return local_address(fd);
}

void tcp_acceptors::wait(acceptor& a) {
  a.socket.async_wait(tcp::acceptor::wait_read, [this, &a](const boost::system::error_code& ec) {
    if (ec) return;
    accept_some(a);
    to_.taken_all();
  });
}

void tcp_acceptors::accept_some(acceptor& a) {
  for (int i = 0; i < accept_rounds; ++i) {
    const int fd = accept4(a.socket.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      to_.take(fd, a.via, a.use);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    // EMFILE, ENFILE, ENOBUFS, ENOMEM: the peer still waits, so the listener stays readable; without a pause
    // this would spin.
    ++failures_;
    shed_one(a.socket.native_handle());
    a.pause.expires_after(accept_pause);
    a.pause.async_wait([this, &a](const boost::system::error_code& ec) {
      if (!ec) wait(a);
    });
    return;
  }
  wait(a);
}

void tcp_acceptors::shed_one(int listener) {
  if (spare_ < 0) return;
  ::close(spare_);
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) ::close(fd);
  spare_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace stox::net
