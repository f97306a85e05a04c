#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/prefix_set.hpp"
#include "net/reactor.hpp"
#include "net/tls_context.hpp"
#include "net/tls_stream.hpp"

namespace stox::net {

/// One value for each use of connections.
template <class T>
struct by_use {
  T sip{}, s2s{};
  T& operator[](conn_use use) { return use == conn_use::s2s ? s2s : sip; }
  const T& operator[](conn_use use) const { return use == conn_use::s2s ? s2s : sip; }
};

struct tcp_limits {
  std::size_t high = 1u << 20;     ///< queued bytes of a connection above which it is `blocked`
  std::size_t low = 256u << 10;    ///< and below which it is `writable` again
  std::size_t hard = 8u << 20;     ///< above: send_failed{overflow} and the connection is closed
  std::size_t total = 256u << 20;  ///< the same over all connections of one use together
  /// Name lookup, every address and TLS together; start_tls has as much for itself.
  duration connect = std::chrono::seconds(10);
  /// Of TLS, for a connection that was accepted; start_tls: with what leaves before it.
  duration handshake = std::chrono::seconds(10);
  duration close = std::chrono::seconds(2);     ///< for what is queued to leave, then for the peer to end too
  by_use<unsigned> max_accepted{1024, 10'000};  ///< above: accepted and closed at once
  unsigned max_handshakes = 512;  ///< of accepted connections at one time: above, one of a stranger ends
  unsigned max_handshakes_of_network = 64;  ///< of strangers of one /24 or /56: above, the oldest one ends
  unsigned max_lingering = 256;  ///< closed, waiting for the peer's end: above, the oldest waits no longer
};

struct tcp_counters {
  std::uint64_t accepted = 0;
  by_use<std::uint64_t> refused_full;  ///< closed at once because of max_accepted
  std::uint64_t accept_failures = 0;   ///< no descriptor or no memory for a connection
  std::uint64_t tls_handshakes = 0;    ///< that succeeded, in both directions
  std::array<std::uint64_t, tls_failure_count> tls_failures{};
  std::uint64_t tls_securing = 0;  ///< now: accepted connections in their handshake
};

/// TCP listeners and connections, and those of TLS over them. Bytes out are collected and leave with flush()
/// in one write for each connection. A connection that begins with TLS is told opened or accepted once its
/// handshake is done: before, and if it fails, what was accepted is only counted.
class tcp_ports {
 public:
  tcp_ports(reactor& loop, rim_numbers& numbers, event_sink& sink, tcp_limits limits = {});
  ~tcp_ports();
  tcp_ports(const tcp_ports&) = delete;
  tcp_ports& operator=(const tcp_ports&) = delete;

  /// For TLS connections from now on; without it there are none. Those that are open keep what they have.
  void set_tls(std::shared_ptr<const tls_context> context);
  /// Hears of each accepted connection whose handshake came to nothing. Scanners make many of them.
  using handshake_watcher = std::function<void(const socket_address& peer, std::string_view why)>;
  void watch_handshakes(handshake_watcher watcher);
  /// Binds (port 0: any free one) and accepts from then on; returns the address that was bound. `via`: tcp or
  /// tls. `use`: what is accepted there is for; sip or s2s.
  result<socket_address> listen(const socket_address& at, bool v6_only = false,
                                transport via = transport::tcp, conn_use use = conn_use::sip);

  void open(const io::open& o);
  /// Queues the bytes, also on a connection that is being opened. An unknown id fails as reset.
  void send(io::send s);
  /// See io::start_tls.
  void start_tls(const io::start_tls& s);
  /// An unknown id was told closed before, so nothing follows.
  void close(conn_id id);
  void flush();

  void set_max_accepted(conn_use use, unsigned n);
  /// In all, and of one network; for handshakes that begin from now on.
  void set_max_handshakes(unsigned n, unsigned of_network);
  /// Whose TLS handshakes are not rationed, and give way to nobody's.
  void set_trusted(prefix_set peers);
  tcp_counters counters() const;
  std::size_t queued() const;  ///< memory of what waits for the kernel, on all connections
  bool resolving() const;      ///< a host name lookup runs, in a thread that cannot be stopped before it ends

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace stox::net
