#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "net/sockaddr.hpp"
#include "unit/net/recorder.hpp"

namespace stox::net {

/// The far end as plain system calls.
class raw_socket {
 public:
  raw_socket() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit raw_socket(int fd) : fd_(fd) {}
  raw_socket(raw_socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  raw_socket& operator=(raw_socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~raw_socket() { close_now(); }

  socket_address bind_and_listen(int backlog = 16) {
    const auto at = to_kernel(loopback(), AF_INET);
    EXPECT_EQ(::bind(fd_, at->get(), at->size), 0);
    if (backlog >= 0) {
      EXPECT_EQ(::listen(fd_, backlog), 0);
    }
    return local_address(fd_);
  }
  raw_socket accept_one() const { return raw_socket(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)); }
  void connect_to(const socket_address& to) const {
    const auto at = to_kernel(to, AF_INET);
    ASSERT_EQ(::connect(fd_, at->get(), at->size), 0);
  }
  void write(std::string_view text) const {
    ASSERT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// What is there now, without waiting; sets `ended` at the end of the stream.
  std::string read_available(bool& ended) const {
    std::string out;
    char buffer[65536];
    for (;;) {
      const auto n = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (n > 0) {
        out.append(buffer, static_cast<std::size_t>(n));
        continue;
      }
      if (n == 0 || errno == ECONNRESET) ended = true;
      return out;
    }
  }
  /// Waits in recv for the end of the stream; what came before it is returned.
  std::string read_to_end() const {
    std::string out;
    char buffer[4096];
    for (;;) {
      const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n <= 0) return out;
      out.append(buffer, static_cast<std::size_t>(n));
    }
  }
  void small_receive_buffer() const {
    const int size = 4096;
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  /// Waits for a reset, which a peer sends to whom it has forgotten.
  bool was_reset(std::chrono::milliseconds limit) const {
    pollfd p{fd_, 0, 0};
    return ::poll(&p, 1, static_cast<int>(limit.count())) == 1 && (p.revents & POLLERR) != 0;
  }
  void reset() {
    const linger hard{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close_now();
  }
  void close_now() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  int descriptor() const { return fd_; }

 private:
  int fd_;
};

}  // namespace stox::net
