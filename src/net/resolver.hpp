#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "base/io.hpp"
#include "net/reactor.hpp"
#include "settings/settings.hpp"

namespace stox::net {

/// Where the system says which resolvers it has, resolv.conf(5).
struct system_servers {
  std::string file = "/etc/resolv.conf";
  duration look_every = std::chrono::seconds(30);
};

/// The DNS behind io::lookup, on libunbound: it never blocks, its answers come through the loop. It has no
/// deadline of its own; the core cancels what takes too long.
class resolver {
 public:
  /// Without servers in `dns` those of the system are asked, and one on this machine where its file cannot be
  /// read. The system's hosts file counts in all cases. Only with a trust anchor answers are validated: those
  /// that are proved are told as secure, those that are proved to be forged fail, all others (unsigned zones)
  /// are as without. Errors: errc::dns, whose detail begins with the option's key.
  static result<std::unique_ptr<resolver>> start(reactor& io, event_sink& sink, const settings::dns& dns,
                                                 system_servers system = {});
  /// Asks these from now on, and the system's files are read again; open questions are asked anew. After an
  /// error everything is as before.
  result<> restart(const settings::dns& dns);
  /// Takes over what the system's file says now if its servers are the ones that count and the file is not
  /// the one that was read; looks no more often than system_servers says. True: it did. For the moment before
  /// a question.
  bool look_at_system();
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
