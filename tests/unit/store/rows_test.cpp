#include <gmock/gmock.h>

#include <fstream>
#include <future>
#include <memory>

#include "gateway/receipt_book.hpp"
#include "unit/store/store_folder.hpp"

/// Rows that the core wants kept: written, replaced, removed, and handed back.
namespace stox::store {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class stored_rows : public store_folder {
 protected:
  static capability_row capability(const std::string& address, const std::string& feature = "cpim",
                                   std::chrono::seconds lifetime = 24h) {
    return {address, feature, "yes", "accept", now(), "sip.example", 3, now() + lifetime};
  }
  static receipt_row receipt(const std::string& id, std::chrono::seconds lifetime = 24h) {
    receipt_row r;
    r.key = {true, "ana@xmpp.example", "bo@sip.example", id};
    r.delivered = r.displayed = true;
    r.original_id = "m1\n'\"";
    r.reply_to = "ana@xmpp.example/\xC3\xA4";
    r.date_time = "2026-01-31T12:00:00Z";
    r.call_id = "c-1";
    r.type = "chat";
    r.route = "<sip:relay@sip.example;lr>\n<sip:b@sip.example>";
    r.original_to = "sip:list@sip.example";
    r.domain = "sip.example";
    r.engine = 3;
    r.expiry = now() + lifetime;
    return r;
  }
  static wall_time now() {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  }
  std::unique_ptr<sqlite_store> open() const {
    auto opened = sqlite_store::open(path);
    EXPECT_TRUE(opened) << opened.error().to_string();
    return std::move(*opened);
  }
  static store_report checked(sqlite_store& store) {
    std::promise<store_report> answer;
    store.check([&](store_report r) { answer.set_value(std::move(r)); });
    return answer.get_future().get();
  }
};

TEST_F(stored_rows, come_back_whole_after_the_file_was_closed) {
  const auto c = capability("sip:bo@sip.example");
  const auto r = receipt("imdn-1");
  {
    const auto store = open();
    store->save(c);
    store->save(r);
    store->close(true);
    EXPECT_EQ(store->counters().written, 2u);
  }
  const auto store = open();
  EXPECT_THAT(store->load(100), ElementsAre(stored_row(c), stored_row(r)));
}

TEST_F(stored_rows, take_the_place_of_the_one_of_their_name) {
  const auto store = open();
  auto c = capability("sip:bo@sip.example");
  store->save(c);
  store->save(capability("sip:al@sip.example"));
  store->save(capability("sip:bo@sip.example", "imdn"));
  c.value = "no";
  store->save(c);
  auto r = receipt("imdn-1");
  store->save(r);
  r.delivered = false;
  store->save(r);
  r.key.to_sip = false;
  store->save(r);
  EXPECT_THAT(store->load(100), ElementsAre(stored_row(capability("sip:al@sip.example")),
                                            stored_row(capability("sip:bo@sip.example", "imdn")),
                                            stored_row(c), Not(stored_row(r)), stored_row(r)))
      << "the newest last";
}

TEST_F(stored_rows, go_when_they_are_removed) {
  const auto store = open();
  store->save(capability("sip:bo@sip.example"));
  store->save(capability("sip:bo@sip.example", "imdn"));
  store->save(capability("sip:al@sip.example"));
  store->save(receipt("imdn-1"));
  store->save(receipt("imdn-2"));
  store->remove(capability_key{"sip:bo@sip.example"});
  store->remove(receipt("imdn-1").key);
  store->remove(receipt("never").key);
  EXPECT_THAT(store->load(100),
              ElementsAre(stored_row(capability("sip:al@sip.example")), stored_row(receipt("imdn-2"))));
}

TEST_F(stored_rows, are_handed_back_up_to_a_limit_of_each_kind_the_newest) {
  const auto store = open();
  for (const auto* id : {"1", "2", "3"}) {
    store->save(capability(id));
    store->save(receipt(id));
  }
  EXPECT_THAT(store->load(2), ElementsAre(stored_row(capability("2")), stored_row(capability("3")),
                                          stored_row(receipt("2")), stored_row(receipt("3"))));
}

TEST_F(stored_rows, that_have_expired_are_not_handed_back) {
  const auto store = open();
  store->save(capability("old", "cpim", -1s));
  store->save(receipt("old", -1s));
  EXPECT_THAT(store->load(100), IsEmpty());
}

TEST_F(stored_rows, beyond_the_queue_are_dropped_and_counted_but_removals_may_still_wait) {
  const auto store = open();
  std::promise<void> gate, reached;
  auto open_gate = gate.get_future().share();
  store->find({}, [&](const std::vector<incident>&) {
    reached.set_value();
    open_gate.wait();
  });
  reached.get_future().wait();  // the store's thread stands still from here
  for (std::size_t i = 0; i < sqlite_store::queue_limit + 5; ++i) store->save(receipt(std::to_string(i)));
  store->add(sample("late"));
  EXPECT_EQ(store->counters().dropped, 6u);
  store->remove(receipt("0").key);
  EXPECT_EQ(store->counters().dropped, 6u);
  gate.set_value();
  store->close(true);
  EXPECT_EQ(store->counters().written, sqlite_store::queue_limit + 1);
  EXPECT_THAT(rows(path, "SELECT count(*) FROM receipt"),
              ElementsAre(std::to_string(sqlite_store::queue_limit - 1)));
}

TEST_F(stored_rows, after_close_are_dropped_and_nothing_is_found) {
  const auto store = open();
  store->close(true);
  store->save(receipt("late"));
  store->remove(receipt("late").key);
  EXPECT_EQ(store->counters().dropped, 2u);
  EXPECT_THAT(store->load(10), IsEmpty());
  EXPECT_THAT(checked(*store).problems, ElementsAre("the store is closed"));
}

/// A receipt book's rows through a file and into the next process's book.
TEST_F(stored_rows, of_a_book_let_the_next_process_tell_once_what_is_still_open) {
  struct sink final : row_sink {
    explicit sink(sqlite_store& s) : store(s) {}
    void save(stored_row row) override { store.save(std::move(row)); }
    void remove(row_key key) override { store.remove(std::move(key)); }
    sqlite_store& store;
  };
  const instant at{steady_time(1h), std::chrono::system_clock::now()};
  byte_account memory{std::size_t{64} << 20};
  using gateway::receipt_kind;
  {
    const auto store = open();
    sink to(*store);
    gateway::receipt_book book(memory);
    book.open(receipt("half"), at, to);
    book.open(receipt("done"), at, to);
    book.take(receipt("half").key, receipt_kind::delivered, at, to);
    book.take(receipt("done").key, receipt_kind::delivered, at, to);
    book.take(receipt("done").key, receipt_kind::displayed, at, to);
  }  // killed
  const auto store = open();
  EXPECT_TRUE(store->found_unclean());
  sink to(*store);
  gateway::receipt_book book(memory);
  for (auto& row : store->load(100)) book.restore(std::get<receipt_row>(row), at);
  EXPECT_EQ(book.size(), 1u);
  EXPECT_FALSE(book.take(receipt("half").key, receipt_kind::delivered, at, to));
  EXPECT_TRUE(book.take(receipt("half").key, receipt_kind::displayed, at, to));
  EXPECT_THAT(store->load(100), IsEmpty());
}

TEST_F(stored_rows, a_check_counts_them_and_finds_a_sound_file_sound) {
  const auto store = open();
  store->save(capability("a"));
  store->save(capability("b"));
  store->save(receipt("1"));
  EXPECT_EQ(store->load(1).size(), 2u);
  ASSERT_TRUE(execute(
      raw(path).get(),
      "INSERT INTO incident (at, domain, expiry, engine, kind, detail) VALUES (1, '', 2, 0, '', '')"));
  const auto report = checked(*store);
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_TRUE(report.writes);
  EXPECT_GT(report.bytes, 4096u);
  std::vector<std::string> tables;
  for (const auto& t : report.tables)
    tables.push_back(t.name + " " + std::to_string(t.rows) + " " + std::to_string(t.expired));
  EXPECT_THAT(tables, ElementsAre("incident 1 1", "capability 2 0", "receipt 1 0"));
}

TEST_F(stored_rows, a_check_sees_damage_on_the_disk_that_is_not_in_the_cache) {
  {
    const auto store = open();
    for (int i = 0; i < 2000; ++i) store->save(receipt(std::to_string(i)));
    store->close(true);
  }
  const auto store = open();
  {
    std::fstream f(path, std::ios::in | std::ios::out | std::ios::binary);
    f.seekp(40960) << std::string(4096, '\xA5');
  }
  EXPECT_THAT(checked(*store).problems, Not(IsEmpty()));
}

TEST_F(stored_rows, a_check_in_memory_has_no_size) {
  auto opened = sqlite_store::open(":memory:");
  ASSERT_TRUE(opened);
  (*opened)->save(receipt("1"));
  const auto report = checked(**opened);
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_TRUE(report.writes);
  EXPECT_EQ(report.bytes, 0u);
  EXPECT_EQ(report.tables.size(), 3u);
}

}  // namespace
}  // namespace stox::store
