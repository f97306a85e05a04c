#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/stored_row.hpp"
#include "engine/engine.hpp"
#include "net/reactor.hpp"
#include "net/tcp.hpp"
#include "net/udp.hpp"
#include "settings/settings.hpp"

namespace stox::net {

/// What the loop tells its owner, on the loop's thread. An empty one is not called.
struct loop_hooks {
  std::function<void(const log_record&)> log;  ///< the engine's lines and the loop's own
  std::function<void(const incident&)> incident;
  std::function<void(stored_row)> save;
  std::function<void(row_key)> remove;
  std::function<void()> batch_end;         ///< everything that was there to do is done: a time to flush logs
  std::function<void()> reload;            ///< SIGHUP
  std::function<void(duration)> stopping;  ///< the shutdown began, with that limit for open work
};

struct loop_limits {
  duration drain = std::chrono::seconds(10);  ///< what open work is given at the end; see set_drain
  duration grace =
      std::chrono::seconds(5);  ///< and what it may take beyond that before the loop ends without it
  udp_limits udp;
  tcp_limits tcp;
};

enum class ending {
  clean,   ///< the engine said goodbye to everybody
  forced,  ///< a second signal, or the engine did not end in time
};

/// The pump: one engine, its sockets, one timer, the signals; one thread.
class loop {
 public:
  loop(engine::engine& core, loop_hooks hooks, loop_limits limits = {});
  ~loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  /// Binds every listener, or none: on an error, whose detail begins with the option's key, the loop is only
  /// good for being destroyed.
  result<> listen(const settings::sip& sip, const settings::s2s& s2s);
  /// For TLS connections from now on.
  void set_tls(std::shared_ptr<const tls_context> context);
  /// For names that the engine asks for; without it every question fails. Said again, it reads the system's
  /// files again and asks the servers that count now. An error's detail begins with the option's key.
  result<> start_resolver(const settings::dns& dns);
  /// The system's DNS servers were wanted, and /etc/resolv.conf could not be read.
  bool without_system_servers() const;
  /// The addresses that were bound, as "udp:127.0.0.1:5060"; for XMPP servers as "s2s:tcp:127.0.0.1:5269".
  const std::vector<std::string>& listeners() const;

  /// Takes SIGTERM, SIGINT and SIGHUP (those too that were held, net/signals.hpp), tells the engine its
  /// listeners, starts it and runs until it has stopped.
  ending run();

  /// As SIGTERM does, with another limit for open work or its own; on the loop's thread.
  void shutdown(std::optional<duration> limit = {});
  void set_drain(duration limit);  ///< for SIGTERM
  /// For events that the daemon makes (reconfigured); on the loop's thread, not from within a hook named log
  /// or batch_end.
  void handle(const engine::event& e);
  void set_max_accepted(conn_use use, unsigned n);
  void set_max_handshakes(unsigned n, unsigned of_network);
  void set_trusted(prefix_set peers);  ///< for their TLS handshakes
  /// Calls f each `interval` while the loop runs.
  void every(duration interval, std::function<void()> f);

  reactor& io();  ///< for the others that live on this loop
  tcp_counters tcp() const;
  udp_counters udp() const;
  std::size_t tcp_queued() const;
  std::size_t udp_queued() const;
  bool resolving() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace stox::net
