#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "admin/admin.hpp"

namespace stox::admin {

/// Runs one command line of the control socket and calls `answer` once, at once or later, with one JSON
/// object without a newline.
void answer_command(std::string_view line, const hooks& h, std::function<void(std::string)> answer);

/// What the gateway is and how it stands: for `status` and for HTTP.
std::string status_answer(const hooks& h);

/// {"error":"..."}
std::string error_answer(std::string_view why);

}  // namespace stox::admin
