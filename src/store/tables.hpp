#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <variant>
#include <vector>

#include "base/instant.hpp"
#include "base/stored_row.hpp"
#include "store/sqlite_store.hpp"

struct sqlite3;

/// What stands in the tables, as SQL. For this room only; called by one thread at a time.
namespace stox::store {

/// One change that waits to be written.
using change = std::variant<incident, stored_row, row_key>;

/// In their order; SQLite's reason for the first one that it refuses, or "". Belongs in a transaction.
std::string write_changes(sqlite3* db, const std::deque<change>& changes);

/// Takes out what has expired.
bool sweep(sqlite3* db, wall_time now);
/// Takes the oldest rows out of each table that has more than rows_limit.
bool trim(sqlite3* db);

std::vector<incident> find_incidents(sqlite3* db, const incident_query& q);
/// The newest `limit` rows of each kind that have not expired, the oldest of them first.
std::vector<stored_row> load_rows(sqlite3* db, wall_time now, unsigned limit);
std::vector<table_size> count_rows(sqlite3* db, wall_time now);

}  // namespace stox::store
