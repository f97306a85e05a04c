#pragma once

#include <cstddef>

#include "base/error.hpp"

namespace stox::payload {

/// Why a body was refused.
enum class errc {
  malformed = 1,  ///< not the form that its type promises
  too_large,      ///< above a limit of counts or bytes
  too_deep,       ///< multiparts in multiparts beyond the limit
  bad_charset,    ///< a charset that is not known, or octets that are not of it
  no_text,        ///< nothing in it can be shown as text
};
const char* errc_name(errc e);
STOX_ERROR_CATEGORY(errc, "payload")

struct limits {
  std::size_t header_bytes = 8192;  ///< of one entity or CPIM message
  std::size_t headers = 64;         ///< likewise
  std::size_t parts = 32;           ///< of one multipart
  std::size_t depth = 4;            ///< of multiparts
};

}  // namespace stox::payload

template <>
struct std::is_error_code_enum<stox::payload::errc> : std::true_type {};
