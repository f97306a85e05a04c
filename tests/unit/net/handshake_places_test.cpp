#include "net/handshake_places.hpp"

#include <gtest/gtest.h>

namespace stox::net {
namespace {

/// Numbers what enters, from 1.
class places : public testing::Test {
 protected:
  /// Who goes for it: 0 nobody; negative, because its network has its share.
  int enter(const char* from, bool trusted = false, std::size_t most = 100,
            std::size_t most_of_network = 100) {
    const auto gone = held.enter(conn_id{++last}, *ip_address::parse(from), trusted, most, most_of_network);
    if (!gone) return 0;
    const auto number = static_cast<int>(gone->who);
    return gone->for_network ? -number : number;
  }
  handshake_places held;
  std::uint64_t last = 0;
};

TEST_F(places, of_one_network_are_a_share_and_its_oldest_goes) {
  EXPECT_EQ(enter("192.0.2.1", false, 100, 2), 0);
  EXPECT_EQ(enter("192.0.2.2", false, 100, 2), 0);
  EXPECT_EQ(enter("192.0.3.1", false, 100, 2), 0);
  EXPECT_EQ(enter("192.0.2.3", false, 100, 2), -1);
  EXPECT_EQ(enter("2001:db8:0:1::1", false, 100, 2), 0);
  EXPECT_EQ(enter("2001:db8:0:2::1", false, 100, 2), 0);
  EXPECT_EQ(enter("2001:db8:0:100::1", false, 100, 2), 0);
  EXPECT_EQ(enter("2001:db8:0:ff::1", false, 100, 2), -5);
  EXPECT_EQ(held.size(), 6u);
}

TEST_F(places, that_are_all_taken_cost_the_network_that_has_the_most) {
  EXPECT_EQ(enter("198.51.100.1", false, 4), 0);
  EXPECT_EQ(enter("192.0.2.1", false, 4), 0);
  EXPECT_EQ(enter("192.0.2.2", false, 4), 0);
  EXPECT_EQ(enter("192.0.2.3", false, 4), 0);
  EXPECT_EQ(enter("203.0.113.1", false, 4), 2) << "the oldest of all has a network of its own";
  EXPECT_EQ(enter("203.0.113.2", false, 4), 3);
  EXPECT_EQ(enter("198.51.100.2", false, 4), 1) << "of as many, the oldest";
  EXPECT_EQ(held.size(), 4u);
}

TEST_F(places, of_trusted_peers_are_nobody_elses) {
  EXPECT_EQ(enter("192.0.2.1", true, 2, 1), 0);
  EXPECT_EQ(enter("192.0.2.1", true, 2, 1), 0);
  EXPECT_EQ(enter("198.51.100.1", false, 2), 3) << "the newcomer goes itself";
  EXPECT_EQ(enter("192.0.2.1", true, 2), 4);
  held.leave(conn_id{1});
  EXPECT_EQ(enter("198.51.100.1", false, 2), 0);
  EXPECT_EQ(enter("192.0.2.1", true, 2), 5) << "a stranger gives way";
  EXPECT_EQ(held.size(), 2u);
}

TEST_F(places, are_as_old_as_their_handshakes_whatever_their_numbers) {
  const auto from = *ip_address::parse("192.0.2.1");
  held.enter(conn_id{9}, from, false, 100, 2);
  held.enter(conn_id{1}, from, false, 100, 2);
  const auto gone = held.enter(conn_id{5}, from, false, 100, 2);
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->who, conn_id{9});
}

TEST_F(places, are_free_again_when_left) {
  enter("192.0.2.1", false, 1);
  held.leave(conn_id{1});
  held.leave(conn_id{1});
  held.leave(conn_id{77});
  EXPECT_EQ(held.size(), 0u);
  EXPECT_EQ(enter("192.0.2.1", false, 1), 0);
}

}  // namespace
}  // namespace stox::net
