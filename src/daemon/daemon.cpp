#include "daemon/daemon.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "admin/admin.hpp"
#include "config/values.hpp"
#include "daemon/certificates.hpp"
#include "daemon/log_line.hpp"
#include "daemon/logger.hpp"
#include "daemon/service.hpp"
#include "daemon/trace_file.hpp"
#include "engine/engine.hpp"
#include "engine/trace.hpp"
#include "gateway/blocklist.hpp"
#include "net/ids.hpp"
#include "net/loop.hpp"
#include "net/signals.hpp"
#include "store/sqlite_store.hpp"

namespace stox::daemon {
namespace {

using found_incidents = std::function<void(const std::vector<admin::incident>&)>;
using fields = std::vector<std::pair<std::string_view, std::string>>;

constexpr unsigned engine_number = 0;  // one engine in a process for now
constexpr auto expiry_interval = std::chrono::hours(24);
constexpr auto incident_lifetime = std::chrono::hours(24 * 30);
constexpr unsigned rows_at_start = 100'000;  ///< of each kind, what the core's books hold at most
constexpr std::size_t rows_in_part = 1000;   ///< of one event, which is one line of a trace

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& w : words) out += (out.empty() ? "" : " ") + w;
  return out;
}

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

instant now() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

// One changed key as a log line has it.
fields shown(const config::changed_key& c) {
  fields out{{"key", c.key}};
  if (c.added.empty() && c.removed.empty()) {
    out.insert(out.end(), {{"old", c.before}, {"new", c.after}});
  } else {
    if (!c.added.empty()) out.emplace_back("added", joined(c.added));
    if (!c.removed.empty()) out.emplace_back("removed", joined(c.removed));
  }
  return out;
}

// Above sip.max_connections the SIP endpoint still sees new connections, so that a trusted peer can take a
// stranger's place; strangers that are being closed are at most a quarter.
unsigned accept_limit(const settings::sip& sip) { return sip.max_connections + sip.max_connections / 4 + 64; }

// The common soft limit of 1,024 descriptors is less than sip.max_connections and what else is open.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65'536);
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

struct daemon::impl {
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
  const auto bound = loop->listen(settings.sip);
  if (!bound) return refuse("sip.listen: " + bound.error().detail);
  if (const auto why = start_resolver(settings.dns); !why.empty()) return refuse(why);
  auto server = admin::server::start(loop->io().context(), settings.admin, admin_hooks());
  if (!server) return refuse(server.error().detail);
  door = std::move(*server);
  return std::nullopt;
}

std::string daemon::impl::start_resolver(const settings::dns& dns) {
  const auto resolving = loop->start_resolver(dns);
  if (!resolving) return "dns.servers: " + resolving.error().detail;
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
  limits.tcp.max_accepted = accept_limit(settings.sip);
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

admin::hooks daemon::impl::admin_hooks() {
  admin::hooks h;
  h.samples = [this] { return samples(); };
  h.readiness = [this] { return core->readiness(); };
  h.facts = [this] {
    const auto up =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started);
    return std::vector<std::pair<std::string, std::string>>{{"uptime", std::to_string(up.count())},
                                                            {"configuration", loaded.file},
                                                            {"listeners", joined(loop->listeners())},
                                                            {"store", store_state()}};
  };
  h.set_log_level = [this](log_level level) {
    log.set_level(level);
    tell_engine();
  };
  h.incidents = [this](admin::incident_query q, found_incidents found) {
    find_incidents(q, std::move(found));
  };
  h.store_trouble = [this] {
    const auto health = store->health();
    return health.writes ? std::string() : health.why;
  };
  h.links = [this] { return core->links(); };
  h.peers = [this] { return core->peers(now()); };
  h.sessions = [this](const std::string& domain, std::size_t limit) { return core->sessions(domain, limit); };
  h.open = [this] { return core->open(); };
  h.reload = [this] { return reload(); };
  h.waiting = [this] { return loaded.waiting; };
  h.drain = [this](std::optional<duration> limit) {
    if (draining) return false;
    loop->shutdown(limit);
    return true;
  };
  h.blocks = [this] {
    std::vector<admin::blocked_source> out;
    const auto at = now();
    for (auto& b : core->blocks()) {
      // By the steady clock; what the wall clock will show then is for people.
      std::optional<wall_time> until;
      if (b.until) until = at.wall + std::chrono::duration_cast<wall_time::duration>(*b.until - at.steady);
      out.push_back({std::move(b.what), until});
    }
    return out;
  };
  h.add_block = [this](const std::string& what, std::optional<duration> time) { return block(what, time); };
  h.remove_block = [this](const std::string& what) { return unblock(what); };
  h.peer_record = [this](const std::string& typed) { return core->peer(typed, now()); };
  h.forget_peer = [this](const std::string& typed) { return forget_peer(typed); };
  h.check_store = [this](std::function<void(const admin::store_report&)> checked) {
    check_store(std::move(checked));
  };
  return h;
}

