#include "net/sockaddr.hpp"

#include <netinet/in.h>

#include <cerrno>
#include <cstring>

namespace stox::net {

int family_of(const ip_address& ip) { return ip.is_v4() ? AF_INET : AF_INET6; }

std::optional<kernel_address> to_kernel(const socket_address& a, int family) {
  kernel_address out{};
  if (family == AF_INET) {
    if (!a.ip.is_v4()) return std::nullopt;
    auto& in = reinterpret_cast<sockaddr_in&>(out.storage);
    in.sin_family = AF_INET;
    in.sin_port = htons(a.port);
    std::memcpy(&in.sin_addr, a.ip.bytes.data() + 12, 4);
    out.size = sizeof in;
  } else {
    auto& in6 = reinterpret_cast<sockaddr_in6&>(out.storage);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(a.port);
    std::memcpy(&in6.sin6_addr, a.ip.bytes.data(), 16);
    out.size = sizeof in6;
  }
  return out;
}

socket_address from_kernel(const sockaddr_storage& s) {
  socket_address out;
  if (s.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(s);
    out.ip.bytes[10] = out.ip.bytes[11] = 0xFF;
    std::memcpy(out.ip.bytes.data() + 12, &in.sin_addr, 4);
    out.port = ntohs(in.sin_port);
  } else if (s.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(s);
    std::memcpy(out.ip.bytes.data(), &in6.sin6_addr, 16);
    out.port = ntohs(in6.sin6_port);
  }
  return out;
}

socket_address local_address(int fd) {
  sockaddr_storage s{};
  socklen_t size = sizeof s;
  getsockname(fd, reinterpret_cast<sockaddr*>(&s), &size);
  return from_kernel(s);
}

socket_address peer_address(int fd) {
  sockaddr_storage s{};
  socklen_t size = sizeof s;
  getpeername(fd, reinterpret_cast<sockaddr*>(&s), &size);
  return from_kernel(s);
}

io::fail fail_of(int error) {
  switch (error) {
    case ECONNREFUSED: return io::fail::refused;
    case ETIMEDOUT: return io::fail::timed_out;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED: return io::fail::reset;
    default: return io::fail::unreachable;
  }
}

}  // namespace stox::net
