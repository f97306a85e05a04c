#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::config {

struct member;

/// A TOML document as plain values, so that only one file compiles the TOML library.
struct node {
  enum class kind : std::uint8_t { table, list, text, integer, boolean, other };
  node::kind is = kind::other;
  std::string text;             ///< of text
  std::int64_t number = 0;      ///< of integer; boolean: 0 or 1
  unsigned line = 0;            ///< from 1
  std::vector<member> members;  ///< of table; a key's line is its value's
  std::vector<node> items;      ///< of list
};
struct member {
  std::string name;
  node value;
};
/// "a string", "an integer", ... for error lines.
std::string_view describe(const node& n);

struct syntax_error {
  unsigned line = 0;
  std::string what;  ///< one line; holds no text of the file
};

/// At most 1 MiB of text; tables nested at most 16 deep.
std::variant<node, syntax_error> parse_toml(std::string_view text);

}  // namespace stox::config
