#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "base/ids.hpp"
#include "base/instant.hpp"
#include "base/io.hpp"
#include "base/log.hpp"
#include "dns/resolver.hpp"
#include "xmpp/machine/component.hpp"
#include "xmpp/machine/s2s_options.hpp"

namespace stox::xmpp {

/// What flows hear, of which of our domains: the events of a component link. Instead of link_up and link_down
/// each stanza is told by itself; link_down only carries stanzas of send_or_queue that nobody will get.
struct federation_event {
  std::string domain;
  component_event what;
};

struct federation_stats {
  std::uint64_t streams_in = 0, streams_out = 0;  ///< now, with a domain that is proved
  std::uint64_t unproved = 0;                     ///< now: accepted, and nothing proved yet
  std::uint64_t connecting = 0, waiting = 0;  ///< domains that are being reached; that wait for their turn
  std::uint64_t queued = 0, queued_bytes = 0, unconfirmed = 0;
  std::uint64_t by_certificate = 0, by_dane = 0, by_dialback = 0;  ///< domains that were proved to us, ever
  std::uint64_t reached = 0, unreachable = 0;                      ///< domains that we tried to reach, ever
  std::uint64_t refused_address = 0, refused_unproved = 0, refused_memory = 0;  ///< accepted, over a limit
  std::uint64_t keys_refused = 0;                ///< dialback keys that were not valid
  std::uint64_t stream_errors = 0;               ///< that we had to send
  std::uint64_t resumed = 0, lost_sessions = 0;  ///< XEP-0198
  std::uint64_t stanzas_in = 0, stanzas_out = 0, queue_refused = 0;
};

/// One stream, for people.
struct federation_row {
  std::string local, remote;
  std::string peer;  ///< the address
  bool incoming = false, tls = false, certificate = false, bidi = false, managed = false;
  bool up = false;
  instant since;
  std::uint64_t stanzas_in = 0, stanzas_out = 0;
};

/// All streams between our served domains and other servers. Sans-I/O; deadlines under timer_owner::s2s.
///
/// A stanza for a domain goes over the stream of its two domains. Where there is none it waits, bounded in
/// number, bytes and time, while one is made: found by the DNS, its addresses raced, proved in both
/// directions. What cannot be delivered is told with the reason. What a stream was given and did not confirm
/// when it broke is told as lost, or goes on where the peer can resume (XEP-0198).
class federation {
 public:
  /// References outlive it.
  federation(federation_options options, deadline_index& deadlines, id_source& ids, byte_account& memory,
             io_port& io, dns::resolver& dns);
  ~federation();
  federation(const federation&) = delete;
  federation& operator=(const federation&) = delete;

  /// New rules: streams of domains that are no longer served end; the others go on.
  void configure(federation_options options, instant now);
  void handle(const io::event& event, instant now);
  void resolved(const dns::resolver::answered& a, instant now);
  void handle_timeout(std::uint64_t key, instant now);
  void tidy(instant now);

  /// Whether the stream of the two is above its high-water mark: no new work should be taken.
  bool blocked(std::string_view domain, std::string_view to) const;
  /// Takes one stanza; its fate is told: sent and then confirmed, or lost. False: no room.
  bool send(std::string_view domain, std::string_view to, std::string text, stanza_ref ref, instant now);
  /// For stanzas that nobody waits for: sent again if their stream is lost before it confirmed them.
  bool send_or_queue(std::string_view domain, std::string_view to, std::string text, instant now);

  /// Whether nothing waits to be sent or confirmed.
  bool is_confirmed() const;
  /// Closes every stream in good order; what still waits is told as undeliverable.
  void stop(instant now);
  /// The same without waiting.
  void give_up(instant now);
  bool stopped() const;  ///< after stop(): nothing is open any more

  std::optional<federation_event> poll();
  std::vector<log_record> take_log();
  federation_stats stats() const;
  /// The oldest ones, with one domain (ours or another) or (empty) with all.
  std::vector<federation_row> rows(std::string_view domain, std::size_t most) const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace stox::xmpp
