#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/byte_account.hpp"
#include "base/instant.hpp"
#include "base/key_index.hpp"

namespace stox::sip {

/// The branches of requests of ours that have their final answer, until Timer K ends (RFC 3261 §17.1.2.2):
/// what a transaction in the Completed state is there for is to know copies of its answer, and a hash of what
/// they are matched by is enough for that. One that is no copy and has the hash of one by chance is counted
/// as one; either is dropped.
class answered_branches {
 public:
  /// `memory` outlives it.
  explicit answered_branches(byte_account& memory) : memory_(memory, 0) {}

  /// `until` does not go back from one call to the next.
  void add(std::uint64_t hash, steady_time until);
  bool knows(std::uint64_t hash, steady_time now) const;
  /// Forgets what has ended; when the next one will, if there is any.
  std::optional<steady_time> expire(steady_time now);

 private:
  struct entry {
    std::uint64_t hash;
    steady_time until;
  };
  std::deque<entry> order_;
  key_index<std::int64_t> until_;  ///< by hash: the end, in ticks of the steady clock, with the last bit set
  charge memory_;
};

}  // namespace stox::sip
