#include "daemon/daemon.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <utility>

#include "config/values.hpp"
#include "daemon/certificates.hpp"
#include "daemon/daemon_impl.hpp"
#include "daemon/log_line.hpp"
#include "daemon/service.hpp"
#include "net/signals.hpp"

namespace stox::daemon {
namespace {

constexpr auto expiry_interval = std::chrono::hours(24);
constexpr auto incident_lifetime = std::chrono::hours(24 * 30);
constexpr unsigned rows_at_start = 100'000;  ///< of each kind, what the core's books hold at most
constexpr std::size_t rows_in_part = 1000;   ///< of one event, which is one line of a trace

// What the store shows of an incident beside its kind and domain: "conv=... call_id=... ...".
std::string detail_of(const incident& i) {
  log_record r{log_level::info, {}, i.conversation, {}};
  const auto add = [&r](std::string_view key, const std::string& value) {
    if (!value.empty()) r.fields.emplace_back(key, value);
  };
  add("call_id", i.call_id);
  add("stanza_id", i.stanza_id);
  add("from", i.from);
  add("to", i.to);
  add("cause", i.cause);
  auto line = log_line(r);
  return line.empty() ? line : line.substr(1);  // the blank after the event, which is empty
}

// The common soft limit of 1,024 descriptors is less than sip.max_connections and what else is open.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65'536);
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

// ---- making ----

// The end was asked for while it started: nothing ran, nobody has to be told.
exit_code daemon::impl::leave_early() {
  store->close(!store->found_unclean());
  say(log_level::info, "daemon.stopped", {{"how", "clean"}, {"why", "a signal before it was ready"}});
  log.flush();
  return exit_code::clean;
}

std::optional<exit_code> daemon::impl::prepare() {
  for (const auto& w : loaded.warnings) say(log_level::warning, "daemon.config_warning", {{"what", w}});
  auto opened =
      store::sqlite_store::open(settings.store.path, [this] { loop->io().post([this] { report_store(); }); });
  if (!opened) return refuse("store.path: " + opened.error().detail);
  store = std::move(*opened);
  if (net::end_is_asked()) return leave_early();
  if (!loaded.record_path.empty() && !open_trace()) {
    return refuse("--record " + loaded.record_path + ": " + std::strerror(errno));
  }
  build_engine();
  report_what_was_found();
  auto secure = net::tls_context::make(settings.tls, served_domains(settings.gateway));
  if (!secure) return refuse("tls: " + secure.error().detail);
  loop->set_tls(std::move(*secure));
  report_expiry();
  const auto bound = loop->listen(settings.sip, settings.s2s);
  if (!bound) return refuse(bound.error().detail);
  if (const auto why = start_resolver(settings.dns); !why.empty()) return refuse(why);
  auto server = admin::server::start(loop->io().context(), settings.admin, admin_hooks());
  if (!server) return refuse(server.error().detail);
  door = std::move(*server);
  return std::nullopt;
}

std::string daemon::impl::start_resolver(const settings::dns& dns) {
  const auto resolving = loop->start_resolver(dns);
  if (!resolving) return resolving.error().detail;
  if (loop->without_system_servers()) {
    say(log_level::warning, "dns.no_system_servers",
        {{"what", "/etc/resolv.conf cannot be read; 127.0.0.1 is asked. See dns.servers"}});
  }
  return {};
}

// What the store knows of the run before, and of itself.
void daemon::impl::report_what_was_found() {
  report_store();
  if (const auto broken = store->found_broken()) {
    say(log_level::error, "store.broken",
        {{"moved_to", broken->moved_to},
         {"why", broken->why},
         {"what",
          "a new file was made; the incidents until now, what was known of peers and the receipts "
          "that were open are in the old one"}});
    add_incident("store.broken", {}, "moved_to=" + broken->moved_to);
  }
  if (store->found_unclean()) {
    say(log_level::warning, "daemon.unclean_end",
        {{"what", "the run before this one did not end by itself"}});
    add_incident("daemon.unclean_end", {}, "open messages of that run are in doubt");
  }
}

bool daemon::impl::open_trace() {
  trace = trace_file::create(loaded.record_path, loaded.record_limit);
  if (!trace) return false;
  // As an error where bodies are in it, so that no log.level hides it.
  say(loaded.record_bodies ? log_level::error : log_level::warning, "daemon.recording",
      {{"file", trace->path()},
       {"limit", std::to_string(loaded.record_limit)},
       {"what", loaded.record_bodies ? "who writes to whom AND WHAT THEY WRITE goes into this file"
                                     : "who writes to whom goes into this file"}});
  const auto sink = [this](std::string_view line) { trace->line(line); };
  tap.emplace(sink, loaded.record_bodies);
  recorded_ids.emplace(random_ids, sink);
  return true;
}

void daemon::impl::build_engine() {
  id_source& ids = recorded_ids ? static_cast<id_source&>(*recorded_ids) : random_ids;
  core = std::make_unique<engine::engine>(settings, ids);
  if (tap) core->set_tap(&*tap);
  hand_in_rows();
  net::loop_limits limits;
  limits.drain = settings.gateway.drain;
  limits.tcp.max_accepted = {accept_limit(settings.sip), settings.s2s.max_streams};
  limits.tcp.max_handshakes = settings.tls.max_handshakes;
  limits.tcp.max_handshakes_of_network = settings.tls.max_handshakes_per_network;
  loop = std::make_unique<net::loop>(*core, hooks(), limits);
  loop->set_trusted(trusted_peers(settings));
}

// What the core had saved until the last end.
void daemon::impl::hand_in_rows() {
  auto rows = store->load(rows_at_start);
  for (std::size_t from = 0; from < rows.size(); from += rows_in_part) {
    const auto end = std::min(rows.size(), from + rows_in_part);
    const auto at = [&rows](std::size_t n) {
      return std::make_move_iterator(rows.begin()) + static_cast<std::ptrdiff_t>(n);
    };
    core->handle(engine::restored{{at(from), at(end)}}, now());
  }
}

net::loop_hooks daemon::impl::hooks() {
  net::loop_hooks h;
  h.log = [this](const log_record& r) { log.write(r); };
  h.incident = [this](const incident& i) { add_incident(i.kind, i.domain, detail_of(i)); };
  h.save = [this](stored_row row) {
    std::visit([](auto& r) { r.engine = engine_number; }, row);
    store->save(std::move(row));
  };
  h.remove = [this](row_key key) { store->remove(std::move(key)); };
  h.batch_end = [this] { on_batch_end(); };
  h.reload = [this] { reload(); };
  h.stopping = [this](duration limit) {
    draining = true;
    service::stopping(limit);
    say(log_level::info, "daemon.stopping",
        {{"limit", config::write_duration(std::chrono::ceil<std::chrono::milliseconds>(limit).count())}});
  };
  return h;
}

// ---- running ----

void daemon::impl::on_batch_end() {
  if (trace) {
    trace->flush();
    report_trace();
  }
  log.flush();
}

void daemon::impl::report_trace() {
  if ((!trace->broken() && !trace->full()) || std::exchange(trace_reported, true)) return;
  if (trace->broken()) say(log_level::error, "daemon.record_failed", {{"file", trace->path()}});
  core->set_tap(nullptr);
  if (trace->full())
    say(log_level::warning, "daemon.record_ended",
        {{"file", trace->path()}, {"why", "its limit is reached; the gateway goes on without it"}});
}

// Between two reports writing may have failed and recovered: then there is nothing to say.
void daemon::impl::report_store() {
  auto health = store->health();
  if (health.writes == store_writes) return;
  store_writes = health.writes;
  if (store_writes) {
    say(log_level::warning, "store.writes_again", {});  // as long as the line that it takes back is shown
  } else {
    say(log_level::error, "store.cannot_write",
        {{"why", std::move(health.why)},
         {"what", health.in_memory
                      ? "incidents, what is known of peers and open receipts are in memory and end with this "
                        "run; mend it and restart"
                      : "incidents stand only in this log until it can; what is learned of peers and open "
                        "receipts end with this run"}});
  }
  log.flush();
}

// Of "status": where it is, or what is wrong.
std::string daemon::impl::store_state() const {
  const auto health = store->health();
  if (health.writes) return settings.store.path;
  return (health.in_memory ? "in memory until the restart: " : "cannot write: ") + health.why;
}

void daemon::impl::report_expiry() {
  for (const auto& r : expiry_warnings(settings.tls, std::chrono::system_clock::now())) log.write(r);
  log.flush();
}

void daemon::impl::add_incident(std::string_view kind, std::string domain, std::string detail) {
  const auto now = std::chrono::system_clock::now();
  // What the store cannot keep must stand in the log, whatever its level.
  if (!store->health().writes) say(log_level::error, kind, {{"domain", domain}, {"what", detail}});
  store->add(
      {now, std::move(domain), now + incident_lifetime, engine_number, std::string(kind), std::move(detail)});
}

exit_code daemon::impl::finish(net::ending how) {
  const bool clean = how == net::ending::clean;
  door->stop();
  store->close(clean);
  report_store();
  if (const auto lost = store->counters().dropped; lost > 0)
    say(log_level::error, "store.changes_lost", {{"number", std::to_string(lost)}});
  if (trace) trace->flush();
  say(log_level::info, "daemon.stopped", {{"how", clean ? "clean" : "forced"}});
  log.flush();
  const auto code = clean ? exit_code::clean : exit_code::failed;
  // The thread of a name lookup can only be waited for, and its limit is the system resolver's: half a minute
  // and more.
  if (loop->resolving()) std::_Exit(static_cast<int>(code));
  return code;
}

// ---- the public face ----

daemon::daemon(config::loaded loaded, std::vector<std::string> args, config::environment env)
    : impl_(std::make_unique<impl>(std::move(loaded), std::move(args), std::move(env))) {}
daemon::~daemon() = default;

exit_code daemon::run() {
  auto& i = *impl_;
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like a full disk, not an end
  raise_descriptor_limit();
  if (const auto ended = i.prepare()) return *ended;
  i.loop->every(expiry_interval, [&i] { i.report_expiry(); });
  if (const auto interval = service::alive_interval()) i.loop->every(*interval, service::alive);
  i.say(log_level::info, "daemon.started",
        {{"version", STOX_VERSION}, {"listeners", joined(i.loop->listeners())}, {"config", i.loaded.file}});
  i.log.flush();
  i.loop->io().post([&i] { service::ready(i.status()); });
  return i.finish(i.loop->run());
}

}  // namespace stox::daemon
