#pragma once

#include "base/error.hpp"

namespace stox::dns {

/// Why the data of a record cannot be read.
enum class errc {
  truncated = 1,  ///< it ends inside a field
  trailing,       ///< bytes are left over behind the last field
  bad_name,       ///< a domain name that no host or service of ours can have
};
const char* errc_name(errc e);
STOX_ERROR_CATEGORY(errc, "dns")

}  // namespace stox::dns

template <>
struct std::is_error_code_enum<stox::dns::errc> : std::true_type {};
