#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/net_address.hpp"
#include "net/reactor.hpp"

namespace stox::net {

/// The DNS behind io::lookup, on libunbound: it never blocks, its answers come through the loop. It has no
/// deadline of its own; the core cancels what takes too long.
class resolver {
 public:
  /// `servers`: the resolvers to ask; empty: those of the system (/etc/resolv.conf), and one on this machine
  /// where that file cannot be read (resolv.conf(5)). The system's hosts file counts in all cases. Errors:
  /// errc::dns.
  static result<std::unique_ptr<resolver>> start(reactor& io, event_sink& sink,
                                                 const std::vector<socket_address>& servers);
  /// Asks these from now on, and the system's files are read again; open questions are asked anew. After an
  /// error everything is as before.
  result<> restart(const std::vector<socket_address>& servers);
  /// Whether the system's servers were wanted and could not be read.
  bool without_system_servers() const;
  ~resolver();
  resolver(const resolver&) = delete;
  resolver& operator=(const resolver&) = delete;

  void lookup(const io::lookup& q);
  void cancel(io::lookup_id id);

 private:
  struct impl;
  explicit resolver(std::unique_ptr<impl> i);
  std::unique_ptr<impl> impl_;
};

}  // namespace stox::net
