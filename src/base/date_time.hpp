#pragma once

#include <string>

#include "base/instant.hpp"

namespace stox {

/// "2026-01-31T12:00:00Z", RFC 3339 and XEP-0082, to the second.
std::string write_date_time(wall_time t);

}  // namespace stox
