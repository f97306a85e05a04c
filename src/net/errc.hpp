#pragma once

#include "base/error.hpp"

namespace stox::net {

/// Why a listener or the resolver could not be had.
enum class errc {
  cannot_bind = 1,  ///< the kernel refused the address; the detail names it and says why
  tls,              ///< a certificate, key or authority cannot be used; the detail says which and why
  dns,              ///< libunbound could not be set up; the detail is its reason
};
const char* errc_name(errc e);
STOX_ERROR_CATEGORY(errc, "net")

}  // namespace stox::net

template <>
struct std::is_error_code_enum<stox::net::errc> : std::true_type {};
