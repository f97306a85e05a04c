#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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

namespace stox::engine {

/// The engine's inside, private to engine.cpp and samples.cpp. It is the flows' context: their commands
/// become calls on the endpoints.
struct engine::impl final : gateway::context {
  impl(settings::all s, id_source& id);

  // gateway::context
  bool draining() const override { return phase_ != phase::running; }
  sip::client_tx request(sip::outgoing out) override;
  void respond(sip::server_tx tx, const sip::reply& r) override { sip_.respond(tx, r, now_); }
  std::vector<sip::destination> route(const std::string& host) const override;
  gateway::link_state link(std::string_view domain) const override;
  bool send(std::string_view domain, std::string stanza, xmpp::stanza_ref ref) override;
  bool send_or_queue(std::string_view domain, std::string stanza) override;
  xmpp::stanza_ref new_ref() override { return xmpp::stanza_ref{++last_ref_}; }
  instant now() const override { return now_; }
  id_source& ids() override { return ids_; }
  byte_account& memory() override { return memory_; }
  gateway::counters& counts() override { return counters_; }
  const settings::all& settings() const override { return settings_; }
  const gateway::domains& domains() const override { return domains_; }
  void set_timer(timer_handle& handle, std::uint64_t key, std::optional<steady_time> when) override {
    deadlines_.set(handle, {timer_owner::pager, key}, when);
  }
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
  void begin_shutdown(duration limit);
  void step_shutdown();
  void say_goodbye();
  void end();
  void force_end();
  void own_timeout(std::uint64_t key);
  stox::engine::readiness readiness() const;
  xmpp::component* find(std::string_view domain) const;
  void update_ready();

  enum class phase : std::uint8_t {
    running,
    draining,    ///< no new work; open work goes on until the limit
    confirming,  ///< all work is done; the servers have yet to confirm the last stanzas
    closing,     ///< links are told goodbye
    stopped,
  };

  settings::all settings_;
  id_source& ids_;
  gateway::domains domains_;
  std::string route_;  ///< Route of every request; empty: none
  byte_account memory_;
  charge rim_queues_;
  deadline_index deadlines_;
  io_port io_;
  gateway::counters counters_;
  dns::resolver dns_;
  sip::endpoint sip_;
  std::vector<std::unique_ptr<xmpp::component>> links_;
  gateway::router router_;
  std::vector<action> told_;  ///< log lines and incidents
  instant now_;
  phase phase_ = phase::running;
  bool started_ = false;
  timer_handle tidy_timer_, drain_timer_;
  std::uint64_t last_ref_ = 0;
  std::size_t taken_ = 0, told_taken_ = 0;  ///< how much of io_'s actions and of told_ poll() has given out
  bool tell_stopped_ = false;
  tap* tap_ = nullptr;
};

}  // namespace stox::engine
