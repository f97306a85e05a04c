#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "settings/changed_key.hpp"
#include "settings/settings.hpp"

/// Command line, environment and file become settings::all. One option table (options.hpp) is the source of
/// parsing, validation, the reference, the sample file and `--print-config`. Precedence of a key: flag, then
/// environment, then file, then default.
namespace stox::config {

/// What the command line asks the daemon to do.
enum class what {
  run,
  check,            ///< --check-config: print `warnings`, then `text`; exit 0
  print_config,     ///< print `text`: the effective configuration, secrets shown as "..."
  print_sample,     ///< print `text`: a sample stox.toml
  print_reference,  ///< print `text`: docs/configuration.md
  print_man,        ///< print `text`: a manual page
  version,          ///< print `text`
  help,             ///< print `text`
};

using settings::changed_key;

struct loaded {
  settings::all settings;             ///< valid when `what` is run, check or print_config
  std::vector<std::string> warnings;  ///< one sentence each; to be logged (run, reload) or printed (check)
  config::what what = config::what::run;
  std::string text;            ///< what to print on standard output, with its final newline; empty for run
  std::string record_path;     ///< --record FILE; empty: no trace
  bool record_bodies = false;  ///< --record-bodies: message bodies too, not only their sizes
  /// --record-limit: bytes after which the trace ends. Less than `stoxctl replay` reads (1 GiB), by more than
  /// what one batch may add.
  std::uint64_t record_limit = 1'000'000'000;
  std::string file;  ///< the configuration file that was read; empty: none
  /// After reload(): what counts from now on, and what waits for a restart.
  std::vector<changed_key> changed, waiting;
};

/// Every error that was found, each "FILE:LINE: KEY: what; hint" (or "--flag: ...", "STOX_X: ..."); never
/// holds a secret.
using errors = std::vector<std::string>;

/// Only `result::value()` on an error comes here, which is a defect of ours.
[[noreturn]] inline void throw_exception_from_error(const errors& e, const boost::source_location&) {
  throw std::logic_error("unchecked configuration errors: " + (e.empty() ? std::string() : e.front()));
}

using outcome = boost::system::result<loaded, errors>;

/// Reads one environment variable by its name.
using environment = std::function<std::optional<std::string>(std::string_view name)>;

/// `args` without the program's name. Reads the file that --config or STOX_CONFIG names, and the secret files
/// that it names.
outcome load(const std::vector<std::string>& args, const environment& env);

/// The same for SIGHUP: reads the file again, with the command line and environment of the start, which still
/// win. Keys that count only after a restart keep their running values; `loaded::waiting` names them.
outcome reload(const settings::all& running, const std::vector<std::string>& args, const environment& env);

/// For tests, stoxctl and other programs that have the text already: file text only, no flags, no
/// environment.
outcome parse(std::string_view toml, const std::string& file_name);

/// What differs, split by whether a running daemon can take it over.
struct difference {
  std::vector<changed_key> live, restart;
};
difference compare(const settings::all& before, const settings::all& after);

}  // namespace stox::config
