#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/byte_account.hpp"
#include "base/ids.hpp"
#include "base/instant.hpp"
#include "base/keyed_hash.hpp"
#include "settings/settings.hpp"

namespace stox::gateway {

/// A token bucket: a token comes every `interval`, and as many fit in as come in `burst`, at least one.
struct rate {
  duration interval{};
  duration burst{};
  /// 0 a minute: no limit.
  static std::optional<rate> per_minute(unsigned messages, duration burst);
};

/// What a bucket counts: its key is (kind, text).
enum class rate_scope : std::uint8_t {
  sender,  ///< a user, over all whom he writes to
  pair,    ///< a user and one of his contacts
  domain,  ///< a sender's domain and one served domain
  notice,  ///< log lines about one of the above, or about a loop
};
/// The cause in counters and log: "rate_sender", ...
std::string_view cause_of(rate_scope s);

/// Token buckets by what they count, in a table of fixed size, charged to the account as a whole. A bucket is
/// one time: when it will be full again. One that is full says nothing and gives its place to the next; if
/// all places of a key are taken, the fullest bucket is forgotten, to the advantage of its user. Keys are
/// kept as keyed hashes, so that nobody can aim at the bucket of somebody else.
class rate_limit {
 public:
  /// Takes the hash's key from `ids`; `memory` outlives it.
  rate_limit(byte_account& memory, id_source& ids);
  /// nullopt: a token was there and is taken. Else how long until there is one.
  std::optional<duration> take(rate_scope scope, std::string_view key, const rate& r, steady_time now);
  /// The same by the key's hash, or by a number that is made of several.
  std::optional<duration> take(rate_scope scope, std::uint64_t key, const rate& r, steady_time now);
  std::uint64_t hash(std::string_view key) const { return hash_(key); }
  /// Has the memory brought that take() of a scope other than notice will look at.
  void prefetch(rate_scope scope, std::uint64_t key) const;

  std::size_t memory_used() const { return memory_.size(); }

 private:
  struct bucket {
    std::uint64_t key = 0;
    steady_time full_at{};
  };
  static constexpr std::size_t ways = 4;  ///< 64 bytes: asking touches one line of the cache
  static constexpr std::size_t sets = 16'384, notice_sets = 2'048;
  using set = std::array<bucket, ways>;
  /// The scope stands in the number, not in the text: the text need not be copied.
  static std::uint64_t name_of(rate_scope scope, std::uint64_t key) {
    return key + static_cast<std::uint64_t>(scope) * 0x9E3779B97F4A7C15U;
  }

  keyed_hash hash_;
  charge memory_;           ///< of the table, from the beginning
  std::vector<set> table_;  ///< made at the first use, as
  std::vector<set> notices_;
};

/// One message as the limits see it: bare addresses and domains.
struct rated_message {
  std::string_view from, to;
  std::string_view from_domain, served_domain;
};

struct rate_refusal {
  rate_scope scope{};
  duration wait{};
  bool tell = false;  ///< into the log: once a minute for each bucket
};

/// Counts a message against all limits; nullopt: it may go. `per_domain`: messages a minute, of the served
/// domain's own rules.
std::optional<rate_refusal> refuse_rate(rate_limit& buckets, const rated_message& m,
                                        const settings::limits& limits, unsigned per_domain, steady_time now);

/// Whether one more typing notice of that pair may go. The sender and the pair have buckets of their own for
/// them, both of the pair's rate: no text is refused because of them.
bool allows_typing(rate_limit& buckets, std::string_view from, std::string_view to,
                   const settings::limits& limits, steady_time now);

/// For people and Retry-After: whole seconds, at least one.
std::int64_t seconds_of(duration wait);

/// Whether the log should tell a refusal that no rate comes before: of each cause and sender twenty at once
/// and ten a minute.
bool tells_refusal(rate_limit& buckets, std::string_view cause, std::string_view from, steady_time now);

/// Whether the log should tell a loop between the two: once in five minutes, and of all loops together twenty
/// at once and four a minute, since anybody can forge the mark of one.
bool tells_loop(rate_limit& buckets, std::string_view from, std::string_view to, steady_time now);

}  // namespace stox::gateway
