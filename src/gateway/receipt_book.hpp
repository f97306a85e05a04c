#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/byte_account.hpp"
#include "base/instant.hpp"
#include "base/stored_row.hpp"
#include "gateway/recent_map.hpp"

namespace stox::gateway {

/// What the sender of a message may be told of it.
enum class receipt_kind : std::uint8_t {
  delivered,  ///< IMDN positive-delivery; XEP-0184
  failed,     ///< IMDN negative-delivery; a stanza error
  displayed,  ///< IMDN display; the marker "displayed" of XEP-0333
};

/// The receipts that senders wait for. A message to SIP that asks for IMDN stands here under the Message-ID
/// that we gave it, a message to XMPP under our stanza id, each together with both users' addresses: only the
/// one to whom the message went can answer for it. What was asked is given out once for each kind, and never
/// both delivered and failed, so that no receipt is sent twice and none contradicts another. All that is open
/// is saved, and comes back by restore() after a restart; it ends after a day. Bounded like peer_book: what
/// was opened longest ago goes first, and its sender hears nothing more, which is what a client without
/// receipts looks like to him.
class receipt_book {
 public:
  static constexpr std::size_t most = 100'000;
  static constexpr auto lasts = std::chrono::hours(24);

  /// `memory` outlives it.
  explicit receipt_book(byte_account& memory) : memory_(memory), share_(SIZE_MAX, memory), entries_(most) {}

  /// A message goes out for which something was asked; nothing was: nothing happens. The expiry is set here.
  void open(receipt_row asked, instant now, row_sink& rows);
  /// A message to SIP had its 2xx: from now on its failure is told by a report, if at all, and before that by
  /// the answer itself (RFC 5438 §12.1.3.1).
  void accepted(const receipt_key& key, instant now, row_sink& rows);
  /// That has come to pass. The entry as it was, if its sender waits for this and was not told before;
  /// otherwise nobody is to be told. `failed` ends the entry; `delivered` and `displayed` rule out `failed`,
  /// also where they were not asked for.
  std::optional<receipt_row> take(const receipt_key& key, receipt_kind what, instant now, row_sink& rows);
  /// Its sender was told the end otherwise (an error answered the message itself): nothing is owed any more.
  void close(const receipt_key& key, row_sink& rows);

  void restore(receipt_row row, instant now);
  /// Called about once a minute.
  void expire(steady_time now) { entries_.expire(now - lasts); }

  std::size_t size() const { return entries_.size(); }
  std::size_t memory_used() const { return share_.used(); }

 private:
  struct entry {
    receipt_row row;
    bool arrived = false;  ///< a report said so: it cannot fail any more
    charge memory;
  };
  void keep(receipt_row row, steady_time now);

  const byte_account& memory_;
  byte_account share_;  ///< of memory_; the entries' charges end before it
  recent_map<entry> entries_;
};

}  // namespace stox::gateway
