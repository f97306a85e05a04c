#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "dns/resolver.hpp"
#include "engine/engine.hpp"
#include "gateway/context.hpp"
#include "gateway/router.hpp"
#include "sip/machine/endpoint.hpp"
#include "xmpp/machine/component.hpp"
#include "xmpp/machine/federation.hpp"

namespace stox::engine {

/// The engine's inside, private to engine.cpp and samples.cpp. It is the flows' context: their commands
/// become calls on the endpoints.
struct engine::impl final : gateway::context {
  impl(settings::all s, id_source& id);

  // gateway::context
  bool draining() const override { return phase_ != phase::running; }
  sip::client_tx request(sip::outgoing out) override;
  void respond(sip::server_tx tx, const sip::reply& r) override { sip_.respond(tx, r, now_); }
  sip::outgoing route(sip::request r, const std::string& host) const override;
  gateway::link_state link(std::string_view domain, std::string_view to) const override;
  bool send(std::string_view domain, std::string_view to, std::string stanza, xmpp::stanza_ref ref) override;
  bool send_or_queue(std::string_view domain, std::string_view to, std::string stanza) override;
  xmpp::stanza_ref new_ref() override { return xmpp::stanza_ref{++last_ref_}; }
  instant now() const override { return now_; }
  id_source& ids() override { return ids_; }
  byte_account& memory() override { return memory_; }
  gateway::counters& counts() override { return counters_; }
  gateway::peer_book& peers() override { return peers_; }
  gateway::receipt_book& receipts() override { return receipts_; }
  void save(stored_row row) override { told_.emplace_back(row_saved{std::move(row)}); }
  void remove(row_key key) override { told_.emplace_back(row_removed{std::move(key)}); }
  const settings::all& settings() const override { return settings_; }
  const gateway::domains& domains() const override { return domains_; }
  void set_timer(timer_handle& handle, std::uint64_t key, std::optional<steady_time> when) override {
    deadlines_.set(handle, {timer_owner::pager, key}, when);
  }
  bool blocks(const xmpp::jid& sender) const override { return blocklist_.holds(sender); }
  bool blocks_sip(const xmpp::jid& sender) const override;
  bool logs(log_level level) const override { return level >= settings_.log.level; }
  void log(log_record record) override {
    if (logs(record.level)) told_.emplace_back(log_line{std::move(record)});
  }
  void raise(incident what) override { told_.emplace_back(incident_raised{std::move(what)}); }

  void start();
  void dispatch(const io::event& e);
  void fire_due();
  void pump();
  void drain_events();
  void reconfigure(const settings::all& s);
  void reconfigure_links();
  void start_links();
  void step_links();
  void block(const blocked& b);
  void unblock(const std::string& what);
  void configure_blocks();
  void take_blocks_over();
  void expire_blocks();
  void restore(const std::vector<stored_row>& rows);
  void arm_blocks();
  void begin_shutdown(duration limit);
  void step_shutdown();
  void say_goodbye();
  void end();
  void force_end();
  void own_timeout(std::uint64_t key);
  stox::engine::readiness readiness() const;
  xmpp::component* find(std::string_view domain) const;  ///< the one that serves the domain
  /// Whether stanzas of the domain to that one go by federation, not by a component link.
  bool federates(std::string_view domain, std::string_view to) const;
  xmpp::component* voice(std::string_view domain) const;  ///< that one, else one that is leaving
  void update_ready();

  enum class phase : std::uint8_t {
    running,
    draining,    ///< no new work; open work goes on until the limit
    confirming,  ///< all work is done; the servers have yet to confirm the last stanzas
    closing,     ///< links are told goodbye
    stopped,
  };

  /// A component link. Those that no longer serve end when their work is done: links.cpp.
  struct component_link {
    enum class stage : std::uint8_t {
      serving,
      finishing,   ///< no new work; what is open goes on until the limit
      confirming,  ///< the limit came: the server has yet to confirm the last stanzas
      closing,     ///< told goodbye
    };
    std::unique_ptr<xmpp::component> wire;
    stage at = stage::serving;
    steady_time limit{};
    std::vector<std::string> reaches;  ///< the domains for which it is the way; empty: all
  };
  const component_link* link_of(xmpp::link_id id) const;
  component_link make_link(const settings::component& c);
  void leave(component_link& l);
  void close(component_link& l);
  bool step_link(component_link& l);
  /// What a link that ended could not write goes to the one that serves its domain now.
  void hand_over(xmpp::link_down& e, const component_link& from);

  settings::all settings_;
  id_source& ids_;
  gateway::domains domains_;
  byte_account memory_;
  byte_account s2s_memory_;  ///< of it: other servers can fill no more than half
  charge rim_queues_;
  deadline_index deadlines_;
  io_port io_;
  gateway::counters counters_;
  dns::resolver dns_;
  sip::endpoint sip_;
  std::vector<component_link>
      links_;  ///< those that serve in the order of the settings, then those that leave
  std::uint32_t last_link_ = 0;
  xmpp::federation federation_;
  gateway::blocklist blocklist_;
  std::set<std::string, std::less<>> blocked_sources_;  ///< as the endpoint knows them
  gateway::peer_book peers_;
  gateway::receipt_book receipts_;
  gateway::router router_;
  std::vector<action> told_;  ///< log lines, incidents and rows
  instant now_;
  phase phase_ = phase::running;
  bool started_ = false;
  timer_handle tidy_timer_, drain_timer_, links_timer_, blocks_timer_;
  std::uint64_t last_ref_ = 0;
  std::size_t taken_ = 0, told_taken_ = 0;  ///< how much of io_'s actions and of told_ poll() has given out
  bool tell_stopped_ = false;
  tap* tap_ = nullptr;
};

}  // namespace stox::engine
