#pragma once

#include <string>

#include "base/instant.hpp"
#include "store/sqlite.hpp"
#include "store/sqlite_store.hpp"

namespace stox::store {

/// PRAGMA integrity_check, the tables' sizes and the file's, seen through a connection of its own, which
/// reads the disk and not what `writing` has in its cache. An empty `path`: a store in memory, which is
/// `writing` itself. What it says of writing is left to the caller.
store_report check_file(const std::string& path, sqlite3* writing, wall_time now);

/// One transaction that changes a page without changing anything: whether the disk takes it.
bool can_write(sqlite3* db);

}  // namespace stox::store
