#pragma once

#include <string>

#include "cli/errc.hpp"

namespace stox::cli {

/// Sends one command line to the control socket and gives the answer's line. Waits at most 10 s for each
/// step; the answer is at most 16 MiB.
result<std::string> ask_daemon(const std::string& path, const std::string& command);

}  // namespace stox::cli
