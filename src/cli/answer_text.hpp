#pragma once

#include <string>
#include <string_view>

#include "cli/errc.hpp"

namespace stox::cli {

/// The daemon's answer (one JSON object) for people: a line for each field, then a line for each sample that
/// is not 0. {"error":...} and what is no JSON object become an error.
result<std::string> answer_text(std::string_view json);

}  // namespace stox::cli
