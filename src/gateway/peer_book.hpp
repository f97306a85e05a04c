#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_account.hpp"
#include "base/instant.hpp"
#include "base/stored_row.hpp"
#include "gateway/peer_lessons.hpp"
#include "gateway/recent_map.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::gateway {

struct domains;

enum class known : std::uint8_t { unknown, yes, no };

/// When something was learned, for who asks and for the store, and until when it counts.
struct learned_when {
  wall_time learned;
  steady_time until;
};

/// One thing that is known of a peer, with when and how it was learned.
struct fact {
  known value = known::unknown;
  learned_by how{};
  learned_when when;
};

/// What is known of one user's clients.
struct peer_caps {
  std::array<fact, feature_count> facts;
  std::vector<std::string> accepts;  ///< media types that his client said it takes; empty: nothing is known
  learned_when accepts_when;

  known of(feature f) const { return facts[static_cast<std::size_t>(f)].value; }
  /// To send a form that is not known to be understood costs the message a round, or its text.
  bool can(feature f) const { return of(f) == known::yes; }
};

/// The name of a user's record: his AOR ("sip:bo@sip.example") where his domain is served, so that he is on
/// SIP, else his bare JID. nullopt: an address without a SIP form.
std::optional<std::string> peer_name(const xmpp::jid& user, const domains& d);
/// The same for what an operator writes: a URI (sip:, im:, tel:) or a JID, of either side, in any spelling.
/// nullopt: it names no user.
std::optional<std::string> peer_name(std::string_view typed, const domains& d);

/// The capability records of SIP users and XMPP users, by peer_name(). What is learned is saved through the
/// sink, at most once a day while nothing changes, and comes back by restore() after a restart; rows expire
/// in the store by themselves. Bounded: at most `most` records, and an eighth of the byte account; the
/// stalest are forgotten first, and a peer that is forgotten gets the plain form until he shows more. How
/// long something counts is reckoned on the steady clock; a row from a clock that was ahead counts for as
/// long as what is learned now, and is renewed with the next lesson.
class peer_book {
 public:
  static constexpr std::size_t most = 100'000;
  static constexpr std::size_t most_types = 16;       ///< of one Accept; the rest is not kept
  static constexpr std::size_t most_type_bytes = 64;  ///< longer ones are not kept

  /// Clients are replaced seldom and mostly by newer ones, and a form that is refused all the same costs one
  /// more round: a month. A phone may be updated any day, and a "no" that is out of date withholds receipts
  /// and typing notices from its user: a day.
  static constexpr auto yes_lasts = std::chrono::hours(24 * 30);
  static constexpr auto no_lasts = std::chrono::hours(24);

  /// `memory` outlives it. `seed`: of the look-up by names, which others choose; random in a running gateway.
  explicit peer_book(byte_account& memory, std::uint64_t seed = 0)
      : memory_(memory), share_(SIZE_MAX, memory), records_(most, seed) {}

  /// nullptr: nothing is known. Valid until the next call that is not const. Facts that have expired are
  /// unknown again.
  const peer_caps* find(std::string_view name, instant now);
  /// For who only looks: expired facts may still stand in it.
  const peer_caps* peek(std::string_view name) const;

  /// `domain`: the served domain's XMPP name, for the rows. The newest lesson counts, but for one thing: that
  /// a form was refused is believed more than the peer's word (Accept) until it expires, or the peer
  /// sends that form itself.
  void learn(std::string_view name, std::string_view domain, const lessons& what, instant now,
             row_sink& rows);
  /// One lesson by itself.
  void learn(std::string_view name, std::string_view domain, lesson what, instant now, row_sink& rows) {
    learn(name, domain, lessons{{what}, {}}, now, rows);
  }
  /// What the store may hold goes as well. Whether anything was known here.
  bool forget(const std::string& name, row_sink& rows);

  void restore(const capability_row& row, instant now);
  /// Forgets records in which nothing can be left; called about once a minute.
  void expire(steady_time now) { records_.expire(now - yes_lasts); }

  std::size_t size() const { return records_.size(); }
  std::size_t memory_used() const { return share_.used(); }

 private:
  struct record {
    peer_caps caps;
    charge memory;
  };
  record& get(std::string_view name, steady_time now);
  void weigh(record& r, std::string_view name);
  void learn_types(record& r, std::string_view name, std::string_view domain,
                   const std::vector<std::string>& types, instant now, row_sink& rows);

  const byte_account& memory_;
  byte_account share_;  ///< of memory_; the records' charges end before it
  recent_map<record> records_;
};

}  // namespace stox::gateway
