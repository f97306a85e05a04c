#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace stox::sip {

/// Records that are named by numbers: a number of a record that is gone finds nothing, although its place is
/// used again. Records do not move while they live, so that a key in another table may point into them.
template <class T>
class slot_table {
 public:
  /// At most 60 bits: generation in the upper part, place + 1 in the lower 32; never 0.
  using number = std::uint64_t;

  template <class... Args>
  number create(Args&&... args) {
    std::uint32_t place = 0;
    if (free_.empty()) {
      place = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      place = free_.back();
      free_.pop_back();
    }
    slots_[place].record.emplace(std::forward<Args>(args)...);
    return number_of(place);
  }
  /// nullptr when the record is gone or never was.
  T* find(number n) {
    const auto place = static_cast<std::uint32_t>(n & 0xFFFFFFFF) - 1;
    if (place >= slots_.size() || number_of(place) != n || !slots_[place].record) return nullptr;
    return &*slots_[place].record;
  }
  const T* find(number n) const { return const_cast<slot_table*>(this)->find(n); }
  void destroy(number n) {
    if (find(n) == nullptr) return;
    const auto place = static_cast<std::uint32_t>(n & 0xFFFFFFFF) - 1;
    slots_[place].record.reset();
    ++slots_[place].generation;
    free_.push_back(place);
  }
  template <class F>
  void for_each(F f) const {
    for (const auto& s : slots_) {
      if (s.record) f(*s.record);
    }
  }
  std::size_t size() const { return slots_.size() - free_.size(); }

 private:
  struct slot {
    std::optional<T> record;
    std::uint32_t generation = 0;
  };
  number number_of(std::uint32_t place) const {
    return (static_cast<number>(slots_[place].generation & 0x0FFFFFFF) << 32) | (place + 1);
  }

  std::deque<slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace stox::sip
