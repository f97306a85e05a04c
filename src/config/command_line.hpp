#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "config/options.hpp"

namespace stox::config {

struct command_line {
  config::what what = config::what::run;
  std::string config_file, record_path;
  std::string man_page;  ///< of --print-man: "stoxd" or "stox.toml"
  bool record_bodies = false;
  std::optional<std::uint64_t> record_limit;
  /// Options given as flags, in the table's order; the text as given, of lists one element per
  /// comma-separated item.
  std::vector<std::pair<const option*, std::vector<std::string>>> values;
  std::vector<std::string> errors;
  std::string help;  ///< when what is help
};

/// `args` without the program's name. Values of unknown flags are not repeated in errors: they may be
/// secrets.
command_line parse_command_line(const std::vector<std::string>& args);

/// A flag that is no key of the configuration.
struct program_flag {
  std::string names;  ///< "-h, --help"
  std::string value;  ///< "FILE"; empty: it takes none
  std::string help;
};
std::vector<program_flag> program_flags();

/// "a, b" -> {"a", "b"}; "" -> {}.
std::vector<std::string> split_list(std::string_view text);

}  // namespace stox::config
