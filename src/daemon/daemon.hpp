#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace stox::daemon {

/// Exit codes of stoxd.
enum class exit_code : int {
  clean = 0,
  failed = 1,  ///< an address, store or trace file that cannot be had, or an end that was forced: may be
               ///< better next time
  bad_configuration = 2,
};

/// The running gateway: engine, loop, store, admin server and log, wired together. Lives in the main thread
/// from configuration to exit.
class daemon {
 public:
  /// `args` and `env` are read again at SIGHUP.
  daemon(config::loaded loaded, std::vector<std::string> args, config::environment env);
  ~daemon();
  daemon(const daemon&) = delete;
  daemon& operator=(const daemon&) = delete;

  exit_code run();  ///< until SIGTERM or SIGINT

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace stox::daemon
