#include "base/deadline_index.hpp"

#include <algorithm>

namespace stox {

namespace {
constexpr std::size_t arity = 4;
}

void deadline_index::place(std::size_t position, node n) {
  heap_[position] = n;
  slots_[n.slot].position = static_cast<std::uint32_t>(position);
}

void deadline_index::sift_up(std::size_t position) {
  const node moving = heap_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / arity;
    if (!moving.before(heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, moving);
}

void deadline_index::sift_down(std::size_t position) {
  const node moving = heap_[position];
  for (;;) {
    const std::size_t first = position * arity + 1;
    if (first >= heap_.size()) break;
    const std::size_t last = std::min(first + arity, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < last; ++child) {
      if (heap_[child].before(heap_[least])) least = child;
    }
    if (!heap_[least].before(moving)) break;
    place(position, heap_[least]);
    position = least;
  }
  place(position, moving);
}

void deadline_index::erase(std::size_t position) {
  const std::uint32_t slot = heap_[position].slot;
  ++slots_[slot].generation;
  free_.push_back(slot);
  const node last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  const bool earlier = last.before(heap_[position]);
  place(position, last);
  if (earlier) {
    sift_up(position);
  } else {
    sift_down(position);
  }
}

void deadline_index::set(timer_handle& handle, timer_key key, std::optional<steady_time> when) {
  const bool live = handle.slot < slots_.size() && slots_[handle.slot].generation == handle.generation;
  if (!when) {
    if (live) erase(slots_[handle.slot].position);
    handle = {};
    return;
  }
  if (live) {
    const std::size_t position = slots_[handle.slot].position;
    slots_[handle.slot].key = key;
    const node moved{*when, handle.slot, order_++};
    const bool earlier = moved.before(heap_[position]);
    heap_[position] = moved;
    if (earlier) {
      sift_up(position);
    } else {
      sift_down(position);
    }
    return;
  }
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot].key = key;
  handle = {slot, slots_[slot].generation};
  heap_.push_back({*when, slot, order_++});
  sift_up(heap_.size() - 1);
}

std::optional<steady_time> deadline_index::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

std::optional<timer_key> deadline_index::pop_due(steady_time now) {
  if (heap_.empty() || heap_.front().when > now) return std::nullopt;
  const timer_key key = slots_[heap_.front().slot].key;
  erase(0);
  return key;
}

}  // namespace stox
