#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

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

std::string_view to_string(receipt_kind what);

/// The receipts that senders wait for. A message to SIP that asks for IMDN stands here under the Message-ID
/// that we gave it, a message to XMPP under our stanza id, each together with both users' addresses: only the
/// one to whom the message went can answer for it. What was asked is given out once for each kind, and never
/// both delivered and failed, so that no receipt is sent twice and none contradicts another. All that is open
/// is saved, and comes back by restore() after a restart; it ends after a day, whatever happens to the wall
/// clock. Bounded for each sender, and in all like peer_book: what was opened longest ago goes first, and its
/// sender hears nothing more, which is what a client without receipts looks like to him.
class receipt_book {
 public:
  static constexpr std::size_t most = 100'000;
  static constexpr std::size_t most_of_one = 1000;  ///< open at a time for one sender
  static constexpr auto lasts = std::chrono::hours(24);

  /// `memory` outlives it. `seed`: of the look-up by names, which others choose; random in a running gateway.
  explicit receipt_book(byte_account& memory, std::uint64_t seed = 0)
      : memory_(memory), share_(SIZE_MAX, memory), entries_(most, seed) {}

  /// A message goes out for which something was asked; nothing was: nothing happens. The expiry is set here.
  void open(receipt_row asked, instant now, row_sink& rows);
  /// A message to SIP had its 2xx: from now on its failure is told by a report, if at all, and before that by
  /// the answer itself (RFC 5438 §12.1.3.1). The entry, where such a report has overtaken the 2xx: its sender
  /// is to be told now.
  std::optional<receipt_row> accepted(const receipt_key& key, instant now, row_sink& rows);
  /// Whether a report said that it arrived, while its message is pending.
  bool arrived(const receipt_key& key) const;
  /// It goes to somebody else now: what was reported of the first try does not count.
  void sent_again(const receipt_key& key, instant now);
  /// That has come to pass. The entry as it was, if its sender waits for this and was not told before;
  /// otherwise nobody is to be told. `failed` ends the entry, whether or not it was asked for; `delivered`
  /// and `displayed` rule it out likewise.
  std::optional<receipt_row> take(const receipt_key& key, receipt_kind what, instant now, row_sink& rows);
  /// The message itself had its end (an error answered it): nothing is owed any more. Whether a report said
  /// before that it arrived.
  bool close(const receipt_key& key, row_sink& rows);

  void restore(receipt_row row, instant now);
  /// Called about once a minute.
  void expire(steady_time now) { entries_.expire(now - lasts); }

  std::size_t size() const { return entries_.size(); }
  std::size_t memory_used() const { return share_.used(); }

 private:
  /// What each sender waits for, by its number, oldest first.
  using sender_map = std::unordered_map<std::string, std::map<std::uint64_t, std::string>>;
  /// One place in it, which ends with its owner.
  class place {
   public:
    place() = default;
    place(sender_map& all, std::string sender, std::uint64_t number)
        : all_(&all), sender_(std::move(sender)), number_(number) {}
    place(place&& other) noexcept { *this = std::move(other); }
    place& operator=(place&& other) noexcept {
      std::swap(all_, other.all_);
      std::swap(sender_, other.sender_);
      std::swap(number_, other.number_);
      return *this;
    }
    ~place();

   private:
    sender_map* all_ = nullptr;
    std::string sender_;
    std::uint64_t number_ = 0;
  };
  struct entry {
    receipt_row row;
    steady_time until;          ///< what row.expiry says is for the next process
    bool arrived = false;       ///< a report said so: it cannot fail any more
    bool pending = false;       ///< to SIP, and not answered yet
    bool failed_early = false;  ///< a report said so while it was pending
    place among;
    charge memory;
  };
  entry& keep(receipt_row row, steady_time until, steady_time now);

  const byte_account& memory_;
  byte_account share_;  ///< of memory_; the entries' charges end before it
  sender_map senders_;  ///< the entries' places end before it
  std::uint64_t last_number_ = 0;
  recent_map<entry> entries_;
};

}  // namespace stox::gateway
