#pragma once

#include "config/findings.hpp"
#include "config/toml_file.hpp"

namespace stox::config {

/// Puts what the file says into the findings, along the option table. Errors come in the order of the file's
/// lines.
void read_file_tree(const node& root, findings& f);

}  // namespace stox::config
