#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "store/schema.hpp"
#include "store/sqlite.hpp"
#include "store/sqlite_store.hpp"
#include "unit/store/store_folder.hpp"

namespace stox::store {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class sqlite : public store_folder {};

TEST_F(sqlite, makes_a_private_file_with_the_schema_version_of_this_build) {
  ASSERT_TRUE(sqlite_store::open(path));
  EXPECT_THAT(rows(path, "SELECT version FROM schema_version"),
              ElementsAre(std::to_string(schema_steps().size())));
  EXPECT_THAT(rows(path, "PRAGMA journal_mode"), ElementsAre("wal"));
  struct stat s {};
  ASSERT_EQ(stat(path.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
}

TEST_F(sqlite, closes_an_older_file_and_its_backups_to_others) {
  const char* const one[] = {"CREATE TABLE t (x TEXT)"};
  const char* const two[] = {one[0], "ALTER TABLE t ADD COLUMN y TEXT"};
  umask(0022);
  {
    const auto db = raw(path);
    ASSERT_TRUE(migrate(db.get(), path, one));
    ASSERT_TRUE(migrate(db.get(), path, two));
  }
  struct stat s {};
  ASSERT_EQ(stat((path + ".bak-1").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
  std::filesystem::remove(path);
  {
    const auto db = raw(path);
    ASSERT_TRUE(execute(db.get(), "PRAGMA user_version = 1"));
  }
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  ASSERT_TRUE(sqlite_store::open(path));
  ASSERT_EQ(stat(path.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
}

TEST_F(sqlite, refuses_a_second_daemon_before_it_changes_anything) {
  {
    auto first = sqlite_store::open(path);
    ASSERT_TRUE(first);
    const auto second = sqlite_store::open(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().to_string(), "store/in_use: " + path + ": another stoxd has it open");
    EXPECT_TRUE(std::filesystem::exists(path + ".running"));
    (*first)->add(sample("still written"));
    (*first)->close(true);
    EXPECT_EQ((*first)->counters().written, 1u);
    EXPECT_TRUE(sqlite_store::open(path)) << "the lock ends with close()";
  }
  EXPECT_TRUE(sqlite_store::open(path));
}

TEST_F(sqlite, keeps_incidents_with_domain_expiry_and_engine) {
  auto store = sqlite_store::open(path);
  ASSERT_TRUE(store);
  const auto one = sample("call_id=c-1; it's \"quoted\"");
  (*store)->add(one);
  (*store)->add(sample("call_id=c-2"));
  (*store)->close(true);
  EXPECT_EQ((*store)->counters().written, 2u);
  const auto at = std::chrono::duration_cast<std::chrono::seconds>(one.at.time_since_epoch()).count();
  EXPECT_THAT(rows(path, "SELECT id, at, domain, expiry, engine, kind, detail FROM incident WHERE id = 1"),
              ElementsAre("1|" + std::to_string(at) + "|sip.example|" + std::to_string(at + 86400) +
                          "|3|message.to_sip.in_doubt|call_id=c-1; it's \"quoted\""));
  EXPECT_THAT(rows(path, "SELECT detail FROM incident WHERE id = 2"), ElementsAre("call_id=c-2"));
}

TEST_F(sqlite, keeps_the_newest_rows_up_to_its_limit) {
  {
    auto store = sqlite_store::open(path);
    ASSERT_TRUE(store);
  }
  const auto numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                       std::to_string(sqlite_store::rows_limit + 2) + ") ";
  // The odd ids only: gaps take no place.
  ASSERT_TRUE(
      execute(raw(path).get(), (numbers + "INSERT INTO incident SELECT 2 * i + 1, 1, 'd', 99999999999, "
                                          "0, 'k', i FROM n")
                                   .c_str()));
  ASSERT_TRUE(
      execute(raw(path).get(), (numbers + "INSERT INTO capability SELECT 2 * i + 1, i, 'cpim', 'yes', "
                                          "'accept', 1, 'd', 99999999999, 0 FROM n")
                                   .c_str()));
  ASSERT_TRUE(sqlite_store::open(path));
  EXPECT_THAT(rows(path, "SELECT min(detail + 0), count(*) FROM incident"), ElementsAre("3|100000"));
  EXPECT_THAT(rows(path, "SELECT min(address + 0), count(*) FROM capability"), ElementsAre("3|100000"));
}

TEST_F(sqlite, tells_a_crash_from_an_orderly_end) {
  {
    auto first = sqlite_store::open(path);
    ASSERT_TRUE(first);
    EXPECT_FALSE((*first)->found_unclean());
    (*first)->close(true);
  }
  {
    auto second = sqlite_store::open(path);
    ASSERT_TRUE(second);
    EXPECT_FALSE((*second)->found_unclean());
  }  // ends without close(true)
  auto third = sqlite_store::open(path);
  ASSERT_TRUE(third);
  EXPECT_TRUE((*third)->found_unclean());
}

TEST_F(sqlite, counts_what_comes_after_close_as_dropped) {
  auto store = sqlite_store::open(":memory:");
  ASSERT_TRUE(store);
  (*store)->add(sample("in time"));
  (*store)->close(true);
  (*store)->add(sample("late"));
  EXPECT_EQ((*store)->counters().written, 1u);
  EXPECT_EQ((*store)->counters().dropped, 1u);
}

TEST_F(sqlite, counts_what_the_database_refuses) {
  auto store = sqlite_store::open(path);
  ASSERT_TRUE(store);
  ASSERT_TRUE(execute(raw(path).get(), "DROP TABLE incident"));
  (*store)->add(sample("nowhere to go"));
  (*store)->close(true);
  EXPECT_EQ((*store)->counters().failed, 1u);
  EXPECT_EQ((*store)->counters().written, 0u);
}

TEST_F(sqlite, says_once_that_it_cannot_write_and_once_that_it_can_again) {
  std::vector<store_health> told;
  std::unique_ptr<sqlite_store> store;
  auto opened = sqlite_store::open(path, [&] { told.push_back(store->health()); });
  ASSERT_TRUE(opened);
  store = std::move(*opened);
  // Questions are answered after what was added before them.
  const auto add = [&] {
    store->add(sample("one"));
    std::promise<void> done;
    auto waiting = done.get_future();
    store->find({}, [&done](const std::vector<incident>&) { done.set_value(); });
    waiting.wait();
  };
  // A file that may not grow is what a full disk looks like from here.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
  add();
  add();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  add();
  add();
  std::signal(SIGXFSZ, old);
  store->close(true);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_FALSE(told[0].writes);
  EXPECT_THAT(told[0].why, Not(IsEmpty()));
  EXPECT_TRUE(told[1].writes);
  EXPECT_EQ(store->counters().failed, 2u);
  EXPECT_EQ(store->counters().written, 2u);
}

TEST_F(sqlite, finds_the_newest_incidents_since_a_time_oldest_first) {
  for (const auto& where : {path, std::string(":memory:")}) {
    auto store = sqlite_store::open(where);
    ASSERT_TRUE(store);
    const auto found = [&](incident_query q) {
      std::promise<std::vector<std::string>> answer;
      (*store)->find(q, [&](const std::vector<incident>& all) {
        std::vector<std::string> details;
        for (const auto& i : all) details.push_back(i.kind + " " + i.domain + " " + i.detail);
        answer.set_value(details);
      });
      return answer.get_future().get();
    };
    auto old = sample("old");
    old.at -= 48h;
    old.expiry += 48h;
    (*store)->add(old);
    for (const auto* detail : {"a", "b"}) (*store)->add(sample(detail));
    const std::string head = "message.to_sip.in_doubt sip.example ";
    EXPECT_THAT(found({}), ElementsAre(head + "old", head + "a", head + "b"));
    EXPECT_THAT(found({{}, 2}), ElementsAre(head + "a", head + "b"));
    EXPECT_THAT(found({old.at + 1s, 100}), ElementsAre(head + "a", head + "b"));
    (*store)->close(true);
    EXPECT_THAT(found({}), ElementsAre());
  }
}

TEST_F(sqlite, names_the_path_that_cannot_be_opened) {
  const auto store = sqlite_store::open(folder + "/missing/stox.db");
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().to_string(),
            "store/cannot_open: " + folder + "/missing/stox.db: No such file or directory");
}

TEST_F(sqlite, refuses_a_newer_schema_and_leaves_it_alone) {
  {
    auto store = sqlite_store::open(path);
    ASSERT_TRUE(store);
  }
  ASSERT_TRUE(execute(raw(path).get(), "UPDATE schema_version SET version = 99"));
  const auto store = sqlite_store::open(path);
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().to_string(),
              StartsWith("store/newer_schema: " + path + ": has schema 99, this version knows up to"));
  EXPECT_THAT(rows(path, "SELECT version FROM schema_version"), ElementsAre("99"));
}

TEST_F(sqlite, refuses_another_programs_database) {
  ASSERT_TRUE(execute(raw(path).get(), "CREATE TABLE theirs (x)"));
  const auto other = sqlite_store::open(path);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().to_string(), StartsWith("store/not_a_store: "));
  EXPECT_THAT(rows(path, "SELECT name FROM sqlite_master"), ElementsAre("theirs"));
  EXPECT_FALSE(std::filesystem::exists(path + ".running")) << "nothing ran";
}

TEST_F(sqlite, migrates_forward_after_a_backup_copy) {
  const char* const one[] = {"CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('old')"};
  const char* const three[] = {one[0], "ALTER TABLE t ADD COLUMN y TEXT", "UPDATE t SET y = x || '!'"};
  const auto db = raw(path);
  ASSERT_TRUE(migrate(db.get(), path, one));
  EXPECT_FALSE(std::filesystem::exists(path + ".bak-0"));  // there was nothing to save
  ASSERT_TRUE(migrate(db.get(), path, three));
  EXPECT_THAT(rows(path, "SELECT x, y FROM t"), ElementsAre("old|old!"));
  EXPECT_THAT(rows(path, "SELECT version FROM schema_version"), ElementsAre("3"));
  EXPECT_THAT(rows(path + ".bak-1", "SELECT * FROM t"), ElementsAre("old"));
  EXPECT_THAT(rows(path + ".bak-1", "SELECT version FROM schema_version"), ElementsAre("1"));
}

TEST_F(sqlite, leaves_the_file_as_it_was_when_a_step_fails) {
  const char* const one[] = {"CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('old')"};
  const char* const bad[] = {one[0], "UPDATE t SET x = 'new'", "UPDATE missing SET y = 1"};
  const auto db = raw(path);
  ASSERT_TRUE(migrate(db.get(), path, one));
  const auto r = migrate(db.get(), path, bad);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().to_string(),
            "store/migration_failed: " + path + ": to schema 3: no such table: missing");
  EXPECT_THAT(rows(path, "SELECT x FROM t"), ElementsAre("old"));
  EXPECT_THAT(rows(path, "SELECT version FROM schema_version"), ElementsAre("1"));
}

}  // namespace
}  // namespace stox::store
