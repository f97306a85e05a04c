#pragma once

#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/admin.hpp"
#include "daemon/daemon.hpp"
#include "daemon/logger.hpp"
#include "daemon/trace_file.hpp"
#include "engine/engine.hpp"
#include "engine/trace.hpp"
#include "net/ids.hpp"
#include "net/loop.hpp"
#include "store/sqlite_store.hpp"

namespace stox::daemon {

inline constexpr unsigned engine_number = 0;  // one engine in a process for now

inline std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& w : words) out += (out.empty() ? "" : " ") + w;
  return out;
}

inline instant now() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

// Above sip.max_connections the SIP endpoint still sees new connections, so that a trusted peer can take a
// stranger's place; strangers that are being closed are at most a quarter.
inline unsigned accept_limit(const settings::sip& sip) {
  return sip.max_connections + sip.max_connections / 4 + 64;
}

/// The inside of the daemon: how it starts, runs and ends (daemon.cpp), what it takes over while it runs
/// (daemon_reload.cpp), and what the operator asks of it (daemon_admin.cpp).
struct daemon::impl {
  using found_incidents = std::function<void(const std::vector<admin::incident>&)>;
  using fields = std::vector<std::pair<std::string_view, std::string>>;

  impl(config::loaded l, std::vector<std::string> a, config::environment e)
      : loaded(std::move(l)),
        settings(loaded.settings),
        args(std::move(a)),
        env(std::move(e)),
        log(STDERR_FILENO, settings.log.level) {}

  void say(log_level level, std::string_view event, fields f) { log.write({level, event, {}, std::move(f)}); }
  /// `why` begins with the option's key.
  exit_code refuse(const std::string& why) {
    say(log_level::error, "daemon.not_started", {{"why", why}});
    // Nothing ran, so nothing more is in doubt; what a run before left is told by the next one that starts.
    if (store) store->close(!store->found_unclean());
    return exit_code::failed;
  }
  /// Where it ends here, SIGTERM came, or something cannot be had: how.
  std::optional<exit_code> prepare();
  exit_code leave_early();
  std::string start_resolver(const settings::dns& dns);  ///< "" or what is wrong
  bool open_trace();
  void report_trace();
  void report_store();
  void report_what_was_found();
  std::string store_state() const;
  void report_expiry();
  void build_engine();
  void hand_in_rows();
  void check_store(std::function<void(const admin::store_report&)> checked);
  std::string forget_peer(const std::string& typed);
  net::loop_hooks hooks();
  admin::hooks admin_hooks();
  void find_incidents(admin::incident_query q, found_incidents found);
  void on_batch_end();
  admin::reload_outcome reload();
  std::string take_over(const settings::all& next);
  void apply(config::loaded next);
  std::string block(const std::string& what, std::optional<duration> time);
  std::string unblock(const std::string& what);
  void tell_engine();
  std::vector<engine::sample> samples() const;
  std::string status() const { return "listening on " + joined(loop->listeners()); }
  void add_incident(std::string_view kind, std::string domain, std::string detail);
  exit_code finish(net::ending how);

  config::loaded loaded;
  settings::all settings;  // as they count now
  std::vector<std::string> args;
  config::environment env;
  logger log;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  wall_time started_at = std::chrono::system_clock::now();
  std::unique_ptr<store::sqlite_store> store;
  std::unique_ptr<trace_file> trace;
  bool trace_reported = false;
  bool store_writes = true;  // as the log has it
  bool draining = false;
  net::csprng_ids random_ids{engine_number};
  std::optional<engine::recording_ids> recorded_ids;
  std::optional<engine::trace_writer> tap;
  std::unique_ptr<engine::engine> core;
  std::unique_ptr<net::loop> loop;
  std::unique_ptr<admin::server> door;  // lives on the loop
};

}  // namespace stox::daemon
