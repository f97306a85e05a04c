#include "base/deadline_index.hpp"

#include <algorithm>

namespace stox {

namespace {
constexpr std::size_t arity = 4;
constexpr std::size_t most_to_give_way = 4;  ///< nodes of a lane
constexpr auto always_near = std::chrono::seconds(1);
constexpr std::size_t most_void = 4096;  ///< nodes beyond as many as have a meaning
}  // namespace

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

void deadline_index::push(node n) {
  heap_.push_back(n);
  sift_up(heap_.size() - 1);
}

/// The lane whose last deadline is nearest before that one, and near: one that is far ahead of the rest, as
/// of another kind, would keep that kind out. Else one that holds next to nothing, whose few give way: they
/// are of kinds that are rarely set, and would keep the lane from others as long as they wait.
deadline_index::lane* deadline_index::lane_for(steady_time when) {
  lane* best = nullptr;
  lane* shortest = nullptr;
  for (auto& l : lanes_) {
    const bool fits =
        !l.empty() && l.back().when <= when &&
        when - l.back().when <= std::max<duration>(always_near, (l.back().when - l.front().when) / 4);
    if (fits && (best == nullptr || best->back().when < l.back().when)) best = &l;
    if (shortest == nullptr || l.size() < shortest->size()) shortest = &l;
  }
  if (best != nullptr) return best;
  if (shortest->size() > most_to_give_way) return nullptr;
  for (const node& n : *shortest) {
    if (counts(n)) {
      push(n);
    } else {
      --void_nodes_;
    }
  }
  shortest->clear();
  return shortest;
}

void deadline_index::insert(node n) {
  auto& e = slots_[n.slot];
  e.order = n.order;
  if (lane* const l = lane_for(n.when)) {
    e.position = in_lane;
    l->push_back(n);
  } else {
    push(n);
  }
}

void deadline_index::prune(lane& l) {
  while (!l.empty() && !counts(l.front())) {
    l.pop_front();
    --void_nodes_;
  }
}

/// Without it, deadlines far ahead that are moved again and again would fill a lane.
void deadline_index::sweep() {
  for (auto& l : lanes_) std::erase_if(l, [this](const node& n) { return !counts(n); });
  void_nodes_ = 0;
}

/// Takes the entry's node out, or its meaning from it.
void deadline_index::detach(std::uint32_t slot) {
  auto& e = slots_[slot];
  if (e.position != in_lane) return erase(e.position);
  // No node of a lane has this number and position now.
  e.position = 0;
  ++void_nodes_;
  for (auto& l : lanes_) {
    if (!l.empty() && l.front().slot == slot) prune(l);
  }
  if (void_nodes_ > size() + most_void) sweep();
}

void deadline_index::set(timer_handle& handle, timer_key key, std::optional<steady_time> when) {
  const bool live = handle.slot < slots_.size() && slots_[handle.slot].generation == handle.generation;
  if (live) detach(handle.slot);
  if (!when) {
    if (live) {
      ++slots_[handle.slot].generation;
      free_.push_back(handle.slot);
    }
    handle = {};
    return;
  }
  if (!live) {
    if (free_.empty()) {
      handle.slot = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      handle.slot = free_.back();
      free_.pop_back();
    }
    handle.generation = slots_[handle.slot].generation;
  }
  slots_[handle.slot].key = key;
  insert({*when, handle.slot, order_++});
}

const deadline_index::node* deadline_index::earliest() const {
  const node* out = heap_.empty() ? nullptr : &heap_.front();
  for (const auto& l : lanes_) {
    if (!l.empty() && (out == nullptr || l.front().before(*out))) out = &l.front();
  }
  return out;
}

std::optional<steady_time> deadline_index::next() const {
  const auto* const first = earliest();
  if (first == nullptr) return std::nullopt;
  return first->when;
}

std::optional<timer_key> deadline_index::pop_due(steady_time now) {
  const auto* const first = earliest();
  if (first == nullptr || first->when > now) return std::nullopt;
  const auto slot = first->slot;
  const timer_key key = slots_[slot].key;
  detach(slot);
  ++slots_[slot].generation;
  free_.push_back(slot);
  return key;
}

}  // namespace stox
