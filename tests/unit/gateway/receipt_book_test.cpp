#include "gateway/receipt_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/gateway/row_list.hpp"

namespace stox::gateway {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const instant start{steady_time(1h), wall_time(std::chrono::seconds(1'577'836'800))};
const receipt_key to_sip{true, "ana@xmpp.example", "bo@sip.example", "imdn-1"};
const receipt_key to_xmpp{false, "ana@xmpp.example", "bo@sip.example", "x-1"};

receipt_row asked(const receipt_key& key, bool delivered, bool failed, bool displayed) {
  receipt_row r;
  r.key = key;
  r.delivered = delivered;
  r.failed = failed;
  r.displayed = displayed;
  r.original_id = "m1";
  r.reply_to = key.to_sip ? "ana@xmpp.example/desk" : "sip:Bo@sip.example;gr=phone";
  r.domain = "sip.example";
  return r;
}

class receipts : public testing::Test {
 protected:
  std::string take(const receipt_key& key, receipt_kind what, instant now = start) {
    const auto r = book.take(key, what, now, rows);
    return r ? r->original_id + " to " + r->reply_to : "nobody";
  }

  byte_account memory{std::size_t{64} << 20};
  row_list rows;
  receipt_book book{memory};
};

constexpr auto delivered = receipt_kind::delivered, failed = receipt_kind::failed,
               displayed = receipt_kind::displayed;

TEST_F(receipts, are_given_out_once_for_each_kind) {
  book.open(asked(to_sip, true, true, true), start, rows);
  EXPECT_EQ(take(to_sip, delivered), "m1 to ana@xmpp.example/desk");
  EXPECT_EQ(take(to_sip, delivered), "nobody");
  EXPECT_EQ(take(to_sip, displayed), "m1 to ana@xmpp.example/desk");
  EXPECT_EQ(take(to_sip, displayed), "nobody");
  EXPECT_EQ(book.accepted(to_sip, start, rows), std::nullopt);
  EXPECT_EQ(book.size(), 0U);
  EXPECT_EQ(memory.used(), 0U);
}

TEST_F(receipts, know_what_arrived_until_the_message_has_its_answer) {
  book.open(asked(to_sip, true, false, false), start, rows);
  EXPECT_EQ(take(to_sip, delivered), "m1 to ana@xmpp.example/desk");
  EXPECT_TRUE(book.close(to_sip, rows)) << "an error would contradict the receipt";
  book.open(asked(to_sip, true, false, false), start, rows);
  EXPECT_FALSE(book.close(to_sip, rows));
  EXPECT_FALSE(book.close(to_sip, rows)) << "nothing is known of it";
  EXPECT_EQ(memory.used(), 0U);
}

TEST_F(receipts, of_a_message_that_failed_are_never_displayed) {
  book.open(asked(to_xmpp, false, false, true), start, rows);
  EXPECT_EQ(take(to_xmpp, failed), "nobody") << "he did not ask for it";
  EXPECT_EQ(take(to_xmpp, displayed), "nobody");
  EXPECT_EQ(book.size(), 0U);
}

TEST_F(receipts, of_one_sender_push_out_his_own) {
  book.open(asked(to_xmpp, true, false, false), start, rows);
  auto key = to_xmpp;
  key.aor = "eve@sip.example";
  for (std::size_t i = 0; i <= receipt_book::most_of_one; ++i) {
    key.id = "e-" + std::to_string(i);
    book.open(asked(key, true, false, false), start, rows);
  }
  EXPECT_EQ(book.size(), receipt_book::most_of_one + 1);
  key.id = "e-0";
  EXPECT_THAT(rows.removed, ElementsAre(row_key(key)));
  EXPECT_EQ(take(key, delivered), "nobody");
  key.id = "e-1";
  EXPECT_NE(take(key, delivered), "nobody");
  EXPECT_NE(take(to_xmpp, delivered), "nobody") << "somebody else's";
}

TEST_F(receipts, never_say_both_delivered_and_failed) {
  book.open(asked(to_xmpp, true, true, true), start, rows);
  EXPECT_EQ(take(to_xmpp, delivered), "m1 to sip:Bo@sip.example;gr=phone");
  EXPECT_EQ(take(to_xmpp, failed), "nobody");
  EXPECT_EQ(take(to_xmpp, displayed), "m1 to sip:Bo@sip.example;gr=phone");
  book.open(asked(to_xmpp, true, true, true), start, rows);
  EXPECT_EQ(take(to_xmpp, failed), "m1 to sip:Bo@sip.example;gr=phone");
  EXPECT_EQ(take(to_xmpp, delivered), "nobody");
  EXPECT_EQ(take(to_xmpp, displayed), "nobody");
  book.open(asked(to_xmpp, false, true, false), start, rows);
  EXPECT_EQ(take(to_xmpp, delivered), "nobody") << "he did not ask for it";
  EXPECT_EQ(take(to_xmpp, failed), "nobody") << "it did arrive";
  EXPECT_EQ(book.size(), 0U);
}

TEST_F(receipts, tell_of_a_failure_only_after_the_message_was_accepted_and_before_it_arrived) {
  book.open(asked(to_sip, true, false, true), start, rows);
  EXPECT_EQ(take(to_sip, failed), "nobody") << "the answer will tell";
  const auto early = book.accepted(to_sip, start, rows);
  ASSERT_TRUE(early) << "the answer did not tell it";
  EXPECT_EQ(early->reply_to, "ana@xmpp.example/desk");
  EXPECT_EQ(take(to_sip, failed), "nobody");
  book.open(asked(to_sip, true, false, true), start, rows);
  book.accepted(to_sip, start, rows);
  EXPECT_EQ(take(to_sip, failed), "m1 to ana@xmpp.example/desk");
  EXPECT_EQ(take(to_sip, failed), "nobody");
  book.open(asked(to_sip, true, false, true), start, rows);
  EXPECT_EQ(take(to_sip, delivered), "m1 to ana@xmpp.example/desk");
  book.accepted(to_sip, start, rows);
  EXPECT_EQ(take(to_sip, failed), "nobody") << "a report may overtake the 2xx";
  EXPECT_EQ(take(to_sip, displayed), "m1 to ana@xmpp.example/desk");
  book.accepted(to_sip, start, rows);
  EXPECT_EQ(book.size(), 0U);
}

TEST_F(receipts, are_for_the_two_of_that_message_only) {
  book.open(asked(to_sip, true, false, false), start, rows);
  for (auto other : {receipt_key{true, "eve@xmpp.example", to_sip.aor, to_sip.id},
                     receipt_key{true, to_sip.jid, "eve@sip.example", to_sip.id},
                     receipt_key{true, to_sip.jid, to_sip.aor, "imdn-2"},
                     receipt_key{false, to_sip.jid, to_sip.aor, to_sip.id}}) {
    EXPECT_EQ(take(other, delivered), "nobody");
  }
  EXPECT_EQ(take(to_sip, delivered), "m1 to ana@xmpp.example/desk");
}

TEST_F(receipts, that_nobody_asked_for_leave_no_trace) {
  book.open(asked(to_sip, false, false, false), start, rows);
  EXPECT_EQ(book.size(), 0U);
  EXPECT_THAT(rows.saved, IsEmpty());
}

TEST_F(receipts, end_after_a_day) {
  book.open(asked(to_sip, true, true, true), start, rows);
  EXPECT_EQ(take(to_sip, delivered, start + 24h + -1s), "m1 to ana@xmpp.example/desk");
  EXPECT_EQ(take(to_sip, displayed, start + 24h), "nobody");
  book.expire(start.steady + 49h);
  EXPECT_EQ(book.size(), 0U);
}

TEST_F(receipts, end_after_a_day_of_the_steady_clock_whatever_the_wall_clock_does) {
  book.open(asked(to_sip, true, true, true), start, rows);
  const instant ahead{start.steady + 1h, start.wall + 24h * 365};
  EXPECT_EQ(take(to_sip, delivered, ahead), "m1 to ana@xmpp.example/desk");
  const instant behind{start.steady + 24h, start.wall - 24h * 365};
  EXPECT_EQ(take(to_sip, displayed, behind), "nobody");
}

TEST_F(receipts, saved_by_a_clock_that_was_ahead_end_a_day_after_the_restart) {
  const instant ahead{start.steady, start.wall + 24h * 365};
  book.open(asked(to_sip, true, true, true), ahead, rows);
  const auto saved = std::get<receipt_row>(rows.saved[0]);
  receipt_book next(memory);
  next.restore(saved, start);
  EXPECT_NE(next.take(to_sip, delivered, start + 24h + -1s, rows), std::nullopt);
  EXPECT_EQ(next.take(to_sip, displayed, start + 24h, rows), std::nullopt);
}

TEST_F(receipts, that_come_back_have_the_rest_of_their_day) {
  book.open(asked(to_sip, true, true, true), start, rows);
  const auto saved = std::get<receipt_row>(rows.saved[0]);
  receipt_book next(memory);
  next.restore(saved, start + 20h);
  const instant ahead{start.steady + 24h + -1s, start.wall + 24h * 365};
  EXPECT_NE(next.take(to_sip, delivered, ahead, rows), std::nullopt);
  EXPECT_EQ(next.take(to_sip, displayed, start + 24h, rows), std::nullopt);
}

TEST_F(receipts, what_is_still_open_comes_back_after_a_restart) {
  book.open(asked(to_sip, true, true, true), start, rows);
  book.open(asked(to_xmpp, true, false, false), start, rows);
  take(to_sip, delivered);
  take(to_xmpp, delivered);
  ASSERT_EQ(rows.saved.size(), 3U);
  EXPECT_THAT(rows.removed, ElementsAre(row_key(to_xmpp)));
  auto last = std::get<receipt_row>(rows.saved[2]);
  auto expected = asked(to_sip, false, false, true);
  expected.expiry = start.wall + 24h;
  EXPECT_EQ(last, expected);

  receipt_book next(memory);
  next.restore(last, start + 1h);
  EXPECT_EQ(next.take(to_sip, delivered, start + 1h, rows), std::nullopt) << "it was told before the restart";
  EXPECT_EQ(next.take(to_sip, displayed, start + 1h, rows), last);
  next.restore(last, start + 24h);
  EXPECT_EQ(next.size(), 0U);
}

TEST_F(receipts, of_a_message_that_was_answered_by_an_error_are_closed) {
  book.open(asked(to_sip, true, true, true), start, rows);
  book.close(to_sip, rows);
  book.close(to_sip, rows);
  EXPECT_THAT(rows.removed, ElementsAre(row_key(to_sip)));
  EXPECT_EQ(take(to_sip, failed), "nobody");
}

TEST_F(receipts, the_oldest_go_when_an_eighth_of_the_memory_is_full) {
  memory.set_limit(64'000);
  auto key = to_sip;
  for (int i = 0; i < 1000; ++i) {
    key.id = std::to_string(i);
    book.open(asked(key, true, false, false), start, rows);
    ASSERT_LE(memory.used(), 8000U);
  }
  EXPECT_GT(book.size(), 5U);
  EXPECT_NE(take(key, delivered), "nobody");
  key.id = "0";
  EXPECT_EQ(take(key, delivered), "nobody");
}

}  // namespace
}  // namespace stox::gateway
