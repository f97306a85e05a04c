#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/instant.hpp"

namespace stox {

/// Whose deadline it is: the engine hands a due key to that owner.
enum class timer_owner : std::uint8_t { sip, xmpp, s2s, pager, engine, dns };

struct timer_key {
  timer_owner owner{};
  std::uint64_t id = 0;  ///< the owner's own number (a transaction, a link, a conversation)
  friend bool operator==(const timer_key&, const timer_key&) = default;
};

/// Refers to one entry of the index; default: none. The owner keeps it and passes it back.
struct timer_handle {
  std::uint32_t slot = UINT32_MAX;
  std::uint32_t generation = 0;
};

/// All deadlines of one engine in one 4-ary heap: 160,000 waiting transactions are one structure of 40 bytes
/// each, and a deadline that is later than all others (the usual case) costs O(1).
class deadline_index {
 public:
  /// Sets, moves or (nullopt) removes the deadline that `handle` refers to, and updates the handle.
  void set(timer_handle& handle, timer_key key, std::optional<steady_time> when);
  /// The earliest deadline.
  std::optional<steady_time> next() const;
  /// Removes and returns the earliest entry if it is due at `now`; its handle is void from then on. Call
  /// until empty.
  std::optional<timer_key> pop_due(steady_time now);
  std::size_t size() const { return heap_.size(); }

 private:
  struct node {
    steady_time when;
    std::uint32_t slot;
    std::uint32_t order;  ///< counts up with every set(): equal deadlines come due in that order

    bool before(const node& other) const {
      // The difference is signed, so that the count may wrap.
      return when != other.when ? when < other.when : static_cast<std::int32_t>(order - other.order) < 0;
    }
  };
  struct entry {
    timer_key key;
    std::uint32_t position = 0;
    std::uint32_t generation = 0;
  };
  void place(std::size_t position, node n);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);
  void erase(std::size_t position);

  std::vector<node> heap_;
  std::vector<entry> slots_;
  std::vector<std::uint32_t> free_;
  std::uint32_t order_ = 0;
};

}  // namespace stox
