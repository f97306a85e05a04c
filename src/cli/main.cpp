#include <cstdlib>
#include <exception>
#include <iostream>

#include "cli/cli.hpp"

namespace {

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return static_cast<int>(
        stox::cli::run({argv + 1, argv + argc}, std::cin, std::cout, std::cerr, environment));
  } catch (const std::exception& e) {
    std::cerr << "stoxctl: " << e.what() << "\n";
    return static_cast<int>(stox::cli::exit_code::failed);
  }
}
