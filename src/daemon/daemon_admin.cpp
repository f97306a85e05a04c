// What the operator asks of the daemon: the admin server's hooks, blocks, metrics.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/deadline.hpp"
#include "daemon/certificates.hpp"
#include "daemon/daemon_impl.hpp"
#include "gateway/blocklist.hpp"

namespace stox::daemon {

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
      if (b.until) until = shown_as(*b.until, at);
      out.push_back({std::move(b.what), until, b.configured});
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
  h.served = [this] { return core->served(); };
  h.federation = [this] {
    admin::federation out{core->federated(), {}};
    for (const auto& l : settings.s2s.tls_listen) out.direct_tls.push_back(l.at);
    return out;
  };
  h.streams = [this](const std::string& domain, std::size_t limit) { return core->streams(domain, limit); };
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

std::string daemon::impl::block(const std::string& what, std::optional<duration> time) {
  const auto name = core->block_name(what);
  if (!name) return what + " is no IP address, network, bare JID, domain, sip:user@domain or sip:domain";
  const auto blocks = core->blocks();
  const auto given = [](const gateway::block& b) { return !b.configured; };
  const auto known = [&](const gateway::block& b) { return given(b) && b.what == *name; };
  const auto count = static_cast<std::size_t>(std::count_if(blocks.begin(), blocks.end(), given));
  if (count >= gateway::blocklist::most && std::none_of(blocks.begin(), blocks.end(), known))
    return "there are " + std::to_string(count) + " blocks already; take some back first";
  say(log_level::warning, "block.begun", {{"what", *name}});
  loop->handle(engine::blocked{*name, time});
  return {};
}

std::string daemon::impl::unblock(const std::string& what) {
  const auto name = core->block_name(what);
  const auto blocks = core->blocks();
  const auto is = [&](bool configured) {
    return std::any_of(blocks.begin(), blocks.end(), [&](const gateway::block& b) {
      return name && b.what == *name && b.configured == configured;
    });
  };
  if (!is(false) && is(true)) return what + " stands in gateway.block; take it out there and reload";
  if (!is(false)) return what + " is not blocked";
  say(log_level::warning, "block.ended", {{"what", *name}});
  loop->handle(engine::unblocked{*name});
  return {};
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
      tcp.refused_full.sip);
  add("s2s_refused_full_total", "Connections of XMPP servers closed at once: above xmpp.s2s.max_streams.",
      tcp.refused_full.s2s);
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

}  // namespace stox::daemon
