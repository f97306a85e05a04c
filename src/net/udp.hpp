#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/error.hpp"
#include "base/io.hpp"
#include "net/reactor.hpp"

namespace stox::net {

struct udp_limits {
  std::size_t queue_bytes =
      4u << 20;                  ///< per socket, while the kernel takes no more; above: send_failed{overflow}
  int receive_buffer = 4 << 20;  ///< asked of the kernel, which may give less (net.core.rmem_max)
};

struct udp_counters {
  std::uint64_t dropped = 0;  ///< datagrams for which there was no room, in our queue or in the kernel's
  std::uint64_t failed = 0;   ///< datagrams that the kernel refused, or that had no socket
};

/// The UDP listeners: datagrams in by recvmmsg, out by sendmmsg, both in batches.
class udp_ports {
 public:
  udp_ports(reactor& loop, event_sink& sink, udp_limits limits = {});
  ~udp_ports();
  udp_ports(const udp_ports&) = delete;
  udp_ports& operator=(const udp_ports&) = delete;

  /// Binds (port 0: any free one) and begins to receive; returns the address that was bound. `v6_only` keeps
  /// [::] from taking IPv4.
  result<socket_address> listen(conn_id id, const socket_address& at, bool v6_only = false);
  bool has(conn_id id) const;
  /// Queues the datagram; it leaves with flush() at the latest. An unknown id fails as unreachable.
  void send(io::send s);
  void flush();
  void close_all();  ///< nothing more comes or goes

  udp_counters counters() const;
  std::size_t queued() const;  ///< memory of what waits for the kernel

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace stox::net
