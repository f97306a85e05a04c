// What the daemon takes over while it runs.
#include <utility>

#include "daemon/certificates.hpp"
#include "daemon/daemon_impl.hpp"
#include "daemon/service.hpp"

namespace stox::daemon {
namespace {

// One changed key as a log line has it.
std::vector<std::pair<std::string_view, std::string>> shown(const config::changed_key& c) {
  std::vector<std::pair<std::string_view, std::string>> out{{"key", c.key}};
  if (c.added.empty() && c.removed.empty()) {
    out.insert(out.end(), {{"old", c.before}, {"new", c.after}});
  } else {
    if (!c.added.empty()) out.emplace_back("added", joined(c.added));
    if (!c.removed.empty()) out.emplace_back("removed", joined(c.removed));
  }
  return out;
}

}  // namespace

admin::reload_outcome daemon::impl::reload() {
  if (draining) return {{"the gateway is draining"}, {}, {}, {}};
  service::reloading();
  admin::reload_outcome out;
  auto next = config::reload(settings, args, env);
  if (!next) {
    out.errors = next.error();
  } else if (auto why = take_over(next->settings); !why.empty()) {
    out.errors.push_back(std::move(why));
  } else {
    out.warnings = next->warnings;
    out.changed = next->changed;
    out.waiting = next->waiting;
    apply(std::move(*next));
  }
  for (const auto& e : out.errors) say(log_level::error, "daemon.reload_refused", {{"why", e}});
  service::ready(status());
  return out;
}

// What can still go wrong with good settings, before anything counts: "" or why not.
std::string daemon::impl::take_over(const settings::all& next) {
  auto secure = net::tls_context::make(next.tls, served_domains(next.gateway));
  if (!secure) return "tls: " + secure.error().detail;
  if (auto why = start_resolver(next.dns); !why.empty()) return why;
  loop->set_tls(std::move(*secure));
  return {};
}

void daemon::impl::apply(config::loaded next) {
  for (const auto& w : next.warnings) say(log_level::warning, "daemon.config_warning", {{"what", w}});
  for (const auto& c : next.changed) say(log_level::info, "daemon.config_changed", shown(c));
  for (const auto& c : next.waiting) say(log_level::warning, "daemon.restart_needed", shown(c));
  // A level that was set through the control socket stays, unless the file has another one now.
  if (settings.log.level != next.settings.log.level) log.set_level(next.settings.log.level);
  settings = std::move(next.settings);
  loaded.waiting = std::move(next.waiting);
  loop->set_max_accepted(conn_use::sip, accept_limit(settings.sip));
  loop->set_max_accepted(conn_use::s2s, settings.s2s.max_streams);
  loop->set_max_handshakes(settings.tls.max_handshakes, settings.tls.max_handshakes_per_network);
  loop->set_trusted(trusted_peers(settings));
  loop->set_drain(settings.gateway.drain);
  tell_engine();
  report_expiry();
  say(log_level::info, "daemon.reloaded",
      {{"changed", std::to_string(next.changed.size())}, {"waiting", std::to_string(loaded.waiting.size())}});
}

// The engine makes no log lines below the level that it knows.
void daemon::impl::tell_engine() {
  auto counting = settings;
  counting.log.level = log.level();
  loop->handle(engine::reconfigured{std::move(counting)});
}

}  // namespace stox::daemon
