#pragma once

#include <span>
#include <string>

#include "base/error.hpp"
#include "store/errc.hpp"

struct sqlite3;

namespace stox::store {

/// The steps from an empty file to the newest schema: step n (from 0) leads from version n to n + 1. Steps
/// are never changed, only added.
std::span<const char* const> schema_steps();

/// SQLite's last error: `broken` where it says that the file is damaged, otherwise `why`.
error database_error(sqlite3* db, errc why, const std::string& path, const std::string& doing);

/// Brings the file to version steps.size(), all in one transaction. A file that holds data is first copied to
/// PATH.bak-VERSION; the two newest copies stay. Refuses a version above steps.size(). Nothing is changed on
/// an error.
result<> migrate(sqlite3* db, const std::string& path, std::span<const char* const> steps);

}  // namespace stox::store
