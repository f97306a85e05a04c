#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/net_address.hpp"
#include "cli/request.hpp"
#include "doctor/facts.hpp"
#include "doctor/report.hpp"
#include "settings/settings.hpp"

/// stoxctl doctor: looks at a domain from here as its peers see it. It asks no daemon.
namespace stox::cli {

struct examination {
  doctor::subject who;
  std::vector<socket_address> dns;  ///< empty: the system's
  settings::tls tls;                ///< whom we believe, and what we show
};

/// The examination that a command line asks for; `own`: what the named configuration says, if one was named.
/// Errors: bad_usage; bad_input where a file cannot be read.
result<examination> examination_of(const request& r, const settings::all* own);

/// Does it, which takes a few seconds. Errors: no DNS, or no TLS of our own.
result<doctor::report> examine(const examination& e);

}  // namespace stox::cli
