#include "config/toml_file.hpp"

#include <toml++/toml.h>

namespace stox::config {

namespace {

constexpr std::size_t max_bytes = 1 << 20;
constexpr int max_depth = 16;

node convert(const toml::node& from, int depth) {
  node out;
  out.line = from.source().begin.line;
  if (depth > max_depth) return out;  // no option is so deep: reported as an unknown key of no usable type
  if (const auto* table = from.as_table()) {
    out.is = node::kind::table;
    for (const auto& [key, value] : *table) {
      out.members.push_back({std::string(key.str()), convert(value, depth + 1)});
      // The value of a dotted or long entry may begin on a later line than its key.
      if (key.source().begin.line != 0) out.members.back().value.line = key.source().begin.line;
    }
  } else if (const auto* array = from.as_array()) {
    out.is = node::kind::list;
    for (const auto& item : *array) out.items.push_back(convert(item, depth + 1));
  } else if (const auto* text = from.as_string()) {
    out.is = node::kind::text;
    out.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    out.is = node::kind::integer;
    out.number = integer->get();
  } else if (const auto* boolean = from.as_boolean()) {
    out.is = node::kind::boolean;
    out.number = boolean->get() ? 1 : 0;
  }
  return out;
}

}  // namespace

std::string_view describe(const node& n) {
  switch (n.is) {
    case node::kind::table: return "a table";
    case node::kind::list: return "a list";
    case node::kind::text: return "a string";
    case node::kind::integer: return "an integer";
    case node::kind::boolean: return "a boolean";
    case node::kind::other: return "a number with a fraction, a date or a time";
  }
  return "?";
}

std::variant<node, syntax_error> parse_toml(std::string_view text) {
  if (text.size() > max_bytes) return syntax_error{1, "is larger than 1 MiB"};
  try {
    return convert(toml::parse(text), 0);
  } catch (const toml::parse_error& e) {
    // The library quotes the file in some of its messages ("saw '...'"), and what it quotes may be a secret:
    // keep only what comes before.
    std::string what(e.description());
    for (const std::string_view mark : {"; saw", ", saw", "'", "\""})
      what.erase(std::min(what.find(mark), what.size()));
    while (!what.empty() && (what.back() == ' ' || what.back() == ':')) what.pop_back();
    return syntax_error{e.source().begin.line, std::move(what)};
  }
}

}  // namespace stox::config
