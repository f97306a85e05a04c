#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
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

/// All deadlines of one engine. Most are as far ahead as those of their kind always are (Timer J, Timer F,
/// the next retransmission), so each comes behind the one before it: such ones stand in lanes, which are
/// queues in order of time, and cost O(1) and no look at others, however many wait. The rest stands in a
/// 4-ary heap.
class deadline_index {
 public:
  /// Sets, moves or (nullopt) removes the deadline that `handle` refers to, and updates the handle.
  void set(timer_handle& handle, timer_key key, std::optional<steady_time> when);
  /// The earliest deadline.
  std::optional<steady_time> next() const;
  /// Removes and returns the earliest entry if it is due at `now`; its handle is void from then on. Call
  /// until empty.
  std::optional<timer_key> pop_due(steady_time now);
  std::size_t size() const { return slots_.size() - free_.size(); }
  /// Places in memory that are in use, also by what was moved or removed.
  std::size_t capacity() const { return size() + void_nodes_; }

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
    std::uint32_t position = 0;  ///< in the heap, or in_lane
    std::uint32_t generation = 0;
    std::uint32_t order = 0;  ///< of the node that counts
  };
  /// What was moved or removed stays in its lane, without meaning, until it comes to the front; the front has
  /// a meaning always.
  using lane = std::deque<node>;
  static constexpr std::uint32_t in_lane = UINT32_MAX;
  static constexpr std::size_t lane_count = 4;

  void insert(node n);
  lane* lane_for(steady_time when);
  void detach(std::uint32_t slot);
  bool counts(const node& n) const {
    return slots_[n.slot].position == in_lane && slots_[n.slot].order == n.order;
  }
  void prune(lane& l);
  void sweep();
  void push(node n);
  void place(std::size_t position, node n);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);
  void erase(std::size_t position);
  /// nullptr: there is none.
  const node* earliest() const;

  std::vector<node> heap_;
  std::array<lane, lane_count> lanes_;
  std::size_t void_nodes_ = 0;  ///< in all lanes
  std::vector<entry> slots_;
  std::vector<std::uint32_t> free_;
  std::uint32_t order_ = 0;
};

}  // namespace stox
