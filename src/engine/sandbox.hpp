#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/instant.hpp"
#include "base/log.hpp"
#include "engine/engine.hpp"
#include "settings/settings.hpp"

namespace stox::engine {

/// An engine in a box: virtual time, counted ids, and the far ends played by the box itself - an XMPP server
/// that accepts every component and answers its pings, and a SIP peer at a fixed address. For explain,
/// replay, scenario tests and fuzzing: no socket is opened.
class sandbox {
 public:
  /// One thing that left the engine.
  struct output {
    enum class side : std::uint8_t { sip, xmpp, log, incident, row } where{};
    std::string text;    ///< SIP message or stanza, as on the wire; for log: "event key=value ..."; for
                         ///< incident: "kind domain=... call_id=... ..."; for row: what a trace has of it
    std::string domain;  ///< of the component, for xmpp
    socket_address to;   ///< for sip
    transport via{};     ///< for sip
  };
  struct options {
    bool links_up = true;      ///< the components are connected when the box opens
    bool auto_sent = true;     ///< the kernel takes every write at once
    bool auto_confirm = true;  ///< the server answers each fence ping at once
    std::optional<std::size_t>
        fail_write;                       ///< the write with this number (from 0, handshakes included) fails
    std::vector<stored_row> stored = {};  ///< what the store holds when the box opens
  };

  explicit sandbox(settings::all settings) : sandbox(std::move(settings), options{}) {}
  sandbox(settings::all settings, options how);
  ~sandbox();
  sandbox(const sandbox&) = delete;
  sandbox& operator=(const sandbox&) = delete;

  /// Settings that explain uses without a configuration: serves sip.example, any XMPP domain, trusts
  /// 192.0.2.0/24.
  static settings::all sample_settings();

  void sip(std::string_view bytes);  ///< arrives from the SIP peer, 192.0.2.1:5060
  void sip_from(const socket_address& from, std::string_view bytes);
  /// Arrives on a TLS connection of its own, whose peer proves these domains; none: it shows no certificate.
  void sip_over_tls(const socket_address& from, std::vector<std::string> proven, std::string_view bytes);
  /// What TLS servers prove from now on; before, each proves the domain that it is asked for.
  void prove(std::vector<std::string> domains);
  void xmpp(std::string_view stanza);  ///< arrives on the first component's link
  void xmpp(std::string_view domain, std::string_view stanza);
  /// Moves time, stopping at every deadline on the way.
  void advance(duration d);
  void turn_wall_clock(duration by);  ///< somebody sets the clock; what is steady does not notice
  /// One more listener; without it, only IPv4 is there.
  void listen(transport via, const socket_address& at);
  void link_down(std::string_view domain);  ///< one component's stream is closed; reconnects are refused
  void link_down();  ///< the server closes every component stream; reconnects are refused until link_up
  void link_up();
  /// The XMPP servers stop reading: what was written stands above the high-water mark of every link; or they
  /// read again.
  void congest(bool yes);
  /// A record of the zone that the DNS knows; its data as on the wire. No data: questions about it fail.
  void know(io::record_type type, const std::string& name, std::string data);
  void confirm();            ///< answers the outstanding pings (when auto_confirm is off)
  void write_done(bool ok);  ///< the kernel takes / refuses all waiting writes (when auto_sent is off)
  void handle(const event& e);
  /// The rim ends without waiting, and a new engine begins with what the store holds. Time and ids go on.
  void restart();

  /// What left since the last call, in order. Pings, handshakes and stream headers are the box's own business
  /// and not listed.
  std::vector<output> take();
  const std::vector<stored_row>& stored() const;  ///< what a store would hold now
  bool connected() const;                         ///< whether any component link has its stream
  std::size_t writes() const;                     ///< how many writes the engine has asked for
  stox::engine::engine& core();
  instant now() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace stox::engine
