#include "net/ids.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace stox::net {
namespace {

constexpr char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

TEST(csprng_ids, never_repeats_in_a_hundred_thousand) {
  csprng_ids ids(0);
  for (const auto kind : {id_kind::branch, id_kind::tag, id_kind::call_id, id_kind::stanza}) {
    std::set<std::string> seen;
    for (int i = 0; i < 100'000; ++i) EXPECT_TRUE(seen.insert(ids.next(kind)).second);
  }
}

TEST(csprng_ids, has_the_shape_and_the_bits_of_each_kind) {
  csprng_ids ids(0);
  const auto branch = ids.next(id_kind::branch);
  EXPECT_EQ(branch.substr(0, 7), "z9hG4bK");
  EXPECT_EQ(branch.substr(7).find_first_not_of(base32), std::string::npos);
  EXPECT_EQ(branch.size(), 7u + 2 + 16);
  EXPECT_EQ(ids.next(id_kind::tag).size(), 2u + 13);
  EXPECT_EQ(ids.next(id_kind::call_id).size(), 2u + 20);
  EXPECT_EQ(ids.next(id_kind::stanza).size(), 2u + 16);
  for (const auto kind : {id_kind::tag, id_kind::call_id, id_kind::stanza}) {
    EXPECT_EQ(ids.next(kind).find_first_not_of(base32), std::string::npos);
  }
}

TEST(csprng_ids, carries_the_engine_number_in_front) {
  csprng_ids zero(0);
  csprng_ids forty(40);
  EXPECT_EQ(zero.next(id_kind::tag).substr(0, 2), "aa");
  EXPECT_EQ(forty.next(id_kind::tag).substr(0, 2), "bi");
  EXPECT_EQ(forty.next(id_kind::branch).substr(0, 9), "z9hG4bKbi");
}

TEST(csprng_ids, differs_between_two_generators) {
  csprng_ids one(0);
  csprng_ids two(0);
  EXPECT_NE(one.next(id_kind::call_id), two.next(id_kind::call_id));
}

TEST(csprng_ids, draws_evenly_below_a_bound) {
  csprng_ids ids(0);
  EXPECT_EQ(ids.below(0), 0u);
  EXPECT_EQ(ids.below(1), 0u);
  int hits[3] = {};
  for (int i = 0; i < 30'000; ++i) {
    const auto value = ids.below(3);
    ASSERT_LT(value, 3u);
    ++hits[value];
  }
  // 10,000 each with a deviation of 82: 1,000 off is not chance.
  for (const int n : hits) EXPECT_NEAR(n, 10'000, 1'000);
}

}  // namespace
}  // namespace stox::net
