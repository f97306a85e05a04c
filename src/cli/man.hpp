#pragma once

#include <string>
#include <string_view>

namespace stox::cli {

/// The manual page stoxctl(1), made of the text that --help prints: its lines of commands, its sentences, its
/// exit codes.
std::string man_of(std::string_view usage);

}  // namespace stox::cli
