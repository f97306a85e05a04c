#include "dns/order.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace {

using namespace stox;
using namespace stox::dns;

class drawing_ids final : public id_source {
 public:
  std::string next(id_kind) override { return {}; }
  std::uint64_t below(std::uint64_t bound) override {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(engine_);
  }

 private:
  std::mt19937_64 engine_{1};
};

TEST(srv_order, goes_by_priority_first) {
  counting_ids ids;
  const auto out = in_order({{20, 0, 1, "c"}, {10, 0, 1, "a"}, {20, 0, 1, "d"}, {10, 0, 1, "b"}}, ids);
  std::string names;
  for (const auto& r : out) names += r.target;
  EXPECT_EQ(names, "abcd");
}

TEST(srv_order, draws_among_equals_in_proportion_to_their_weights) {
  drawing_ids ids;
  std::map<std::string, int> first;
  for (int i = 0; i < 10'000; ++i)
    ++first[in_order({{1, 10, 1, "small"}, {1, 30, 1, "large"}, {1, 0, 1, "none"}, {2, 900, 1, "last"}}, ids)
                .front()
                .target];
  EXPECT_NEAR(first["large"], 7'400, 300);
  EXPECT_NEAR(first["small"], 2'400, 300);
  EXPECT_GT(first["none"], 100);  // one of 41: a very small chance, but one
  EXPECT_EQ(first["last"], 0);
}

TEST(srv_order, keeps_every_record_once) {
  drawing_ids ids;
  std::vector<srv_record> all;
  for (std::uint16_t i = 0; i < 30; ++i) all.push_back({static_cast<std::uint16_t>(i % 3), i, i, "h"});
  const auto out = in_order(all, ids);
  ASSERT_EQ(out.size(), all.size());
  std::map<std::uint16_t, int> ports;
  for (const auto& r : out) ++ports[r.port];
  EXPECT_EQ(ports.size(), 30U);
}

TEST(naptr_order, goes_by_order_then_preference) {
  const auto out = in_order(std::vector<naptr_record>{
      {20, 1, "s", "x", "", "c"}, {10, 2, "s", "x", "", "b"}, {10, 1, "s", "x", "", "a"}});
  EXPECT_EQ(out[0].replacement + out[1].replacement + out[2].replacement, "abc");
}

}  // namespace
