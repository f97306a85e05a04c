#include "net/write_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace stox::net {
namespace {

struct write_queue_of_three : testing::Test {
  write_queue_of_three() {
    queue.push(token{1}, "abc");
    queue.push(token::none, "de");
    queue.push(token{3}, "fghij");
  }
  std::vector<token> take(std::size_t n) {
    std::vector<token> out;
    queue.taken(n, [&](token t) { out.push_back(t); });
    return out;
  }
  std::size_t total = 100;
  write_queue queue{total};
  std::array<char, 8> room{};
};

TEST_F(write_queue_of_three, counts_bytes_and_pieces_also_in_the_total) {
  EXPECT_EQ(queue.size(), 10 + 3 * write_queue::piece_cost);
  EXPECT_EQ(total, 100 + queue.size());
  take(4);
  EXPECT_EQ(queue.size(), 6 + 2 * write_queue::piece_cost);
  EXPECT_EQ(total, 100 + queue.size());
}

TEST_F(write_queue_of_three, gathers_the_front_up_to_the_room) {
  EXPECT_EQ(queue.front(room), "abcdefgh");
  take(2);
  EXPECT_EQ(queue.front(room), "cdefghij");
  take(4);
  EXPECT_EQ(queue.front(room), "ghij");
}

TEST_F(write_queue_of_three, does_not_copy_one_piece) {
  std::size_t other = 0;
  write_queue one{other};
  one.push(token{1}, "0123456789");
  const auto front = one.front(room);
  EXPECT_EQ(front, "01234567");
  EXPECT_NE(front.data(), room.data());
}

TEST_F(write_queue_of_three, tells_tokens_of_whole_pieces_in_order) {
  EXPECT_TRUE(take(2).empty());
  EXPECT_EQ(take(1), std::vector{token{1}});
  EXPECT_EQ(take(7), std::vector{token{3}});
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(total, 100u);
}

TEST_F(write_queue_of_three, drops_everything_and_tells_every_token_once) {
  take(4);
  std::vector<token> out;
  queue.drop([&](token t) { out.push_back(t); });
  EXPECT_EQ(out, std::vector{token{3}});
  EXPECT_EQ(total, 100u);
}

TEST_F(write_queue_of_three, gives_out_nothing_that_it_holds_back) {
  queue.hold();
  queue.push(token{4}, "later");
  queue.push(token{5}, "");
  std::array<iovec, 8> parts{};
  EXPECT_EQ(queue.parts(parts), 3u);
  EXPECT_TRUE(queue.ready());
  EXPECT_EQ(take(10), (std::vector{token{1}, token{3}}));
  EXPECT_FALSE(queue.ready());
  EXPECT_FALSE(queue.empty());
  EXPECT_EQ(queue.parts(parts), 0u);
  queue.release();
  EXPECT_TRUE(queue.ready());
  EXPECT_EQ(queue.parts(parts), 2u);
  EXPECT_EQ(take(5), (std::vector{token{4}, token{5}}));
  EXPECT_EQ(total, 100u);
}

TEST_F(write_queue_of_three, drops_what_it_holds_back_alone) {
  queue.hold();
  queue.push(token{4}, "later");
  queue.push(token{5}, "still");
  take(1);
  std::vector<token> out;
  queue.drop_held([&](token t) { out.push_back(t); });
  EXPECT_EQ(out, (std::vector{token{4}, token{5}}));
  EXPECT_EQ(queue.size(), 9 + 3 * write_queue::piece_cost);
  queue.push(token{6}, "k");
  EXPECT_EQ(take(10), (std::vector{token{1}, token{3}, token{6}}));
  EXPECT_EQ(total, 100u);
}

TEST_F(write_queue_of_three, fills_the_parts_of_one_write) {
  take(1);
  std::array<iovec, 2> parts{};
  ASSERT_EQ(queue.parts(parts), 2u);
  EXPECT_EQ(std::string(static_cast<const char*>(parts[0].iov_base), parts[0].iov_len), "bc");
  EXPECT_EQ(std::string(static_cast<const char*>(parts[1].iov_base), parts[1].iov_len), "de");
}

}  // namespace
}  // namespace stox::net
