#include "store/store_check.hpp"

#include <sys/stat.h>

#include <utility>

#include "store/tables.hpp"

namespace stox::store {

namespace {

constexpr int most_problems = 20;

std::uint64_t size_of(const std::string& file) {
  struct stat about {};
  return ::stat(file.c_str(), &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
}

std::vector<std::string> problems_of(sqlite3* db) {
  std::vector<std::string> out;
  const auto s = prepare(db, ("PRAGMA integrity_check(" + std::to_string(most_problems) + ")").c_str());
  int step = s ? sqlite3_step(s.get()) : SQLITE_ERROR;
  for (; step == SQLITE_ROW; step = sqlite3_step(s.get())) {
    std::string found = reinterpret_cast<const char*>(sqlite3_column_text(s.get(), 0));
    if (found != "ok") out.push_back(std::move(found));
  }
  if (step != SQLITE_DONE) out.emplace_back(sqlite3_errmsg(db));
  return out;
}

}  // namespace

store_report check_file(const std::string& path, sqlite3* writing, wall_time now) {
  store_report out;
  database own;
  sqlite3* db = writing;
  if (!path.empty()) {
    sqlite3* raw = nullptr;
    const int status =
        sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
    own.reset(raw);
    if (status != SQLITE_OK) {
      out.problems.push_back(path + ": " + sqlite3_errstr(status));
      return out;
    }
    sqlite3_busy_timeout(raw, 5000);
    db = raw;
    out.bytes = size_of(path) + size_of(path + "-wal");
  }
  out.problems = problems_of(db);
  out.tables = count_rows(db, now);
  return out;
}

bool can_write(sqlite3* db) {
  // SQLite writes no page whose bytes stay the same all the time.
  return execute(db,
                 "BEGIN IMMEDIATE; UPDATE schema_version SET version = version + 1;"
                 "UPDATE schema_version SET version = version - 1; COMMIT");
}

}  // namespace stox::store
