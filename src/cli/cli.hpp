#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "config/config.hpp"

/// stoxctl: asks a running daemon, and runs the engine in a box to explain and to replay.
namespace stox::cli {

enum class exit_code : int {
  done = 0,
  failed = 1,     ///< the daemon or the input said no; replay: the engine behaves otherwise now; store check:
                  ///< it is damaged or cannot be written; doctor: others cannot reach the domain
  usage = 2,      ///< the command line makes no sense
  not_ready = 3,  ///< status: the daemon lives, but is not ready
};

/// `args` without the program's name. Reads `in` for explain only.
exit_code run(const std::vector<std::string>& args, std::istream& in, std::ostream& out, std::ostream& err,
              const config::environment& env);

}  // namespace stox::cli
