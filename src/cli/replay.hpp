#pragma once

#include <string>
#include <string_view>

#include "cli/errc.hpp"
#include "settings/settings.hpp"

namespace stox::cli {

struct replayed {
  std::string
      text;  ///< the events, the actions, and "-"/"+" where the engine now acts otherwise than recorded
  bool same = false;  ///< every action is as recorded
};

/// Runs a trace of `stoxd --record` through an engine with these settings. An error: the trace cannot be
/// read.
result<replayed> replay(std::string_view trace, const settings::all& settings);

}  // namespace stox::cli
