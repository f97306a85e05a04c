#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "authority.hpp"

namespace bench {

/// One TCP connection that never blocks, plain or under TLS. Its end is the end of the run.
class wire {
 public:
  /// Takes the socket over.
  explicit wire(int fd);
  /// As the client of direct TLS between servers (XEP-0368); null: nobody listens there.
  static std::unique_ptr<wire> dial(std::uint16_t port, const identity& own, const char* server_name);
  ~wire();
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;

  int fd() const { return fd_; }
  /// 0: not now.
  std::size_t read(std::span<char> to);
  std::size_t write(std::string_view bytes);

 private:
  std::size_t moved(std::int64_t result);

  int fd_;
  SSL* tls_ = nullptr;
};

}  // namespace bench
