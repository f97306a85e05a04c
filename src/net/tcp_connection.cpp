#include "net/tcp_connection.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace stox::net {
namespace {

using outcome = tls_stream::outcome;

constexpr std::size_t write_parts = 64;

}  // namespace

tls_stream::step tcp_connection::read(std::span<char> into) {
  if (tls) return tls->read(into);
  for (;;) {
    const auto n = recv(socket.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    if (n > 0) return {outcome::done, static_cast<std::size_t>(n)};
    if (n == 0) return {outcome::ended};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {outcome::want_read};
    if (errno != EINTR) return {outcome::failed};
  }
}

tls_stream::step tcp_connection::write(std::span<char> room) {
  if (tls) return tls->write(queue.front(room));
  std::array<iovec, write_parts> parts;
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = queue.parts(parts);
  for (;;) {
    const auto n = sendmsg(socket.native_handle(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) return {outcome::done, static_cast<std::size_t>(n)};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {outcome::want_write};
    if (errno != EINTR) return {outcome::failed};
  }
}

std::optional<io::fail> tcp_connection::gone() {
  char one = 0;
  const auto n = recv(socket.native_handle(), &one, 1, MSG_DONTWAIT | MSG_PEEK);
  if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))) return std::nullopt;
  return n == 0 ? io::fail::peer_closed : io::fail::reset;
}

void tcp_connection::end_writing() {
  if (tls) tls->end();
  tls.reset();  // what still comes is thrown away as it is
  shutdown(socket.native_handle(), SHUT_WR);
}

}  // namespace stox::net
