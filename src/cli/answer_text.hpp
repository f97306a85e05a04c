#pragma once

#include <string>
#include <string_view>

#include "cli/errc.hpp"

namespace stox::cli {

/// The daemon's answer (one JSON object) for people: a line for each field, then its lists: a line for each
/// sample that is not 0, for each incident and each changed key, a table for everything else. {"error":...}
/// and what is no JSON object become an error.
result<std::string> answer_text(std::string_view json);

/// False for an answer whose `field` ("ready", "sound", "writes") is false.
bool says(std::string_view field, std::string_view json);

}  // namespace stox::cli
