#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "base/ids.hpp"
#include "base/instant.hpp"
#include "base/io.hpp"
#include "base/log.hpp"
#include "base/redacted.hpp"
#include "xml/element.hpp"
#include "xml/reader.hpp"
#include "xmpp/wire/stanza.hpp"

namespace stox::xmpp {

/// One configured component; its number is its place in the configuration, from 1.
enum class link_id : std::uint32_t { none = 0 };
/// Names a stanza that somebody wants to hear the fate of.
enum class stanza_ref : std::uint64_t { none = 0 };

struct component_options {
  std::string domain;  ///< what we are: "sip.example"
  std::string host;    ///< of the XMPP server: name or literal
  std::uint16_t port = 5347;
  redacted secret;
  unsigned fence_stanzas = 64;                            ///< a ping at the latest after so many stanzas
  duration fence_age = std::chrono::milliseconds(20);     ///< or after the oldest unconfirmed one is this old
  duration fence_timeout = std::chrono::seconds(10);      ///< a ping unanswered for so long: the link is dead
  duration idle_ping = std::chrono::seconds(60);          ///< a ping where nothing else was heard for so long
  duration handshake_timeout = std::chrono::seconds(10);  ///< from connect to <handshake/>
  duration backoff_min =
      std::chrono::milliseconds(500);  ///< the first reconnect waits up to this, then doubled
  duration backoff_max = std::chrono::seconds(60);
  std::size_t queue_bytes = std::size_t{4} * 1024 * 1024;  ///< stanzas kept while the link is down
  xml::read_limits limits;
};

// ---- what flows hear ----

/// The handshake was answered: stanzas can go.
struct link_up {
  link_id link{};
};
/// The link went (or could not be made). Every stanza_ref that was not confirmed has been told by stanza_lost
/// before this.
struct link_down {
  link_id link{};
  std::string why;  ///< our words: "handshake refused: not-authorized", "connection refused", ...
  /// After stop() or give_up(): stanzas of send_or_queue that the server did not confirm, or never got.
  std::vector<std::string> unheard;
};
struct stanza_received {
  link_id link{};
  xml::element value;
};
/// One that is above the limits of the reader; the link goes on.
struct stanza_refused {
  link_id link{};
  xml::element head;  ///< see xml::refused_stanza
  error why;
};
/// The kernel took the stanza's bytes.
struct stanza_sent {
  stanza_ref ref{};
};
/// The server answered a ping that was written after the stanza: it has processed it. The ref is void from
/// then on.
struct stanza_confirmed {
  stanza_ref ref{};
};
/// The link went before the server confirmed. Whether it was processed is not known, unless it never left
/// (`written` false).
struct stanza_lost {
  stanza_ref ref{};
  bool written = false;
  std::optional<stanza_error> why = {};  ///< of one that never left: what its sender is to hear
};
using component_event = std::variant<link_up, link_down, stanza_received, stanza_refused, stanza_sent,
                                     stanza_confirmed, stanza_lost>;

struct component_stats {
  bool up = false;
  std::uint64_t connects = 0, losses = 0, handshake_failures = 0, stream_errors = 0;
  std::uint64_t stanzas_in = 0, stanzas_out = 0, pings = 0;
  std::uint64_t queued = 0, queued_bytes = 0,
                queue_refused = 0;  ///< waiting for the link now; refused because full
  std::uint64_t unconfirmed = 0;    ///< stanzas with a ref, written and not confirmed
  std::uint64_t tracked = 0;        ///< the same for those of send_or_queue
};

/// Where a link stands, for people.
struct component_status {
  std::string_view state;  ///< "up", "connecting", "waiting" (for the next attempt), "closing", "idle"
  instant since;           ///< it is up, or not up
  std::string why;         ///< of the last loss or refusal while it is not up
};

/// One XEP-0114 component link: connect, handshake, stanzas both ways, fence, reconnect with jittered
/// back-off. Sans-I/O; deadlines in the engine's index under timer_owner::xmpp with its link number as key.
/// References outlive it.
///
/// The fence: after at most fence_stanzas stanzas or fence_age, an XEP-0199 ping to the component's own
/// domain follows them. The server routes it back to us; because a server handles one stream's stanzas in
/// order (RFC 6120 §10.1), its return proves that everything written before it was processed. It asks nothing
/// of the server's configuration; see docs/decisions.
class component {
 public:
  component(link_id id, component_options options, deadline_index& deadlines, id_source& ids,
            byte_account& memory, io_port& io);
  ~component();
  component(const component&) = delete;
  component& operator=(const component&) = delete;

  void start(instant now);
  /// Before start(): stanzas are kept, and nothing is opened yet, because another link still has the domain.
  void hold();
  /// Writes what is queued and the closing tag, and closes when the server has done the same; no reconnect.
  /// Messages that still come are handed over, but nothing can be sent any more. link_down follows.
  void stop(instant now);
  /// The same without waiting for the end of the connection.
  void give_up(instant now);

  /// Whether the event belongs to this link's connection (or to a token of its).
  bool owns(const io::event& event) const;
  void handle(const io::event& event, instant now);
  void handle_timeout(instant now);

  link_id id() const;
  bool up() const;
  component_status status() const;
  bool stopped() const;  ///< or not started
  /// True between blocked and writable: no new work for this direction should be taken.
  bool blocked() const;

  /// Sends one stanza now. False if the link is not up: nothing was taken.
  /// With a ref, its fate is told: sent and then confirmed, or lost.
  bool send(std::string_view stanza, stanza_ref ref, instant now);
  /// For stanzas that nobody waits for (errors, receipts): sends now or keeps it until the link is up, and
  /// sends it again if the link goes before the server confirmed it. False if the queue is full.
  bool send_or_queue(std::string stanza, instant now);

  std::optional<component_event> poll();
  std::vector<log_record> take_log();
  const component_stats& stats() const;
  const component_options& options() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace stox::xmpp
