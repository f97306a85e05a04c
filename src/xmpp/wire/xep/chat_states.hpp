#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "xml/element.hpp"

namespace stox::xmpp {

/// XEP-0085 §4.
enum class chat_state : std::uint8_t { active, composing, paused, inactive, gone };
inline constexpr std::string_view chat_states_ns = "http://jabber.org/protocol/chatstates";

constexpr std::string_view to_string(chat_state s) {
  switch (s) {
    case chat_state::active: return "active";
    case chat_state::composing: return "composing";
    case chat_state::paused: return "paused";
    case chat_state::inactive: return "inactive";
    case chat_state::gone: return "gone";
  }
  return {};
}

inline xml::element write(chat_state s) { return {std::string(to_string(s)), std::string(chat_states_ns)}; }

inline std::optional<chat_state> parse_chat_state(const xml::element& e) {
  if (e.ns != chat_states_ns) return std::nullopt;
  using enum chat_state;
  for (const auto s : {active, composing, paused, inactive, gone}) {
    if (e.name == to_string(s)) return s;
  }
  return std::nullopt;
}

}  // namespace stox::xmpp
