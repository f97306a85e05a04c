#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <utility>

#include "base/instant.hpp"
#include "base/key_index.hpp"

namespace stox::gateway {

/// A bounded map from text keys that forgets what was not used for longest: at `capacity` the stalest entry
/// makes room, and `expire` drops what is older than a limit. All operations O(1). When an entry was used is
/// known to the second: one that is used again sooner stays where it is, so that who writes often costs no
/// reordering, which would touch its neighbours in memory.
template <class Value>
class recent_map {
 public:
  static constexpr auto grain = std::chrono::seconds(1);

  /// `seed`: random where keys are others' choice, so that nobody knows which keys stand together.
  recent_map(std::size_t capacity, std::uint64_t seed) : capacity_(capacity), seed_(seed) {}

  /// The entry, marked as used now; nullptr if there is none.
  Value* find(std::string_view key, steady_time now) {
    entry* e = look(key, key_hash(key, seed_));
    return e == nullptr ? nullptr : &touch(*e, now);
  }
  /// The entry without marking it; nullptr if there is none.
  const Value* peek(std::string_view key) const {
    const entry* e = look(key, key_hash(key, seed_));
    return e == nullptr ? nullptr : &e->value;
  }
  /// The entry, made if it is not there, and marked as used now.
  Value& get(std::string_view key, steady_time now) {
    const auto hash = key_hash(key, seed_);
    if (entry* e = look(key, hash)) return touch(*e, now);
    if (entries_.size() >= capacity_) drop_stalest();
    auto& made = entries_.emplace_front();
    made.key = key;
    made.hash = hash;
    made.used = now;
    made.self = entries_.begin();
    index_.add(hash, &made);
    return made.value;
  }
  bool erase(std::string_view key) {
    entry* e = look(key, key_hash(key, seed_));
    if (e == nullptr) return false;
    drop(e->self);
    return true;
  }
  void expire(steady_time older_than) {
    while (!entries_.empty() && entries_.back().used < older_than) drop_stalest();
  }
  /// Forgets the entry that was not used for longest; false if there is none.
  bool forget_stalest() {
    if (entries_.empty()) return false;
    drop_stalest();
    return true;
  }
  /// The same, but never the entry of `kept`, which is in use.
  bool forget_stalest_but(const Value& kept) {
    if (!entries_.empty() && &entries_.back().value == &kept)
      entries_.splice(entries_.begin(), entries_, entries_.back().self);
    if (entries_.size() < 2) return false;
    drop_stalest();
    return true;
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct entry {
    std::string key;
    std::uint64_t hash = 0;
    steady_time used;
    typename std::list<entry>::iterator self;
    Value value;
  };

  entry* look(std::string_view key, std::uint64_t hash) const {
    return index_.find(hash, [key](const entry* e) {
      // Of many entries few are in a cache; all of this one is asked for at once.
      const auto* const bytes = static_cast<const char*>(static_cast<const void*>(e));
      for (std::size_t line = 0; line < sizeof(entry); line += 64) __builtin_prefetch(bytes + line);
      return e->key == key;
    });
  }
  Value& touch(entry& e, steady_time now) {
    if (now - e.used >= grain) {
      e.used = now;
      entries_.splice(entries_.begin(), entries_, e.self);
    }
    return e.value;
  }
  void drop(typename std::list<entry>::iterator at) {
    index_.remove(at->hash, &*at);
    entries_.erase(at);
  }
  void drop_stalest() { drop(std::prev(entries_.end())); }

  std::size_t capacity_;
  std::uint64_t seed_;
  std::list<entry> entries_;  // most recent first
  key_index<entry*> index_;
};

}  // namespace stox::gateway
