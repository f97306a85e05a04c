#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "admin/admin.hpp"

namespace stox::admin {

/// Runs one command line of the control socket and gives its answer: one JSON object, without a newline.
std::string answer_command(std::string_view line, const hooks& h);

/// {"error":"..."}
std::string error_answer(std::string_view why);

}  // namespace stox::admin
