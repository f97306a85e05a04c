#pragma once

#include <sys/socket.h>

#include <optional>

#include "base/io.hpp"
#include "base/net_address.hpp"

/// Between our addresses and the kernel's, and from errno to io::fail.
namespace stox::net {

struct kernel_address {
  sockaddr_storage storage;
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// AF_INET for an IPv4 address, else AF_INET6.
int family_of(const ip_address& ip);
/// For a socket of `family`; nullopt when it cannot speak to that address.
std::optional<kernel_address> to_kernel(const socket_address& a, int family);
socket_address from_kernel(const sockaddr_storage& s);
socket_address local_address(int fd);
socket_address peer_address(int fd);

/// For connects and streams.
io::fail fail_of(int error);

}  // namespace stox::net
