#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "payload/errc.hpp"

/// Typing notices, RFC 3994.
namespace stox::payload {

struct is_composing {
  bool active = false;                   ///< §3.3: every state that is not "active" is idle
  std::optional<std::uint32_t> refresh;  ///< seconds; at most a day is believed
  std::string content_type;              ///< what is being composed; may be empty
  std::string last_active{};             ///< RFC 3339, as it stands; may be empty
  friend bool operator==(const is_composing&, const is_composing&) = default;
};
result<is_composing> parse_is_composing(std::string_view document);
std::string write(const is_composing& c);

}  // namespace stox::payload
