#include "store/schema.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "store/errc.hpp"
#include "store/sqlite.hpp"
#include "store/store_file.hpp"

namespace stox::store {
namespace {

// Times are seconds of the wall clock. Every row that is about somebody has domain, expiry and engine.
constexpr const char* steps_of_this_version[] = {
    R"(
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE incident (
      id INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      domain TEXT NOT NULL,
      expiry INTEGER NOT NULL,
      engine INTEGER NOT NULL,
      kind TEXT NOT NULL,
      detail TEXT NOT NULL);
    CREATE INDEX incident_expiry ON incident (expiry);
    )",
    // Whether a run has ended is now told by a file beside this one; meta held nothing else.
    R"(
    INSERT INTO incident (at, domain, expiry, engine, kind, detail)
      SELECT strftime('%s'), '', strftime('%s', 'now', '+30 days'), 0, 'daemon.unclean_end',
             'open messages of that run are in doubt' FROM meta WHERE key = 'run' AND value = 'open';
    DROP TABLE meta;
    )",
    // What is known of peers' clients, and receipts that somebody waits for. An id is higher the newer its
    // row.
    R"(
    CREATE TABLE capability (
      id INTEGER PRIMARY KEY,
      address TEXT NOT NULL,
      feature TEXT NOT NULL,
      value TEXT NOT NULL,
      how TEXT NOT NULL,
      learned INTEGER NOT NULL,
      domain TEXT NOT NULL,
      expiry INTEGER NOT NULL,
      engine INTEGER NOT NULL,
      UNIQUE (address, feature));
    CREATE INDEX capability_expiry ON capability (expiry);
    CREATE TABLE receipt (
      id INTEGER PRIMARY KEY,
      to_sip INTEGER NOT NULL,
      jid TEXT NOT NULL,
      aor TEXT NOT NULL,
      message_id TEXT NOT NULL,
      delivered INTEGER NOT NULL,
      failed INTEGER NOT NULL,
      displayed INTEGER NOT NULL,
      original_id TEXT NOT NULL,
      reply_to TEXT NOT NULL,
      date_time TEXT NOT NULL,
      call_id TEXT NOT NULL,
      domain TEXT NOT NULL,
      expiry INTEGER NOT NULL,
      engine INTEGER NOT NULL,
      UNIQUE (jid, aor, message_id, to_sip));
    CREATE INDEX receipt_expiry ON receipt (expiry);
    )",
    // How a receipt goes back: the type of the stanza, and the way that RFC 5438 §7.2.1 prescribes.
    R"(
    ALTER TABLE receipt ADD COLUMN type TEXT NOT NULL DEFAULT '';
    ALTER TABLE receipt ADD COLUMN route TEXT NOT NULL DEFAULT '';
    ALTER TABLE receipt ADD COLUMN original_to TEXT NOT NULL DEFAULT '';
    )",
};

std::optional<std::int64_t> number(sqlite3* db, const char* sql) {
  const auto s = prepare(db, sql);
  if (!s || sqlite3_step(s.get()) != SQLITE_ROW) return std::nullopt;
  return sqlite3_column_int64(s.get(), 0);
}

bool says_damaged(sqlite3* db) {
  const int code = sqlite3_errcode(db) & 0xFF;  // without the extension
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

// 0 for an empty file.
result<std::int64_t> version_of(sqlite3* db, const std::string& path) {
  const auto tables = number(db, "SELECT count(*) FROM sqlite_master");
  if (!tables) return database_error(db, errc::unusable, path, "reading");
  if (*tables == 0) return 0;
  const auto version = number(db, "SELECT version FROM schema_version");
  if (!version && says_damaged(db)) return database_error(db, errc::broken, path, "reading");
  if (!version) return error{errc::not_a_store, path + ": has tables, but no schema_version"};
  return *version;
}

// Written beside and renamed, so that a copy with that name is always a whole one.
result<> back_up(sqlite3* db, const std::string& path, std::int64_t version) {
  const auto target = path + ".bak-" + std::to_string(version);
  const auto unfinished = target + ".part";
  std::remove(unfinished.c_str());
  // SQLite fills an empty file, but would make one with the process's umask.
  const descriptor made(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (made.get() < 0) return error{errc::migration_failed, path + ": cannot make the backup " + unfinished};
  const auto copy = prepare(db, "VACUUM INTO ?1");
  if (copy) sqlite3_bind_text(copy.get(), 1, unfinished.c_str(), -1, SQLITE_STATIC);
  if (!copy || sqlite3_step(copy.get()) != SQLITE_DONE) {
    return database_error(db, errc::migration_failed, path, "backup to " + target);
  }
  if (::fsync(made.get()) != 0 || std::rename(unfinished.c_str(), target.c_str()) != 0) {
    return error{errc::migration_failed, path + ": cannot finish the backup " + target};
  }
  for (auto old = version - 2; old > 0; --old) std::remove((path + ".bak-" + std::to_string(old)).c_str());
  return {};
}

bool run_steps(sqlite3* db, std::int64_t from, std::span<const char* const> steps) {
  if (from == 0 &&
      !execute(
          db,
          "CREATE TABLE schema_version (version INTEGER NOT NULL); INSERT INTO schema_version VALUES (0)")) {
    return false;
  }
  for (auto i = static_cast<std::size_t>(from); i < steps.size(); ++i) {
    if (!execute(db, steps[i])) return false;
  }
  return execute(db, ("UPDATE schema_version SET version = " + std::to_string(steps.size())).c_str());
}

}  // namespace

error database_error(sqlite3* db, errc why, const std::string& path, const std::string& doing) {
  return {says_damaged(db) ? errc::broken : why, path + ": " + doing + ": " + sqlite3_errmsg(db)};
}

std::span<const char* const> schema_steps() { return steps_of_this_version; }

result<> migrate(sqlite3* db, const std::string& path, std::span<const char* const> steps) {
  const auto from = version_of(db, path);
  if (!from) return from.error();
  const auto newest = static_cast<std::int64_t>(steps.size());
  if (*from == newest) return {};
  if (*from > newest) {
    return error{errc::newer_schema, path + ": has schema " + std::to_string(*from) +
                                         ", this version knows up to " + std::to_string(newest) +
                                         "; use the newer stoxd, or a backup (.bak-N)"};
  }
  if (*from < 0) return error{errc::not_a_store, path + ": schema_version is negative"};
  if (*from > 0) {
    const auto saved = back_up(db, path, *from);
    if (!saved) return saved.error();
  }
  if (!execute(db, "BEGIN IMMEDIATE")) return database_error(db, errc::migration_failed, path, "begin");
  if (!run_steps(db, *from, steps) || !execute(db, "COMMIT")) {
    auto why = database_error(db, errc::migration_failed, path, "to schema " + std::to_string(newest));
    execute(db, "ROLLBACK");
    return why;
  }
  return {};
}

}  // namespace stox::store
