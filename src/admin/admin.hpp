#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/errc.hpp"
#include "base/error.hpp"
#include "base/instant.hpp"
#include "base/log.hpp"
#include "base/net_address.hpp"
#include "engine/engine.hpp"
#include "settings/changed_key.hpp"
#include "settings/settings.hpp"

namespace boost::asio {
class io_context;
}

/// The operator's door: HTTP (/metrics, /status, /healthz, /readyz, host-meta) and the control socket that
/// stoxctl talks to.
namespace stox::admin {

/// Something that happened and that an operator may be asked about; see store/.
struct incident {
  wall_time at;
  std::string domain;  ///< of the tenant; empty: the gateway itself
  unsigned engine = 0;
  std::string kind, detail;
};

/// The newest `limit` of those at or after `since`.
struct incident_query {
  wall_time since;
  unsigned limit = 100;
};

/// What became of a reload: either `errors`, and nothing was changed, or the other three.
struct reload_outcome {
  std::vector<std::string> errors, warnings;
  std::vector<settings::changed_key> changed;  ///< counts from now on
  std::vector<settings::changed_key> waiting;  ///< counts after a restart
};

/// A source or sender that the operator wants not to hear.
struct blocked_source {
  std::string what;
  std::optional<wall_time> until;
  bool configured = false;  ///< it stands in gateway.block
};

/// What a look at the store found; see store/.
struct store_report {
  std::string store;                  ///< where it is, as in "status"
  std::vector<std::string> problems;  ///< empty: it is sound
  bool writes = false;
  std::string why;  ///< if it does not write
  std::uint64_t bytes = 0;
  struct table {
    std::string name;
    std::uint64_t rows = 0, expired = 0;
  };
  std::vector<table> tables;
};

/// How other servers reach us with TLS from the first byte, see host_meta.hpp.
struct federation {
  std::vector<std::string> domains;  ///< that they reach here; in A-labels
  std::vector<socket_address> direct_tls;
};

/// What the door shows and does; called on the loop's thread. Each must be set.
struct hooks {
  std::function<std::vector<engine::sample>()> samples;
  std::function<engine::readiness()> readiness;
  /// Further fields of "status", in this order: uptime, configuration file, listeners, store. No secrets.
  std::function<std::vector<std::pair<std::string, std::string>>()> facts;
  std::function<void(log_level)> set_log_level;
  /// Calls `found` once with them, oldest first, at once or later.
  std::function<void(incident_query, std::function<void(const std::vector<incident>&)> found)> incidents;
  /// Why the store cannot be written now; empty: it can.
  std::function<std::string()> store_trouble;
  std::function<std::vector<engine::link_status>()> links;
  std::function<std::vector<engine::sip_peer>()> peers;
  /// The oldest open messages, of one served domain or (empty) of all.
  std::function<std::vector<engine::session>(const std::string& domain, std::size_t limit)> sessions;
  std::function<engine::open_work()> open;
  std::function<reload_outcome()> reload;
  /// What the last reload left for a restart.
  std::function<std::vector<settings::changed_key>()> waiting;
  /// The end, with gateway.drain or another limit. False: it has begun already.
  std::function<bool(std::optional<duration>)> drain;
  std::function<std::vector<blocked_source>()> blocks;
  /// Empty, or why not.
  std::function<std::string(const std::string& what, std::optional<duration>)> add_block;
  std::function<std::string(const std::string& what)> remove_block;
  /// What is known of a user's client, by a SIP URI or a JID; nullopt: that names no user.
  std::function<std::optional<engine::peer_record>(const std::string& user)> peer_record;
  /// Empty, or why not.
  std::function<std::string(const std::string& user)> forget_peer;
  /// Calls `checked` once, at once or later.
  std::function<void(std::function<void(const store_report&)> checked)> check_store;
  /// Streams with other servers, with one domain or (empty) with all.
  std::function<std::vector<engine::server_stream>(const std::string& domain, std::size_t limit)> streams;
  std::function<std::vector<std::string>()> served;  ///< XMPP names of the served domains
  std::function<admin::federation()> federation;
};

/// How long a client may take for a request, from the first byte awaited to the last one written.
struct time_limits {
  duration http = std::chrono::seconds(10);
  duration control = std::chrono::seconds(60);
};

/// Listens from construction to stop(). One per daemon; runs on the loop of `context`, which must outlive it.
///
/// /readyz also says when the store cannot be written, which is no reason to take no work.
/// HTTP: GET and HEAD only; header 8 kB, no body, 10 s for each request, 64 connections; above that the
/// connection is closed. /.well-known/host-meta.json is for everybody's eyes, the rest is not: a web server
/// passes on this path alone, with the Host that it was asked. /status is what the command `status` answers.
/// Control: a Unix stream socket of mode 0600; one command a line (at most 4 kB), one JSON object a line as
/// the answer:
///   status            {"version":..,"ready":..,"why":..,<facts>,"links":[..],"waiting_for_restart":[..],
///                     "samples":[{"name":..,"labels":{..},"value":..}]}
///   version           {"version":..}
///   incidents SINCE LIMIT  {"incidents":[{"at":"2026-01-31T12:00:00Z","domain":..,"engine":0,"kind":..,
///                     "detail":..},..]}, oldest first; SINCE in seconds since 1970, LIMIT 1 to 1000
///   sessions LIMIT [DOMAIN]  {"open":..,..,"sessions":[..]}, the oldest first; LIMIT 1 to 1000
///   peer show [DOMAIN|ADDRESS]  {"links":[..],"streams":[..],"peers":[..]}
///   peer show USER    {"user":..,"capabilities":[..]}; USER: a SIP URI, or a JID with "@"
///   peer forget USER  {"ok":true,"forgotten":..}
///   store check       {"store":..,"sound":..,"writes":..,"why":..,"bytes":..,"tables":[..],"problems":[..]}
///   blocks            {"blocks":[..]}
///   block WHAT [SECONDS], unblock WHAT   {"ok":true,..}; WHAT: address, network, bare JID,
///                     domain, sip:user@domain or sip:domain
///   reload            {"ok":true,"changed":[..],"waiting_for_restart":[..]} or {"error":..,"errors":[..]}
///   drain [SECONDS]   {"ok":true}
///   log-level LEVEL   {"ok":true,"level":..} with LEVEL debug, info, warning or error
/// and {"error":..} for anything else. At most 16 connections, each closed after 60 s without a command.
class server {
 public:
  /// Empty `listen` or `control` leaves that door out. The socket file of a daemon that died is replaced; one
  /// that answers is an error. An error's detail begins with the key: "admin.listen: ...".
  static result<std::unique_ptr<server>> start(boost::asio::io_context& context, const settings::admin& where,
                                               const hooks& h, const time_limits& limits = {});
  ~server();  ///< stops
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Closes listeners and connections and removes the socket file. Handlers still in the loop do nothing any
  /// more.
  void stop();
  /// The port that HTTP listens on (admin.listen may say 0); 0: none.
  std::uint16_t http_port() const;

 private:
  struct impl;
  explicit server(std::unique_ptr<impl> i);
  std::unique_ptr<impl> impl_;
};

/// The text of /metrics: each sample as stox_NAME, counters ending in _total; one HELP and TYPE per name.
std::string render_metrics(const std::vector<engine::sample>& samples);

}  // namespace stox::admin
