#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stox {

enum class log_level : std::uint8_t { debug, info, warning, error };

/// One log line as a value: the core emits it, the rim prints it, tests check it. Never holds a body or a
/// secret.
struct log_record {
  log_level level = log_level::info;
  std::string_view event;    ///< a static, greppable name: "message.delivered"
  std::string conversation;  ///< joins the Call-ID and the stanza ids of one conversation; may be empty
  std::vector<std::pair<std::string_view, std::string>> fields;
};

}  // namespace stox
