#pragma once

#include <system_error>

#include "base/error.hpp"

namespace stox::admin {

enum class errc {
  bad_address = 1,  ///< admin.listen is not HOST:PORT with a literal address
  cannot_listen,    ///< the kernel refused the HTTP address
  control_in_use,   ///< another process answers on the control socket
  cannot_control,   ///< the control socket could not be made
  no_such_domain,   ///< host-meta is asked of a domain that does not federate here
  no_address,       ///< host-meta has no port to name
};

inline const char* errc_name(errc e) {
  switch (e) {
    case errc::bad_address: return "bad_address";
    case errc::cannot_listen: return "cannot_listen";
    case errc::control_in_use: return "control_in_use";
    case errc::cannot_control: return "cannot_control";
    case errc::no_such_domain: return "no_such_domain";
    case errc::no_address: return "no_address";
  }
  return "?";
}
STOX_ERROR_CATEGORY(errc, "admin")

}  // namespace stox::admin

template <>
struct std::is_error_code_enum<stox::admin::errc> : std::true_type {};
