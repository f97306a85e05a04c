#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace stox {

/// A hash of the key that nobody can aim at without knowing the seed: Call-IDs and tags are chosen by users.
inline std::uint64_t key_hash(std::string_view key, std::uint64_t seed) {
  __extension__ using wide = unsigned __int128;
  // Whatever the seed, a factor with bits in all places.
  std::uint64_t secret = (seed + 0x9E3779B97F4A7C15U) * 0xBF58476D1CE4E5B9U;
  secret = ((secret ^ (secret >> 31U)) * 0x94D049BB133111EBU) | 1;
  std::uint64_t h = secret ^ key.size();
  const auto mix = [&h, secret](std::uint64_t word) {
    const wide product = static_cast<wide>(h ^ word) * secret;
    h = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
  };
  std::uint64_t word = 0;
  for (; key.size() >= sizeof word; key.remove_prefix(sizeof word)) {
    std::memcpy(&word, key.data(), sizeof word);
    mix(word);
  }
  word = 0;
  if (!key.empty()) std::memcpy(&word, key.data(), key.size());
  mix(word);
  mix(0x2545F4914F6CDD1DU);
  return h;
}

/// Finds a record, by its number or pointer, by the hash of its key; the keys stay with the records, so
/// `find` asks back which one is meant. Open addressing: a look-up that finds nothing, the usual case for a
/// new request, reads one or two cache lines and allocates nothing.
template <class Number>
class key_index {
 public:
  /// The first number under `hash` for which is_it(number) holds; Number{}: none.
  template <class IsIt>
  Number find(std::uint64_t hash, IsIt is_it) const {
    if (size_ == 0) return Number{};
    for (std::size_t i = hash & mask(); entries_[i].number != Number{}; i = (i + 1) & mask()) {
      if (entries_[i].hash == hash && is_it(entries_[i].number)) return entries_[i].number;
    }
    return Number{};
  }
  /// Has the memory brought that find(hash) will look at: with many records it is in no cache, and whoever
  /// knows the hash early need not wait for it.
  void prefetch(std::uint64_t hash) const {
    if (size_ != 0) __builtin_prefetch(&entries_[hash & mask()]);
  }
  /// `number` is not Number{}. Several may stand under one hash.
  void add(std::uint64_t hash, Number number) {
    if ((size_ + 1) * 2 > entries_.size()) resize(entries_.empty() ? 16 : entries_.size() * 2);
    put({hash, number});
    ++size_;
  }
  void remove(std::uint64_t hash, Number number) {
    if (size_ == 0) return;
    std::size_t gap = hash & mask();
    while (entries_[gap].number != number || entries_[gap].hash != hash) {
      if (entries_[gap].number == Number{}) return;
      gap = (gap + 1) & mask();
    }
    // What stands behind moves up unless it is nearer to its own place than to the gap.
    for (std::size_t i = (gap + 1) & mask(); entries_[i].number != Number{}; i = (i + 1) & mask()) {
      if (((i - entries_[i].hash) & mask()) < ((i - gap) & mask())) continue;
      entries_[gap] = entries_[i];
      gap = i;
    }
    entries_[gap] = {};
    --size_;
    // What a rush needed is given back; the steps are far apart, so that none follows upon another.
    if (entries_.size() > 64 && size_ * 16 < entries_.size()) resize(entries_.size() / 4);
  }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return entries_.size(); }

 private:
  struct entry {
    std::uint64_t hash = 0;
    Number number{};  ///< Number{}: free
  };
  std::size_t mask() const { return entries_.size() - 1; }
  void put(entry e) {
    std::size_t i = e.hash & mask();
    while (entries_[i].number != Number{}) i = (i + 1) & mask();
    entries_[i] = e;
  }
  void resize(std::size_t places) {
    std::vector<entry> old(places);
    old.swap(entries_);
    for (const entry& e : old) {
      if (e.number != Number{}) put(e);
    }
  }

  /// A power of two of them; in use are half at most, of more than 64 a 16th at least.
  std::vector<entry> entries_;
  std::size_t size_ = 0;
};

}  // namespace stox
