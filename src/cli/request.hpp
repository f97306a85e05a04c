#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/errc.hpp"

namespace stox::cli {

/// A command line of stoxctl, taken apart.
struct request {
  std::vector<std::string> words;  ///< the command and its arguments
  std::optional<std::string> config, control, from, since, limit, domain, lasting, ca_file, timeout;
  std::vector<std::string> dns;  ///< said any number of times
  bool json = false, help = false, list = false, sip_only = false, xmpp_only = false;
};

/// Flags may stand before or behind the command, as "--flag VALUE" or "--flag=VALUE".
result<request> parse(const std::vector<std::string>& args);

/// The control socket's command for a request that is for the daemon; an empty one: it is for nobody. `now`:
/// seconds since 1970.
result<std::string> control_command(const request& r, std::int64_t now);

}  // namespace stox::cli