// The store answers on its own thread; the door wants to hear it on the loop's, and to be let go of there.
void daemon::impl::find_incidents(admin::incident_query q, found_incidents found) {
  store->find({q.since, q.limit},
              [this, found = std::move(found)](const std::vector<store::incident>& rows) mutable {
                std::vector<admin::incident> out;
                out.reserve(rows.size());
                for (const auto& r : rows) out.push_back({r.at, r.domain, r.engine, r.kind, r.detail});
                loop->io().post([f = std::exchange(found, nullptr), out = std::move(out)] { f(out); });
              });
}

void daemon::impl::check_store(std::function<void(const admin::store_report&)> checked) {
  store->check([this, checked = std::move(checked)](store::store_report found) mutable {
    loop->io().post([this, f = std::exchange(checked, nullptr), found = std::move(found)] {
      admin::store_report out{store_state(), found.problems, found.writes, found.why, found.bytes, {}};
      for (const auto& t : found.tables) out.tables.push_back({t.name, t.rows, t.expired});
      f(out);
    });
  });
}

std::string daemon::impl::forget_peer(const std::string& typed) {
  auto record = core->peer(typed, now());
  if (!record) return typed + " is no SIP URI or JID of a user";
  say(log_level::info, "peer.forgotten", {{"who", record->name}});
  loop->handle(engine::peer_forgotten{std::move(record->name)});
  return {};
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
  loop->set_max_accepted(accept_limit(settings.sip));
  loop->set_trusted(trusted_peers(settings));
  loop->set_drain(settings.gateway.drain);
  tell_engine();
  report_expiry();
  say(log_level::info, "daemon.reloaded",
      {{"changed", std::to_string(next.changed.size())}, {"waiting", std::to_string(loaded.waiting.size())}});
}

std::string daemon::impl::block(const std::string& what, std::optional<duration> time) {
  const auto name = gateway::normal_block(what);
  if (!name) return what + " is no IP address, network, bare JID or domain";
  const auto blocks = core->blocks();
  const auto known = [&](const gateway::block& b) { return b.what == *name; };
  if (blocks.size() >= gateway::blocklist::most && std::none_of(blocks.begin(), blocks.end(), known))
    return "there are " + std::to_string(blocks.size()) + " blocks already; take some back first";
  say(log_level::warning, "block.begun", {{"what", *name}});
  loop->handle(engine::blocked{*name, time});
  return {};
}

std::string daemon::impl::unblock(const std::string& what) {
  const auto name = gateway::normal_block(what);
  const auto blocks = core->blocks();
  const auto known = [&](const gateway::block& b) { return name && b.what == *name; };
  if (std::none_of(blocks.begin(), blocks.end(), known)) return what + " is not blocked";
  say(log_level::warning, "block.ended", {{"what", *name}});
  loop->handle(engine::unblocked{*name});
  return {};
}

// The engine makes no log lines below the level that it knows.
void daemon::impl::tell_engine() {
  auto counting = settings;
  counting.log.level = log.level();
  loop->handle(engine::reconfigured{std::move(counting)});
}

std::vector<engine::sample> daemon::impl::samples() const {
  auto out = core->samples();
  out.push_back({"build_info", "Always 1; the version is the label.", true, {{"version", STOX_VERSION}}, 1});
  out.push_back({"start_time_seconds",
                 "When the daemon started, in seconds since 1970.",
                 true,
                 {},
                 static_cast<double>(std::chrono::system_clock::to_time_t(started_at))});
  const auto add = [&out](const char* name, const char* help, std::uint64_t n) {
    out.push_back({name, help, false, {}, static_cast<double>(n)});
  };
  const auto tcp = loop->tcp();
  add("tcp_accepted_total", "TCP connections accepted.", tcp.accepted);
  add("tcp_refused_full_total",
      "TCP connections closed at once before the SIP side saw them: far above sip.max_connections.",
      tcp.refused_full);
  add("tcp_accept_failures_total", "TCP connections lost for want of descriptors or memory.",
      tcp.accept_failures);
  for (auto& s : tls_samples(settings.tls, tcp)) out.push_back(std::move(s));
  const auto udp = loop->udp();
  add("udp_dropped_total", "Datagrams not sent because queue or kernel had no room.", udp.dropped);
  add("udp_failed_total", "Datagrams not sent because the kernel refused them.", udp.failed);
  for (const auto& [name, bytes] :
       {std::pair("udp", loop->udp_queued()), std::pair("tcp", loop->tcp_queued())}) {
    out.push_back({"write_queue_bytes",
                   "What waits to be written; part of memory_used_bytes.",
                   true,
                   {{"transport", name}},
                   static_cast<double>(bytes)});
  }
  const auto rows = store->counters();
  add("log_lines_lost_total", "Log lines that nobody took: the log's reader stalls or is gone.", log.lost());
  add("store_written_total", "Incidents and rows written to the store, and rows removed.", rows.written);
  add("store_dropped_total", "Those not written because the queue was full.", rows.dropped);
  out.push_back({"previous_end_unclean",
                 "1 if the run before this one did not end by itself: what it had open is in doubt.",
                 true,
                 {},
                 store->found_unclean() ? 1.0 : 0.0});
  out.push_back({"store_writable",
                 "1 while what is noted is kept over a restart; 0 while store.path cannot be written.",
                 true,
                 {},
                 store->health().writes ? 1.0 : 0.0});
  add("store_failed_total", "Those that the database refused.", rows.failed);
  return out;
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
