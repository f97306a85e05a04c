#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/schema.hpp"
#include "unit/store/store_folder.hpp"

namespace stox::store {
namespace {

using testing::AnyOf;
using testing::ElementsAre;

class migration : public store_folder {
 protected:
  /// What the first version of this program left behind; never to be changed.
  void write_version_1(const char* run) const {
    const auto db = raw(path);
    ASSERT_TRUE(execute(db.get(), R"(
      PRAGMA journal_mode = WAL;
      CREATE TABLE schema_version (version INTEGER NOT NULL);
      INSERT INTO schema_version VALUES (1);
      CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE incident (
        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, domain TEXT NOT NULL, expiry INTEGER NOT NULL,
        engine INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL);
      CREATE INDEX incident_expiry ON incident (expiry);
      INSERT INTO incident VALUES (5, 1700000000, 'sip.example', 9999999999, 0, 'message.to_sip.in_doubt', 'call_id=c-1');
    )"));
    ASSERT_TRUE(execute(db.get(), ("INSERT INTO meta VALUES ('run', '" + std::string(run) + "')").c_str()));
  }
};

TEST_F(migration, of_a_version_2_file_adds_the_tables_of_rows) {
  {
    const auto db = raw(path);
    ASSERT_TRUE(execute(db.get(), R"(
      PRAGMA journal_mode = WAL;
      CREATE TABLE schema_version (version INTEGER NOT NULL);
      INSERT INTO schema_version VALUES (2);
      CREATE TABLE incident (
        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, domain TEXT NOT NULL, expiry INTEGER NOT NULL,
        engine INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL);
      CREATE INDEX incident_expiry ON incident (expiry);
      INSERT INTO incident VALUES (5, 1700000000, 'sip.example', 9999999999, 0, 'k', 'call_id=c-1');
    )"));
  }
  auto store = sqlite_store::open(path);
  ASSERT_TRUE(store) << store.error().to_string();
  EXPECT_TRUE((*store)->load(10).empty());
  (*store)->save(capability_row{"sip:bo@sip.example", "cpim", "yes", "accept", wall_time(), "sip.example", 0,
                                wall_time(std::chrono::seconds(9'000'000'000))});
  (*store)->close(true);
  EXPECT_EQ((*store)->counters().written, 1u);
  EXPECT_THAT(rows(path, "SELECT address FROM capability"), ElementsAre("sip:bo@sip.example"));
  EXPECT_THAT(rows(path, "SELECT detail FROM incident"), ElementsAre("call_id=c-1"));
  EXPECT_THAT(rows(path + ".bak-2", "SELECT version FROM schema_version"), ElementsAre("2"));
  EXPECT_THAT(rows(path + ".bak-2", "SELECT detail FROM incident"), ElementsAre("call_id=c-1"));
  for (const std::string table : {"incident", "capability", "receipt"}) {
    EXPECT_THAT(rows(path, ("SELECT group_concat(name) FROM pragma_table_info('" + table +
                            "') WHERE name IN ('domain', 'expiry', 'engine') ORDER BY name")
                               .c_str()),
                ElementsAre("domain,expiry,engine"))
        << table;
  }
}

TEST_F(migration, of_a_version_3_file_keeps_its_receipts) {
  {
    const auto db = raw(path);
    ASSERT_TRUE(execute(db.get(), R"(
      PRAGMA journal_mode = WAL;
      CREATE TABLE schema_version (version INTEGER NOT NULL);
      INSERT INTO schema_version VALUES (3);
      CREATE TABLE incident (
        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, domain TEXT NOT NULL, expiry INTEGER NOT NULL,
        engine INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL);
      CREATE INDEX incident_expiry ON incident (expiry);
      CREATE TABLE capability (
        id INTEGER PRIMARY KEY, address TEXT NOT NULL, feature TEXT NOT NULL, value TEXT NOT NULL,
        how TEXT NOT NULL, learned INTEGER NOT NULL, domain TEXT NOT NULL, expiry INTEGER NOT NULL,
        engine INTEGER NOT NULL, UNIQUE (address, feature));
      CREATE INDEX capability_expiry ON capability (expiry);
      CREATE TABLE receipt (
        id INTEGER PRIMARY KEY, to_sip INTEGER NOT NULL, jid TEXT NOT NULL, aor TEXT NOT NULL,
        message_id TEXT NOT NULL, delivered INTEGER NOT NULL, failed INTEGER NOT NULL,
        displayed INTEGER NOT NULL, original_id TEXT NOT NULL, reply_to TEXT NOT NULL,
        date_time TEXT NOT NULL, call_id TEXT NOT NULL, domain TEXT NOT NULL, expiry INTEGER NOT NULL,
        engine INTEGER NOT NULL, UNIQUE (jid, aor, message_id, to_sip));
      CREATE INDEX receipt_expiry ON receipt (expiry);
      INSERT INTO receipt VALUES (1, 0, 'ana@xmpp.example', 'bo@sip.example', 'x-1', 1, 0, 1, 'm1',
        'sip:bo@sip.example', '', 'c-1', 'sip.example', 9000000000, 0);
    )"));
  }
  const auto store = sqlite_store::open(path);
  ASSERT_TRUE(store) << store.error().to_string();
  const auto all = (*store)->load(10);
  ASSERT_EQ(all.size(), 1u);
  const auto& r = std::get<receipt_row>(all.front());
  EXPECT_EQ(r.original_id + r.call_id + r.domain, "m1c-1sip.example");
  EXPECT_EQ(r.type + r.route + r.original_to, "");
  EXPECT_THAT(rows(path + ".bak-3", "SELECT message_id FROM receipt"), ElementsAre("x-1"));
}

const char* const details = "SELECT kind, detail FROM incident ORDER BY id";

TEST_F(migration, of_a_version_1_file_keeps_its_incidents_and_a_copy) {
  write_version_1("clean");
  ASSERT_TRUE(sqlite_store::open(path));
  EXPECT_THAT(rows(path, "SELECT version FROM schema_version"),
              ElementsAre(std::to_string(schema_steps().size())));
  EXPECT_THAT(rows(path, details), ElementsAre("message.to_sip.in_doubt|call_id=c-1"));
  EXPECT_THAT(rows(path + ".bak-1", "SELECT version FROM schema_version"), ElementsAre("1"));
  EXPECT_THAT(rows(path + ".bak-1", details), ElementsAre("message.to_sip.in_doubt|call_id=c-1"));
  EXPECT_THAT(rows(path + ".bak-1", "SELECT value FROM meta"), ElementsAre("clean"));
}

TEST_F(migration, of_a_version_1_file_that_was_left_by_a_crash_tells_of_it) {
  write_version_1("open");
  ASSERT_TRUE(sqlite_store::open(path));
  EXPECT_THAT(rows(path, details), ElementsAre("message.to_sip.in_doubt|call_id=c-1",
                                               "daemon.unclean_end|open messages of that run are in doubt"));
  EXPECT_THAT(
      rows(path, "SELECT detail FROM incident WHERE expiry > at + 86400 * 29 AND kind LIKE 'daemon%'"),
      ElementsAre("open messages of that run are in doubt"));
}

TEST_F(migration, keeps_the_two_newest_copies) {
  const char* const steps[] = {"CREATE TABLE t (x)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)",
                               "INSERT INTO t VALUES (3)"};
  for (std::size_t i = 1; i <= 4; ++i) ASSERT_TRUE(migrate(raw(path).get(), path, {steps, i}));
  EXPECT_FALSE(std::filesystem::exists(path + ".bak-1"));
  EXPECT_THAT(rows(path + ".bak-2", "SELECT x FROM t"), ElementsAre("1"));
  EXPECT_THAT(rows(path + ".bak-3", "SELECT x FROM t"), ElementsAre("1", "2"));
}

// The process dies at each step of SQLite's machine in turn; what it leaves is one of the two, whole.
TEST_F(migration, that_is_killed_anywhere_leaves_the_old_or_the_new) {
  const char* const one[] = {"CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('old')"};
  const char* const three[] = {one[0], "ALTER TABLE t ADD COLUMN y TEXT", "UPDATE t SET x = 'new', y = 'y'"};
  ASSERT_TRUE(migrate(raw(path).get(), path, one));
  const auto original = folder + "/original";
  std::filesystem::copy_file(path, original);
  int killed = 0, left_old = 0;
  for (int steps = 1;; steps += 19) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path() != original) std::filesystem::remove(entry.path());
    }
    std::filesystem::copy_file(original, path);
    const auto child = fork();
    if (child == 0) {
      const auto db = raw(path);
      execute(db.get(), "PRAGMA journal_mode = WAL");
      sqlite3_progress_handler(
          db.get(), 1,
          [](void* left) -> int {
            if (--*static_cast<int*>(left) == 0) ::_exit(9);
            return 0;
          },
          &steps);
      ::_exit(migrate(db.get(), path, three) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_THAT(WEXITSTATUS(status), AnyOf(0, 9));
    const auto version = rows(path, "SELECT version FROM schema_version");
    if (version == std::vector<std::string>{"1"}) {
      ASSERT_THAT(rows(path, "SELECT * FROM t"), ElementsAre("old"));
      ++left_old;
    } else {
      ASSERT_THAT(version, ElementsAre("3"));
      ASSERT_THAT(rows(path, "SELECT x, y FROM t"), ElementsAre("new|y"));
    }
    if (std::filesystem::exists(path + ".bak-1")) {
      ASSERT_THAT(rows(path + ".bak-1", "SELECT * FROM t"), ElementsAre("old"));
    }
    ASSERT_TRUE(migrate(raw(path).get(), path, three)) << "the next start goes on";
    ASSERT_THAT(rows(path, "SELECT x, y FROM t"), ElementsAre("new|y"));
    if (WEXITSTATUS(status) == 0) break;
    ++killed;
  }
  EXPECT_GT(killed, 20);
  EXPECT_GT(left_old, 20);
}

}  // namespace
}  // namespace stox::store
