#pragma once

#include "base/error.hpp"

namespace stox::store {

/// Why the store cannot be used. The detail names the file and gives SQLite's reason.
enum class errc {
  cannot_open = 1,   ///< the path cannot be right: no such folder
  unusable,          ///< full, read-only, not ours to write, or the disk fails
  broken,            ///< the file is damaged, or no database
  in_use,            ///< another stoxd has it open
  not_a_store,       ///< a database, but of another program
  newer_schema,      ///< written by a newer version: this one would damage it
  migration_failed,  ///< the backup or a step failed; the file is as it was
};
const char* errc_name(errc e);
STOX_ERROR_CATEGORY(errc, "store")

}  // namespace stox::store

template <>
struct std::is_error_code_enum<stox::store::errc> : std::true_type {};
