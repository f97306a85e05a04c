#pragma once

#include <sqlite3.h>

#include <memory>

/// SQLite's handles with owners. For this room only.
namespace stox::store {

struct database_closer {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
using database = std::unique_ptr<sqlite3, database_closer>;

struct statement_closer {
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};
using statement = std::unique_ptr<sqlite3_stmt, statement_closer>;

/// Empty when `sql` cannot be prepared; sqlite3_errmsg(db) says why.
inline statement prepare(sqlite3* db, const char* sql) {
  sqlite3_stmt* s = nullptr;
  sqlite3_prepare_v2(db, sql, -1, &s, nullptr);
  return statement(s);
}

inline bool execute(sqlite3* db, const char* sql) {
  return sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

}  // namespace stox::store
