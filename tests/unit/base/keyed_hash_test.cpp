#include "base/keyed_hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace stox {
namespace {

// The reference implementation's vectors: key 00..0f, input 00..n-1.
TEST(keyed_hash, is_siphash_2_4) {
  const keyed_hash hash(0x0706050403020100U, 0x0f0e0d0c0b0a0908U);
  std::string in;
  const auto of = [&](std::size_t n) {
    while (in.size() < n) in += static_cast<char>(in.size());
    return hash(std::string_view(in).substr(0, n));
  };
  EXPECT_EQ(of(0), 0x726fdb47dd0e0e31U);
  EXPECT_EQ(of(1), 0x74f839c593dc67fdU);
  EXPECT_EQ(of(7), 0xab0200f58b01d137U);
  EXPECT_EQ(of(8), 0x93f5f5799a932462U);
  EXPECT_EQ(of(15), 0xa129ca6149be45e5U);
}

TEST(keyed_hash, differs_with_the_key) {
  EXPECT_NE(keyed_hash(1, 2)("ana@xmpp.test"), keyed_hash(1, 3)("ana@xmpp.test"));
  EXPECT_NE(keyed_hash(1, 2)("ana@xmpp.test"), keyed_hash(2, 2)("ana@xmpp.test"));
}

}  // namespace
}  // namespace stox
