#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/net_address.hpp"

/// What an operator may look at, as values: no bodies, no secrets, bounded where peers decide the number.
namespace stox::engine {

/// One component link.
struct link_status {
  std::string domain, server;
  std::string_view state;  ///< "up", "connecting", "waiting", "closing", "idle"
  bool up = false;
  bool leaving = false;  ///< a reload took it away or replaced it; it ends when its work is done
  wall_time since;       ///< it is up, or not up
  std::string why;       ///< while it is not up: the last loss or refusal
  std::uint64_t connects = 0, losses = 0;
  std::uint64_t queued = 0, unconfirmed = 0;  ///< stanzas that wait for it, and for the server's confirmation
};

/// One stream between us and another server.
struct server_stream {
  std::string domain, peer;    ///< ours, and the other server's; empty: not said yet
  std::string address;         ///< of the other server
  std::string_view direction;  ///< "in": it connected; "out": we did; "both": stanzas go both ways
  std::string_view proof;      ///< how it was made sure of: "certificate", "dialback", "none" (yet)
  bool tls = false;
  bool managed = false;  ///< what is sent is counted, and a broken stream can be resumed
  wall_time since;
  std::uint64_t stanzas_in = 0, stanzas_out = 0;
};

/// A message that is open; to SIP, a lane with what waits behind its pending message.
struct session {
  std::string_view direction, state;
  std::string conversation, call_id, stanza_id, from, to;
  wall_time begun;
  std::size_t waiting = 0;
};

/// A SIP server that requests go to, or (port 0) the clients at one address.
struct sip_peer {
  transport via{};
  socket_address at;
  std::string_view state;  ///< "ok", "penalty" (tried last), "paused" (it asked for that)
  duration left{};         ///< of penalty or pause
  std::size_t streams = 0, stalled = 0, requests = 0;
  std::uint64_t failures = 0;
  std::string last_error;
};

/// One thing that is known of a user's client.
struct peer_fact {
  std::string feature, value, how;
  wall_time learned, expires;
};
/// The capability record of one user; `name` as gateway::peer_name() gives it.
struct peer_record {
  std::string name;
  std::vector<peer_fact> facts;
};

/// Open work in numbers.
struct open_work {
  std::size_t messages = 0, conversations = 0;
  std::uint64_t server_transactions = 0, client_transactions = 0;
};

}  // namespace stox::engine
