#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "base/incident.hpp"
#include "base/instant.hpp"
#include "base/io.hpp"
#include "base/log.hpp"
#include "base/stored_row.hpp"
#include "engine/views.hpp"
#include "gateway/blocklist.hpp"
#include "settings/settings.hpp"

namespace stox::engine {

// ---- events beyond those of base/io.hpp ----

/// The listeners are told: open the component links. engine::start says it.
struct starting {};
/// Time passed: some deadline may be due.
struct timeout {};
/// New settings, already validated; all or nothing. Open work keeps what it began with. Component links come,
/// go and are made anew; one that goes finishes its work first, within gateway.drain.
struct reconfigured {
  settings::all settings;
};
/// No new work; open work is finished or failed until the limit; then both sides are told goodbye and
/// `stopped` comes.
struct shutdown {
  duration limit{};
};
/// What the rim's write queues hold now, because kernel or peer take no more; told when it changed by much.
/// It counts against limits.memory.
struct write_queues {
  std::uint64_t bytes = 0;
};
/// The rim ends now, without waiting for `stopped`: what is open is told as in doubt.
struct forced_end {};
/// The operator wants nobody to be heard from there, for that time or until it is taken back; `what` is as
/// gateway::normal_block() gives it.
struct blocked {
  std::string what;
  std::optional<duration> time;
};
struct unblocked {
  std::string what;
};
/// What the store held when the process began: the newest rows, bounded, the oldest of them first. It comes
/// before `starting`, perhaps in parts.
struct restored {
  std::vector<stored_row> rows;
};
/// The operator wants that user's capability record gone; `name` is as gateway::peer_name() gives it.
struct peer_forgotten {
  std::string name;
};
using event = std::variant<io::event, starting, timeout, reconfigured, shutdown, write_queues, forced_end,
                           blocked, unblocked, restored, peer_forgotten>;

// ---- actions beyond those of base/io.hpp ----

struct log_line {
  log_record record;
};
/// Comes beside a log line, and whatever the log's level; the rim keeps it.
struct incident_raised {
  incident what;
};
/// Every connection was told goodbye: the rim may end.
struct stopped {};
/// The rim keeps the row over a restart, in place of the one of that name, as well as it can.
struct row_saved {
  stored_row row;
};
struct row_removed {
  row_key key;
};
using action = std::variant<io::action, log_line, stopped, incident_raised, row_saved, row_removed>;

/// One counter series: name and labels are static or bounded; the rim renders them.
struct sample {
  std::string name;  ///< without prefix: "messages_total"
  std::string help;
  bool gauge = false;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

/// Whether the gateway takes work: it runs, and a component link (or with admin.ready = "all" each) is up.
/// `why` also names links that are down while others are up.
struct readiness {
  bool ready = false;
  std::string why;
};

/// Watches the engine's edge: every event in and every action out, numbered and with bodies redacted unless
/// asked. `--record` writes these lines, `stoxctl replay` and `explain` print them.
class tap {
 public:
  tap() = default;
  tap(const tap&) = delete;
  tap& operator=(const tap&) = delete;
  virtual ~tap() = default;
  virtual void on_event(const event& e, instant now) = 0;
  virtual void on_action(const action& a, instant now) = 0;
};

/// The core in one object: SIP endpoint, component links, flows and the one deadline index. Sans-I/O and
/// single-threaded:
///     engine.handle(event, now);                    // 1. one mutation
///     while (auto a = engine.poll()) perform(*a);   // 2. drain every action
///     timer.expires_at(engine.next_deadline());     // 3. sleep until then
class engine {
 public:
  engine(settings::all settings, id_source& ids);
  ~engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  /// Opens the component links; call once, after the listeners were told by io::listening.
  void start(instant now);
  void handle(const event& e, instant now);
  std::optional<action> poll();
  std::optional<steady_time> next_deadline() const;

  void set_tap(tap* t);  ///< nullptr: none; not owned

  std::vector<sample> samples() const;
  stox::engine::readiness readiness() const;
  std::size_t memory_used() const;

  std::vector<link_status> links() const;
  std::vector<std::string> served() const;     ///< XMPP names of the served domains
  std::vector<std::string> federated() const;  ///< of these, the ones that other servers reach here; A-labels
  /// Streams with other servers, the oldest `limit` ones, with one domain or (empty) with all.
  std::vector<server_stream> streams(std::string_view domain, std::size_t limit) const;
  /// The oldest `limit` ones, of one served domain (XMPP name) or (empty) of all.
  std::vector<session> sessions(std::string_view domain, std::size_t limit) const;
  open_work open() const;
  std::vector<sip_peer> peers(instant now) const;
  std::vector<gateway::block> blocks() const;
  /// The name of a block as it is kept and shown, see gateway::normal_block(); nullopt: it names nobody.
  std::optional<std::string> block_name(std::string_view typed) const;
  /// What is known of the user that is written there (a URI or a JID); nullopt: it names no user.
  std::optional<peer_record> peer(std::string_view typed, instant now) const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace stox::engine
