#include "base/text.hpp"
#include "config/options.hpp"
#include "config/values.hpp"

namespace stox::config {

std::string_view to_string(value_type t) {
  switch (t) {
    case value_type::text: return "text";
    case value_type::secret: return "text";
    case value_type::boolean: return "boolean";
    case value_type::integer: return "integer";
    case value_type::duration: return "duration";
    case value_type::size: return "size";
    case value_type::list: return "list of texts";
    case value_type::text_or_list: return "text or list of texts";
  }
  return "?";
}

std::string flag_name(std::string_view key) {
  std::string out = "--" + std::string(key);
  for (char& c : out) {
    if (c == '_') c = '-';
  }
  return out;
}

std::string environment_name(std::string_view key) {
  std::string out = "STOX_";
  for (const char c : key) {
    const bool lower = c >= 'a' && c <= 'z';
    out += c == '.' ? '_' : lower ? static_cast<char>(c - 32) : c;
  }
  return out;
}

std::string_view section_of(std::string_view key) { return key.substr(0, key.rfind('.')); }
std::string_view leaf_of(std::string_view key) { return key.substr(key.rfind('.') + 1); }

namespace {
std::string write_number(value_type t, std::int64_t n) {
  if (t == value_type::duration) return write_duration(n);
  if (t == value_type::size) return write_size(n);
  return std::to_string(n);
}
}  // namespace

std::string bounds_text(const option& o) {
  if (!o.bounds.empty() || o.max == 0) return std::string(o.bounds);
  return write_number(o.type, o.min) + " to " + write_number(o.type, o.max);
}

std::string check_bounds(const option& o, std::int64_t number) {
  if (number >= o.min && number <= o.max) return {};
  return write_number(o.type, number) + " is out of bounds; write " + bounds_text(o);
}

std::string read_text(const option& o, std::string_view text, value& out) {
  const auto number = [&](std::optional<std::int64_t> n, std::string_view form) -> std::string {
    if (!n) return quote(text) + " is not " + std::string(form);
    out.number = *n;
    return check_bounds(o, *n);
  };
  switch (o.type) {
    case value_type::boolean:
      if (text != "true" && text != "false") return quote(text) + " is not a boolean; write true or false";
      out.flag = text == "true";
      return {};
    case value_type::integer: {
      const auto n = text::to_number(text, INT64_MAX);
      return number(n ? std::optional(static_cast<std::int64_t>(*n)) : std::nullopt,
                    "an integer; write " + bounds_text(o));
    }
    case value_type::duration:
      return number(parse_duration(text),
                    "a duration; write it like \"150ms\" or \"2s\" (units ms, s, min, h)");
    case value_type::size:
      return number(parse_size(text),
                    "a size; write it like \"512MiB\" (units B, kB, KiB, MB, MiB, GB, GiB)");
    case value_type::text:
    case value_type::secret:
    case value_type::list:
    case value_type::text_or_list: out.text = text; return {};
  }
  return {};
}

std::string assign(const option& o, settings::all& to, const std::vector<std::string>& texts) {
  if (o.clear != nullptr) o.clear(to);
  for (const auto& text : texts) {
    value v;
    if (auto why = read_text(o, text, v); !why.empty()) return why;
    if (auto why = o.apply(to, v); !why.empty()) return why;
  }
  return {};
}

}  // namespace stox::config
