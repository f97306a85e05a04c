#include "payload/header_block.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace stox::payload {

namespace {

/// Takes the next line off the front, without its end.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

/// RFC 5322 §3.6.8 and RFC 3862 §3.1: printable, without blank and colon.
bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

const std::string* header_block::find(std::string_view name) const {
  const auto at =
      std::find_if(fields.begin(), fields.end(), [&](const field& f) { return text::iequals(f.name, name); });
  return at == fields.end() ? nullptr : &at->value;
}

result<header_block> read_header_block(std::string_view text, const limits& l) {
  header_block out;
  const auto size = text.size();
  while (!text.empty()) {
    const auto line = take_line(text);
    if (line.empty()) break;
    if (size - text.size() > l.header_bytes) return error(errc::too_large, "header fields");
    if (line.front() == ' ' || line.front() == '\t') {
      if (out.fields.empty()) return error(errc::malformed, "a header field begins with a blank");
      auto& value = out.fields.back().value;
      value += ' ';
      value += text::trim(line);
      continue;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_name(line.substr(0, colon)))
      return error(errc::malformed, "a header field without a name");
    if (out.fields.size() == l.headers) return error(errc::too_large, "too many header fields");
    const auto value = text::trim(line.substr(colon + 1));
    const bool direct = !value.empty() && value.data() == line.data() + colon + 1;
    out.fields.push_back({std::string(line.substr(0, colon)), std::string(value), direct});
  }
  out.rest = text;
  return out;
}

}  // namespace stox::payload
