#include "gateway/peer_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/context.hpp"
#include "unit/gateway/row_list.hpp"

namespace stox::gateway {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const instant start{steady_time(1h), wall_time(std::chrono::seconds(1'577'836'800))};
const std::string bo = "sip:bo@sip.example";
constexpr auto domain = "sip.example";

constexpr lesson cpim_received{feature::cpim, true, learned_by::received};
constexpr lesson cpim_accepted{feature::cpim, true, learned_by::accept};
constexpr lesson cpim_refused{feature::cpim, false, learned_by::refused};

class peers : public testing::Test {
 protected:
  known cpim(instant now) {
    const auto* caps = book.find(bo, now);
    return caps != nullptr ? caps->of(feature::cpim) : known::unknown;
  }
  void learn(lesson what, instant now) { book.learn(bo, domain, what, now, rows); }

  byte_account memory{std::size_t{64} << 20};
  row_list rows;
  peer_book book{memory};
};

TEST_F(peers, nothing_is_known_of_who_showed_nothing) {
  EXPECT_EQ(book.find(bo, start), nullptr);
  book.learn(bo, domain, lessons{}, start, rows);
  EXPECT_EQ(book.size(), 0U);
  learn(cpim_received, start);
  const auto* caps = book.find(bo, start);
  ASSERT_NE(caps, nullptr);
  EXPECT_TRUE(caps->can(feature::cpim));
  EXPECT_EQ(caps->of(feature::imdn), known::unknown);
  EXPECT_FALSE(caps->can(feature::imdn));
}

TEST_F(peers, what_is_learned_is_saved_with_domain_and_expiry) {
  learn(cpim_received, start + 1500ms);
  ASSERT_EQ(rows.saved.size(), 1U);
  const auto at = start.wall + 1s;
  EXPECT_EQ(std::get<capability_row>(rows.saved[0]),
            (capability_row{bo, "cpim", "yes", "received", at, domain, 0, at + 30 * 24h}));
  learn(cpim_refused, start);
  EXPECT_EQ(std::get<capability_row>(rows.saved[1]),
            (capability_row{bo, "cpim", "no", "refused", start.wall, domain, 0, start.wall + 24h}));
}

TEST_F(peers, a_yes_ends_after_a_month_and_a_no_after_a_day) {
  learn(cpim_received, start);
  EXPECT_EQ(cpim(start + 30 * 24h + -1s), known::yes);
  EXPECT_EQ(cpim(start + 30 * 24h), known::unknown);
  learn(cpim_refused, start);
  EXPECT_EQ(cpim(start + 24h + -1s), known::no);
  EXPECT_EQ(cpim(start + 24h), known::unknown);
}

TEST_F(peers, what_is_confirmed_is_saved_again_only_when_it_gets_old) {
  learn(cpim_received, start);
  learn(cpim_received, start + 23h);
  EXPECT_EQ(rows.saved.size(), 1U);
  learn(cpim_received, start + 24h);
  EXPECT_EQ(rows.saved.size(), 2U);
  EXPECT_EQ(cpim(start + 31 * 24h + -1s), known::yes);
  learn(cpim_refused, start + 25h);
  learn(cpim_refused, start + 30h);
  EXPECT_EQ(rows.saved.size(), 3U);
  learn(cpim_refused, start + 31h);
  EXPECT_EQ(rows.saved.size(), 4U) << "a day is short: it is renewed earlier";
}

TEST_F(peers, a_refusal_counts_more_than_a_word_and_less_than_a_deed) {
  learn(cpim_accepted, start);
  learn(cpim_refused, start);
  EXPECT_EQ(cpim(start), known::no);
  learn(cpim_accepted, start + 1h);
  EXPECT_EQ(cpim(start + 1h), known::no);
  learn(cpim_received, start + 1h);
  EXPECT_EQ(cpim(start + 1h), known::yes);
  learn(cpim_refused, start + 2h);
  learn(cpim_accepted, start + 27h);
  EXPECT_EQ(cpim(start + 27h), known::yes) << "the refusal has expired";
}

TEST_F(peers, accepted_types_are_kept_bounded) {
  lessons many;
  for (int i = 0; i < 30; ++i) many.accepts.push_back("a/" + std::to_string(i));
  many.accepts.insert(many.accepts.begin(), "a/" + std::string(peer_book::most_type_bytes, 'x'));
  book.learn(bo, domain, many, start, rows);
  const auto* caps = book.find(bo, start);
  ASSERT_NE(caps, nullptr);
  ASSERT_EQ(caps->accepts.size(), peer_book::most_types);
  EXPECT_EQ(caps->accepts.front(), "a/0");
  book.learn(bo, domain, many, start + 1h, rows);
  EXPECT_EQ(rows.saved.size(), 1U);
  EXPECT_THAT(book.find(bo, start + 30 * 24h)->accepts, IsEmpty());
}

TEST_F(peers, what_was_saved_comes_back_after_a_restart) {
  learn(cpim_received, start);
  book.learn("ana@xmpp.example", domain, {feature::chat_states, true, learned_by::received}, start, rows);
  book.learn(bo, domain, lessons{{}, {"text/plain", "message/cpim"}}, start, rows);
  byte_account other{std::size_t{64} << 20};
  peer_book next(other);
  for (const auto& row : rows.saved) next.restore(std::get<capability_row>(row), start + 1h);
  EXPECT_EQ(next.find(bo, start + 1h)->of(feature::cpim), known::yes);
  EXPECT_THAT(next.find(bo, start + 1h)->accepts, ElementsAre("text/plain", "message/cpim"));
  const auto& states = next.find("ana@xmpp.example", start + 1h)->facts[4];
  EXPECT_EQ(states.value, known::yes);
  EXPECT_EQ(states.how, learned_by::received);
  EXPECT_EQ(states.when.learned, start.wall);
  EXPECT_EQ(next.find(bo, start + 30 * 24h)->of(feature::cpim), known::unknown) << "a restart renews nothing";
}

constexpr auto year = 365 * 24h;

TEST_F(peers, the_wall_clock_ends_nothing_and_keeps_nothing) {
  const lessons both{{cpim_received}, {"text/plain"}};
  book.learn(bo, domain, both, start, rows);
  const instant ahead{start.steady + 1h, start.wall + year};
  EXPECT_EQ(cpim(ahead), known::yes);
  EXPECT_THAT(book.find(bo, ahead)->accepts, ElementsAre("text/plain"));
  const instant behind{start.steady + 30 * 24h, start.wall - year};
  EXPECT_EQ(cpim(behind), known::unknown);
  EXPECT_THAT(book.find(bo, behind)->accepts, IsEmpty());
}

TEST_F(peers, what_was_learned_while_the_clock_was_ahead_is_renewed_once_it_is_right) {
  const lessons both{{cpim_received}, {"text/plain"}};
  book.learn(bo, domain, both, {start.steady, start.wall + year}, rows);
  EXPECT_EQ(rows.saved.size(), 2U);
  book.learn(bo, domain, both, start + 1s, rows);
  book.learn(bo, domain, both, start + 2s, rows);
  ASSERT_EQ(rows.saved.size(), 4U);
  for (const auto at : {2U, 3U}) {
    const auto& row = std::get<capability_row>(rows.saved[at]);
    EXPECT_EQ(row.learned, start.wall + 1s) << row.feature;
    EXPECT_EQ(row.expiry, start.wall + 1s + 30 * 24h) << row.feature;
  }
}

TEST_F(peers, a_row_from_a_clock_that_was_ahead_counts_as_learned_now) {
  book.learn(bo, domain, lessons{{cpim_refused}, {"text/plain"}}, {start.steady, start.wall + year}, rows);
  byte_account other{std::size_t{64} << 20};
  peer_book next(other);
  for (const auto& row : rows.saved) next.restore(std::get<capability_row>(row), start);
  EXPECT_EQ(next.find(bo, start + 24h + -1s)->of(feature::cpim), known::no);
  EXPECT_EQ(next.find(bo, start + 24h)->of(feature::cpim), known::unknown);
  EXPECT_THAT(next.find(bo, start + 30 * 24h + -1s)->accepts, ElementsAre("text/plain"));
  EXPECT_THAT(next.find(bo, start + 30 * 24h)->accepts, IsEmpty());
  rows.saved.clear();
  next.learn(bo, domain, lessons{{}, {"text/plain"}}, start + 25h, rows);
  EXPECT_EQ(rows.saved.size(), 1U);
}

TEST_F(peers, a_row_that_is_old_or_of_another_version_is_passed_over) {
  const auto until = start.wall + 1h;
  for (const auto& row : {capability_row{bo, "cpim", "yes", "received", start.wall, domain, 0, start.wall},
                          capability_row{bo, "telepathy", "yes", "received", start.wall, domain, 0, until},
                          capability_row{bo, "cpim", "yes", "guessed", start.wall, domain, 0, until}}) {
    book.restore(row, start);
  }
  EXPECT_EQ(book.size(), 0U);
}

TEST_F(peers, forgetting_also_asks_the_store) {
  learn(cpim_received, start);
  EXPECT_TRUE(book.forget(bo, rows));
  EXPECT_FALSE(book.forget("sip:never@sip.example", rows)) << "the store may still hold it";
  EXPECT_THAT(rows.removed,
              ElementsAre(row_key(capability_key{bo}), row_key(capability_key{"sip:never@sip.example"})));
  EXPECT_EQ(book.find(bo, start), nullptr);
  EXPECT_EQ(memory.used(), 0U);
}

TEST_F(peers, the_stalest_go_when_an_eighth_of_the_memory_is_full) {
  memory.set_limit(64'000);
  for (int i = 0; i < 1000; ++i) {
    book.learn("u" + std::to_string(i) + "@x", domain, cpim_received, start + i * 1s, rows);
    ASSERT_NE(book.find("u0@x", start + i * 1s), nullptr);
    ASSERT_LE(memory.used(), 8000U);
  }
  EXPECT_GT(book.size(), 5U);
  EXPECT_EQ(book.find("u1@x", start), nullptr);
  EXPECT_NE(book.find("u999@x", start), nullptr);
  EXPECT_EQ(memory.used(), book.memory_used());
}

TEST_F(peers, a_record_that_nobody_asks_for_goes_after_a_month) {
  learn(cpim_received, start);
  book.expire(start.steady + 30 * 24h);
  EXPECT_EQ(book.size(), 1U);
  book.expire(start.steady + 30 * 24h + 1s);
  EXPECT_EQ(book.size(), 0U);
}

TEST(peer_name, is_one_for_all_spellings_of_a_user) {
  domains d;
  d.addresses = translate::address_map(std::vector<translate::domain_pair>{{"sip.example", "chat.example"}});
  d.sip = {"sip.example"};
  for (const auto* text : {"sip:bo@sip.example", "sip:BO@SIP.example:5070;transport=tcp", "bo@chat.example",
                           "Bo@chat.example/desk", "im:bo@sip.example", " sip:%62o@sip.example;gr=x "}) {
    EXPECT_EQ(peer_name(text, d), "sip:bo@sip.example") << text;
  }
  for (const auto* text : {"ana@xmpp.example", "sip:ana@xmpp.example", "Ana@xmpp.example/phone"})
    EXPECT_EQ(peer_name(text, d), "ana@xmpp.example") << text;
  EXPECT_EQ(peer_name("tel:+4930123", d), "sip:+4930123@sip.example");
  for (const auto* text : {"", "sip.example", "sip:sip.example", "192.0.2.1", "http://x/", "sip:", "a@b@c"})
    EXPECT_EQ(peer_name(text, d), std::nullopt) << text;
}

}  // namespace
}  // namespace stox::gateway
