#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/instant.hpp"

namespace stox::gateway {

/// A bounded map from text keys that forgets what was not used for longest: at `capacity` the stalest entry
/// makes room, and `expire` drops what is older than a limit. All operations O(1).
template <class Value>
class recent_map {
 public:
  explicit recent_map(std::size_t capacity) : capacity_(capacity) {}

  /// The entry, marked as used now; nullptr if there is none.
  Value* find(std::string_view key, steady_time now) {
    const auto at = index_.find(key);
    if (at == index_.end()) return nullptr;
    return &touch(at->second, now);
  }
  /// The entry without marking it; nullptr if there is none.
  const Value* peek(std::string_view key) const {
    const auto at = index_.find(key);
    return at == index_.end() ? nullptr : &at->second->value;
  }
  /// The entry, made if it is not there, and marked as used now.
  Value& get(std::string_view key, steady_time now) {
    const auto at = index_.find(key);
    if (at != index_.end()) return touch(at->second, now);
    if (entries_.size() >= capacity_) drop_stalest();
    entries_.push_front({std::string(key), now, Value{}});
    index_.emplace(std::string_view(entries_.front().key), entries_.begin());
    return entries_.front().value;
  }
  bool erase(std::string_view key) {
    const auto at = index_.find(key);
    if (at == index_.end()) return false;
    const auto there = at->second;  // the index's key is its text
    index_.erase(at);
    entries_.erase(there);
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
  std::size_t size() const { return entries_.size(); }

 private:
  struct entry {
    std::string key;
    steady_time used;
    Value value;
  };
  using iterator = typename std::list<entry>::iterator;

  Value& touch(iterator at, steady_time now) {
    at->used = now;
    entries_.splice(entries_.begin(), entries_, at);
    return at->value;
  }
  void drop_stalest() {
    index_.erase(std::string_view(entries_.back().key));
    entries_.pop_back();
  }

  std::size_t capacity_;
  std::list<entry> entries_;  // most recent first
  std::unordered_map<std::string_view, iterator> index_;
};

}  // namespace stox::gateway
