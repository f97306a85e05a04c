#pragma once

#include <cstddef>
#include <string>

namespace stox::config {

struct file_text {
  std::string text;
  std::string why;               ///< not empty: it could not be read
  bool others_can_read = false;  ///< its mode lets every user of the machine read it
};

/// A regular file (or a pipe) of at most `max` bytes.
file_text read_file(const std::string& path, std::size_t max);

/// `path`, or if it is relative, `path` in the directory of `beside`.
std::string beside_file(const std::string& path, const std::string& beside);

}  // namespace stox::config
