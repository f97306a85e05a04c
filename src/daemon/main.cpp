#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "daemon/daemon.hpp"
#include "net/signals.hpp"

namespace {

using stox::daemon::exit_code;

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

exit_code run(const std::vector<std::string>& args) {
  stox::net::hold_signals();
  auto loaded = stox::config::load(args, environment);
  if (!loaded) {
    for (const auto& e : loaded.error()) std::fprintf(stderr, "stoxd: %s\n", e.c_str());
    return exit_code::bad_configuration;
  }
  if (loaded->what != stox::config::what::run) {
    stox::net::release_signals();
    for (const auto& w : loaded->warnings) std::fprintf(stderr, "stoxd: warning: %s\n", w.c_str());
    std::fputs(loaded->text.c_str(), stdout);
    return std::fflush(stdout) == 0 ? exit_code::clean : exit_code::failed;
  }
  return stox::daemon::daemon(std::move(*loaded), args, environment).run();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return static_cast<int>(run({argv + 1, argv + argc}));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "stoxd: %s\n", e.what());
    return static_cast<int>(exit_code::failed);
  }
}
