#include "base/deadline_index.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace {

using namespace stox;
using namespace std::chrono_literals;

constexpr steady_time start{};
timer_key key(std::uint64_t id, timer_owner owner = timer_owner::sip) { return {owner, id}; }

TEST(deadline_index, gives_entries_in_order_of_time_and_only_when_due) {
  deadline_index index;
  timer_handle a, b, c;
  index.set(a, key(1), start + 30ms);
  index.set(b, key(2, timer_owner::pager), start + 10ms);
  index.set(c, key(3), start + 20ms);
  EXPECT_EQ(index.next(), start + 10ms);
  EXPECT_EQ(index.pop_due(start + 9ms), std::nullopt);
  EXPECT_EQ(index.pop_due(start + 20ms), key(2, timer_owner::pager));
  EXPECT_EQ(index.pop_due(start + 20ms), key(3));
  EXPECT_EQ(index.pop_due(start + 20ms), std::nullopt);
  EXPECT_EQ(index.next(), start + 30ms);
  EXPECT_EQ(index.size(), 1U);
}

TEST(deadline_index, moves_an_entry_both_ways_without_doubling_it) {
  deadline_index index;
  timer_handle a, b;
  index.set(a, key(1), start + 10ms);
  index.set(b, key(2), start + 20ms);
  index.set(a, key(1), start + 30ms);
  EXPECT_EQ(index.next(), start + 20ms);
  index.set(a, key(1), start + 5ms);
  EXPECT_EQ(index.next(), start + 5ms);
  EXPECT_EQ(index.size(), 2U);
}

TEST(deadline_index, removes_an_entry_and_voids_its_handle) {
  deadline_index index;
  timer_handle a;
  index.set(a, key(1), start);
  index.set(a, key(1), std::nullopt);
  EXPECT_EQ(index.size(), 0U);
  EXPECT_EQ(index.next(), std::nullopt);
  EXPECT_EQ(a.slot, UINT32_MAX);
  index.set(a, key(1), std::nullopt);  // a second time does no harm
  EXPECT_EQ(index.size(), 0U);
}

TEST(deadline_index, a_handle_whose_entry_was_popped_does_not_touch_the_slots_next_owner) {
  deadline_index index;
  timer_handle old, fresh;
  index.set(old, key(1), start);
  ASSERT_EQ(index.pop_due(start), key(1));
  index.set(fresh, key(2), start + 5ms);  // takes the free slot
  ASSERT_EQ(fresh.slot, old.slot);
  timer_handle stale = old;
  index.set(stale, key(1), std::nullopt);
  EXPECT_EQ(index.size(), 1U);
  index.set(old, key(1), start + 1ms);
  EXPECT_EQ(index.size(), 2U);
  EXPECT_EQ(index.pop_due(start + 9ms), key(1));
  EXPECT_EQ(index.pop_due(start + 9ms), key(2));
}

// A plain model of the same thing: what is due when, by handle.
class model {
 public:
  void set(std::uint64_t id, std::optional<steady_time> when) {
    if (const auto at = by_id_.find(id); at != by_id_.end()) {
      order_.erase(at->second);
      by_id_.erase(at);
    }
    if (when) by_id_[id] = order_.emplace(*when, id);
  }
  std::optional<steady_time> next() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
  }
  bool holds(std::uint64_t id) const { return by_id_.contains(id); }
  steady_time when(std::uint64_t id) const { return by_id_.at(id)->first; }
  std::size_t size() const { return order_.size(); }

 private:
  std::multimap<steady_time, std::uint64_t> order_;
  std::map<std::uint64_t, std::multimap<steady_time, std::uint64_t>::iterator> by_id_;
};

/// Takes what is due from both. Entries of one instant may come in any order, entries of two may not.
void take_due(deadline_index& index, model& expected, steady_time now) {
  while (const auto due = index.pop_due(now)) {
    ASSERT_TRUE(expected.holds(due->id));
    ASSERT_EQ(expected.when(due->id), expected.next());
    ASSERT_LE(expected.when(due->id), now);
    expected.set(due->id, std::nullopt);
  }
  ASSERT_TRUE(!expected.next() || *expected.next() > now);
}

TEST(deadline_index, equal_deadlines_come_in_the_order_in_which_they_were_set) {
  deadline_index index;
  std::vector<timer_handle> handles(10);
  // Of several kinds, so that they stand in several places.
  for (std::uint64_t i = 0; i < 5; ++i) index.set(handles[i], key(i), start + 50ms - i * 10ms);
  for (std::uint64_t i = 0; i < handles.size(); ++i) index.set(handles[i], key(i), start + 5ms);
  for (std::uint64_t i = 0; i < handles.size(); ++i) EXPECT_EQ(index.pop_due(start + 5ms), key(i));
}

// Kinds of deadlines that are each as far ahead as ever, some moved or removed before they come, among rare
// ones that are far ahead.
TEST(deadline_index, agrees_with_a_multimap_over_deadlines_of_a_few_kinds) {
  constexpr std::chrono::milliseconds kinds[] = {500ms, 5s, 10s, 32s, 33s, 120s, 1h};
  for (unsigned seed = 1; seed <= 5; ++seed) {
    std::mt19937 random(seed);
    deadline_index index;
    model expected;
    std::vector<timer_handle> handles(3000);
    steady_time now = start;
    for (int step = 0; step < 60'000; ++step) {
      const std::uint64_t id = random() % handles.size();
      now += 1ms;
      ASSERT_NO_FATAL_FAILURE(take_due(index, expected, now));
      const auto kind = kinds[random() % 50 == 0 ? 5 + random() % 2 : random() % 5];
      const auto when = random() % 5 == 0 ? std::nullopt : std::optional(now + kind);
      index.set(handles[id], key(id), when);
      expected.set(id, when);
      ASSERT_EQ(index.size(), expected.size()) << "seed " << seed << " step " << step;
      ASSERT_EQ(index.next(), expected.next()) << "seed " << seed << " step " << step;
    }
  }
}

TEST(deadline_index, one_far_ahead_that_is_moved_for_ever_takes_no_room) {
  deadline_index index;
  timer_handle first, moved;
  // In one lane, and never at its front.
  index.set(first, key(1), start + 1h);
  for (int i = 0; i < 100'000; ++i) index.set(moved, key(2), start + 1h + std::chrono::microseconds(i));
  EXPECT_EQ(index.size(), 2U);
  EXPECT_LE(index.capacity(), 10'000U);
  EXPECT_EQ(index.pop_due(start + 2h), key(1));
  EXPECT_EQ(index.pop_due(start + 2h), key(2));
  EXPECT_EQ(index.next(), std::nullopt);
}

TEST(deadline_index, agrees_with_a_multimap_over_random_operations) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    deadline_index index;
    model expected;
    std::vector<timer_handle> handles(200);
    steady_time now = start;
    for (int step = 0; step < 5000; ++step) {
      const std::uint64_t id = random() % handles.size();
      const auto when = now + std::chrono::milliseconds(random() % 500);
      switch (random() % 8) {
        case 0:
          index.set(handles[id], key(id), std::nullopt);
          expected.set(id, std::nullopt);
          break;
        case 1:
          now += std::chrono::milliseconds(random() % 40);
          ASSERT_NO_FATAL_FAILURE(take_due(index, expected, now));
          break;
        default:
          index.set(handles[id], key(id), when);
          expected.set(id, when);
          break;
      }
      ASSERT_EQ(index.size(), expected.size()) << "seed " << seed << " step " << step;
      ASSERT_EQ(index.next(), expected.next()) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
