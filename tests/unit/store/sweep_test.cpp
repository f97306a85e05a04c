#include <gmock/gmock.h>

#include <memory>
#include <mutex>

#include "store/settled_clock.hpp"
#include "unit/store/store_folder.hpp"

/// What has expired is taken out by a clock that is believed, and by no other.
namespace stox::store {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const instant start{steady_time(1h), wall_time(1'577'836'800s)};

TEST(settled_clock, is_believed_after_an_hour) {
  settled_clock c(start);
  EXPECT_FALSE(c.may_be_believed(start));
  EXPECT_FALSE(c.may_be_believed(start + 59min));
  EXPECT_TRUE(c.may_be_believed(start + 60min));
  EXPECT_TRUE(c.may_be_believed(start + 61min));
}

TEST(settled_clock, is_not_believed_for_an_hour_after_a_jump_either_way) {
  for (const auto by : {72h, -72h}) {
    settled_clock c(start);
    EXPECT_TRUE(c.may_be_believed(start + 2h));
    const instant jumped{start.steady + 3h, start.wall + 3h + by};
    EXPECT_FALSE(c.may_be_believed(jumped));
    EXPECT_FALSE(c.may_be_believed(jumped + 59min));
    EXPECT_TRUE(c.may_be_believed(jumped + 60min));
  }
}

TEST(settled_clock, may_drift_and_be_set_by_minutes) {
  settled_clock c(start);
  auto now = start;
  for (int i = 0; i < 100; ++i) {
    now = now + 10min;
    now.wall += i % 2 == 0 ? 1s : 300s;
    EXPECT_EQ(c.may_be_believed(now), i >= 5) << i;
  }
}

class sweep_of_the_store : public store_folder {
 protected:
  void turn(duration steady, std::chrono::seconds wall) {
    const std::lock_guard held(guard_);
    now_ = {now_.steady + steady, now_.wall + wall};
  }
  void pass(std::chrono::seconds time) { turn(time, time); }
  std::unique_ptr<sqlite_store> open() {
    auto opened = sqlite_store::open(path, {}, [this] {
      const std::lock_guard held(guard_);
      return now_;
    });
    EXPECT_TRUE(opened) << opened.error().to_string();
    return std::move(*opened);
  }
  /// One row of each table that ends in a day, and one incident that ends in a year.
  void fill(sqlite_store& store) {
    const auto now = now_.wall;
    store.add({now, "sip.example", now + 24h, 1, "kind", "day"});
    store.add({now, "sip.example", now + 365 * 24h, 1, "kind", "year"});
    store.save(capability_row{"sip:bo@sip.example", "cpim", "no", "refused", now, "d", 1, now + 24h});
    receipt_row r;
    r.key.id = "r";
    r.delivered = true;
    r.expiry = now + 24h;
    store.save(r);
    store.load(1);  // what was queued is written
  }
  /// A batch, with which the store sweeps.
  static void write_something(sqlite_store& store) {
    store.remove(receipt_key{true, "", "", "never"});
    store.load(1);
  }
  std::vector<std::string> left() const {
    return rows(path,
                "SELECT detail FROM incident UNION ALL SELECT address FROM capability UNION ALL SELECT "
                "message_id FROM receipt");
  }
  static constexpr auto whole = [] { return ElementsAre("day", "year", "sip:bo@sip.example", "r"); };

  std::mutex guard_;
  instant now_ = start;
};

TEST_F(sweep_of_the_store, takes_out_what_has_expired) {
  const auto store = open();
  fill(*store);
  pass(23h);
  write_something(*store);
  EXPECT_THAT(left(), whole());
  pass(1h);
  write_something(*store);
  EXPECT_THAT(left(), ElementsAre("year"));
}

TEST_F(sweep_of_the_store, spares_all_when_the_clock_is_wrong_at_the_start_and_set_right_soon) {
  {
    const auto store = open();
    fill(*store);
    store->close(true);
  }
  turn(0h, 10 * 365 * 24h);
  {
    const auto store = open();
    EXPECT_THAT(store->load(10), IsEmpty()) << "by this clock they have expired";
    pass(50min);
    write_something(*store);
    EXPECT_THAT(left(), whole());
    turn(10min, -10 * 365 * 24h);
    write_something(*store);
    pass(2h);
    write_something(*store);
    EXPECT_THAT(left(), whole());
    store->close(true);
  }
  EXPECT_EQ(open()->load(10).size(), 2U);
}

TEST_F(sweep_of_the_store, spares_all_when_the_clock_jumps_and_is_set_back_soon) {
  const auto store = open();
  fill(*store);
  pass(2h);
  write_something(*store);
  turn(1s, 365 * 24h);
  write_something(*store);
  pass(50min);
  write_something(*store);
  EXPECT_THAT(left(), whole());
  turn(1s, -365 * 24h);
  write_something(*store);
  pass(2h);
  write_something(*store);
  EXPECT_THAT(left(), whole());
  EXPECT_EQ(store->load(10).size(), 2U);
}

TEST_F(sweep_of_the_store, goes_on_when_the_clock_stays_where_it_jumped_to) {
  const auto store = open();
  fill(*store);
  turn(2h, 48h);
  write_something(*store);
  EXPECT_THAT(left(), whole());
  pass(1h);
  write_something(*store);
  EXPECT_THAT(left(), ElementsAre("year"));
}

}  // namespace
}  // namespace stox::store
