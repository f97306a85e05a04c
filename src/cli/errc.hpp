#pragma once

#include <system_error>

#include "base/error.hpp"

namespace stox::cli {

/// The detail of an error of this room is a whole sentence for the person at the terminal.
enum class errc {
  bad_usage = 1,      ///< the command line makes no sense
  unreachable,        ///< the control socket cannot be talked to
  refused,            ///< the daemon answered with an error
  bad_configuration,  ///< the configuration file has errors
  bad_input,          ///< the message or stanza cannot be explained
  bad_trace,          ///< the file is no trace
};

inline const char* errc_name(errc e) {
  switch (e) {
    case errc::bad_usage: return "bad_usage";
    case errc::unreachable: return "unreachable";
    case errc::refused: return "refused";
    case errc::bad_configuration: return "bad_configuration";
    case errc::bad_input: return "bad_input";
    case errc::bad_trace: return "bad_trace";
  }
  return "?";
}
STOX_ERROR_CATEGORY(errc, "cli")

}  // namespace stox::cli

template <>
struct std::is_error_code_enum<stox::cli::errc> : std::true_type {};
