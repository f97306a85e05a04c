#include "base/key_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stox::test {
namespace {

using index_of_numbers = key_index<std::uint64_t>;

std::uint64_t find(const index_of_numbers& index, std::uint64_t hash, std::uint64_t number) {
  return index.find(hash, [number](std::uint64_t n) { return n == number; });
}

TEST(key_index, finds_what_was_added_and_not_removed) {
  std::mt19937_64 random(1);
  index_of_numbers index;
  std::set<std::pair<std::uint64_t, std::uint64_t>> model;
  for (std::uint64_t step = 1; step <= 100'000; ++step) {
    // Few hashes, all near the end of the table: long runs that wrap, many entries under one hash.
    const std::uint64_t hash = UINT64_MAX - random() % 32;
    if (random() % 2 == 0 && model.size() < 200) {
      index.add(hash, step);
      model.emplace(hash, step);
    } else if (!model.empty()) {
      auto it = model.lower_bound({hash, random() % step});
      if (it == model.end()) it = model.begin();
      index.remove(it->first, it->second);
      index.remove(it->first, it->second);  // the second time there is nothing to remove
      EXPECT_EQ(find(index, it->first, it->second), 0U);
      model.erase(it);
    }
    ASSERT_EQ(index.size(), model.size());
    if (step % 97 != 0) continue;
    for (const auto& [h, n] : model) ASSERT_EQ(find(index, h, n), n);
  }
}

TEST(key_index, asks_which_number_is_meant_among_equal_hashes) {
  index_of_numbers index;
  EXPECT_EQ(find(index, 7, 1), 0U);
  index.add(7, 1);
  index.add(7, 2);
  index.remove(7, 1);
  EXPECT_EQ(find(index, 7, 2), 2U);
  EXPECT_EQ(find(index, 7, 1), 0U);
  EXPECT_EQ(find(index, 8, 2), 0U);
}

TEST(key_index, gives_back_what_a_rush_needed) {
  index_of_numbers index;
  for (std::uint64_t i = 1; i <= 100'000; ++i) index.add(i * 0x9E3779B97F4A7C15U, i);
  EXPECT_GE(index.capacity(), 200'000U);
  for (std::uint64_t i = 1; i <= 99'990; ++i) index.remove(i * 0x9E3779B97F4A7C15U, i);
  EXPECT_LE(index.capacity(), 256U);
  for (std::uint64_t i = 99'991; i <= 100'000; ++i) EXPECT_EQ(find(index, i * 0x9E3779B97F4A7C15U, i), i);
}

// Keys of one peer differ in a few digits only. The seed 0 is the one that counting ids give.
TEST(key_hash, spreads_keys_that_are_alike_whatever_the_seed) {
  constexpr int count = 1 << 14;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{7}, UINT64_MAX}) {
    std::vector<int> used(2 * count);
    for (int i = 0; i < count; ++i) {
      const std::string key = "z9hG4bK-" + std::to_string(i) + "\n192.0.2.1:5060\nMESSAGE";
      ++used[key_hash(key, seed) % used.size()];
    }
    // Of random places 39 % would be used, and none by more than a handful.
    EXPECT_LE(*std::max_element(used.begin(), used.end()), 12) << seed;
    EXPECT_GT(std::count_if(used.begin(), used.end(), [](int n) { return n > 0; }), 2 * count / 3) << seed;
  }
  EXPECT_NE(key_hash("a", 1), key_hash("a", 2));
  EXPECT_NE(key_hash("", 1), key_hash(std::string_view("\0", 1), 1));
}

}  // namespace
}  // namespace stox::test
