#pragma once

#include <string>
#include <vector>

#include "config/findings.hpp"

namespace stox::config {

/// Reads the files that [tls] and [[tls.certificate]] name into the settings, and tells what is wrong with
/// them: what is used later is what was checked here.
void read_certificates(findings& f, std::vector<std::string>& warnings);

}  // namespace stox::config
