#include "gateway/rate_limit.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace stox::gateway {

namespace {

constexpr rate one_line{std::chrono::minutes(1), {}};
constexpr rate refusals{std::chrono::seconds(6), std::chrono::minutes(2)};
constexpr rate one_loop{std::chrono::minutes(5), {}};
constexpr rate all_loops{std::chrono::seconds(15), std::chrono::minutes(5)};

std::uint64_t random_word(id_source& ids) {
  constexpr auto half = std::uint64_t{1} << 32U;
  return ids.below(half) << 32U | ids.below(half);
}

/// An address holds no NUL, so no two pairs give one key.
std::string key_of(std::string_view a, std::string_view b) {
  std::string key;
  key.reserve(a.size() + b.size() + 1);
  return key.append(a).append(1, '\0').append(b);
}

/// The number of a pair, in its order, from those of its ends.
std::uint64_t of_two(std::uint64_t a, std::uint64_t b) { return a * 0xBF58476D1CE4E5B9U + b; }

}  // namespace

std::optional<rate> rate::per_minute(unsigned messages, duration burst) {
  if (messages == 0) return std::nullopt;
  return rate{std::chrono::duration_cast<duration>(std::chrono::minutes(1)) / messages, burst};
}

std::string_view cause_of(rate_scope s) {
  switch (s) {
    case rate_scope::sender: return "rate_sender";
    case rate_scope::pair: return "rate_pair";
    case rate_scope::domain: return "rate_domain";
    case rate_scope::notice: return "rate_notice";
  }
  return "?";
}

rate_limit::rate_limit(byte_account& memory, id_source& ids)
    : hash_(random_word(ids), random_word(ids)), memory_(memory, (sets + notice_sets) * sizeof(set)) {}

void rate_limit::prefetch(rate_scope scope, std::uint64_t key) const {
  if (!table_.empty()) __builtin_prefetch(&table_[name_of(scope, key) % sets]);
}

std::optional<duration> rate_limit::take(rate_scope scope, std::string_view key, const rate& r,
                                         steady_time now) {
  return take(scope, hash_(key), r, now);
}

std::optional<duration> rate_limit::take(rate_scope scope, std::uint64_t key, const rate& r,
                                         steady_time now) {
  if (table_.empty()) {
    table_.resize(sets);
    notices_.resize(notice_sets);
  }
  const auto name = name_of(scope, key);
  // Lines are asked for by what has no other limit: they must not push out what limits.
  auto& places = scope == rate_scope::notice ? notices_[name % notice_sets] : table_[name % sets];
  auto* at = std::find_if(places.begin(), places.end(), [name](const bucket& b) { return b.key == name; });
  if (at == places.end()) {
    at = std::min_element(places.begin(), places.end(),
                          [](const bucket& a, const bucket& b) { return a.full_at < b.full_at; });
    *at = {name, now};
  }
  // A reload may have made the bucket smaller than what was taken from it.
  const auto size = std::max(r.burst, r.interval);
  const auto missing = std::clamp<duration>(at->full_at - now, duration::zero(), size);
  if (missing + r.interval > size) {
    at->full_at = now + missing;
    return missing + r.interval - size;
  }
  at->full_at = now + missing + r.interval;
  return std::nullopt;
}

std::optional<rate_refusal> refuse_rate(rate_limit& buckets, const rated_message& m,
                                        const settings::limits& limits, unsigned per_domain,
                                        steady_time now) {
  const auto refused = [&](rate_scope scope, std::uint64_t key,
                           unsigned messages) -> std::optional<rate_refusal> {
    const auto r = rate::per_minute(messages, limits.rate_burst);
    if (!r) return std::nullopt;
    const auto wait = buckets.take(scope, key, *r, now);
    if (!wait) return std::nullopt;
    const auto line = key + buckets.hash(cause_of(scope));
    return rate_refusal{scope, *wait, !buckets.take(rate_scope::notice, line, one_line, now)};
  };
  const auto from = buckets.hash(m.from);
  buckets.prefetch(rate_scope::sender, from);
  const auto pair = of_two(from, buckets.hash(m.to));
  buckets.prefetch(rate_scope::pair, pair);
  if (auto r = refused(rate_scope::sender, from, limits.rate_per_sender)) return r;
  if (auto r = refused(rate_scope::pair, pair, limits.rate_per_pair)) return r;
  if (per_domain == 0) return std::nullopt;
  return refused(rate_scope::domain, of_two(buckets.hash(m.from_domain), buckets.hash(m.served_domain)),
                 per_domain);
}

bool allows_typing(rate_limit& buckets, std::string_view from, std::string_view to,
                   const settings::limits& limits, steady_time now) {
  const auto r = rate::per_minute(limits.rate_per_pair, limits.rate_burst);
  if (!r) return true;
  // Whoever types to ever new contacts is one typist.
  return !buckets.take(rate_scope::sender, key_of("typing", from), *r, now) &&
         !buckets.take(rate_scope::pair, key_of("typing", key_of(from, to)), *r, now);
}

std::int64_t seconds_of(duration wait) {
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count());
}

bool tells_refusal(rate_limit& buckets, std::string_view cause, std::string_view from, steady_time now) {
  return !buckets.take(rate_scope::notice, key_of(cause, from), refusals, now);
}

bool tells_loop(rate_limit& buckets, std::string_view from, std::string_view to, steady_time now) {
  return !buckets.take(rate_scope::notice, key_of("loop", key_of(from, to)), one_loop, now) &&
         !buckets.take(rate_scope::notice, "loops", all_loops, now);
}

}  // namespace stox::gateway
