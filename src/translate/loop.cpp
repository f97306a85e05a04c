#include "translate/loop.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace stox::translate {

namespace {

constexpr std::string_view shim_ns = "http://jabber.org/protocol/shim";
constexpr std::size_t max_name = 16;

bool is_name(std::string_view s) {
  return !s.empty() && s.size() <= max_name && std::all_of(s.begin(), s.end(), text::is_alnum);
}

}  // namespace

std::string hop_mark_of(const sip::request& r) {
  const auto value = r.headers.find_other(hop_header);
  return std::string(value.value_or(std::string_view()));
}

std::string hop_mark_of(const xmpp::message& m) {
  for (const auto& payload : m.payloads) {
    if (!payload.is("headers", shim_ns)) continue;
    for (const auto* header : payload.elements()) {
      const auto* name = header->attr("name");
      if (header->is("header", shim_ns) && name != nullptr && text::iequals(*name, hop_header)) {
        return std::string(text::trim(header->text()));
      }
    }
  }
  return {};
}

xml::element shim_of(const std::string& hop_mark) {
  xml::element headers("headers", std::string(shim_ns));
  xml::element header("header", std::string(shim_ns));
  header.set("name", std::string(hop_header));
  header.add_text(hop_mark);
  headers.add(std::move(header));
  return headers;
}

std::optional<std::string> next_hop_mark(std::string_view mark, std::string_view own_name) {
  if (mark.empty()) return "1;" + std::string(own_name);
  // Whatever we could not read may hide our own name: a malformed mark counts as a loop.
  const auto fields = text::split(mark.substr(0, (max_name + 1) * (max_hops + 2)), ';');
  const auto count = text::to_number(fields.front(), max_hops);
  if (!count || *count == 0 || *count != fields.size() - 1 || *count + 1 > max_hops) return std::nullopt;
  for (std::size_t i = 1; i < fields.size(); ++i) {
    if (!is_name(fields[i]) || fields[i] == own_name) return std::nullopt;
  }
  std::string next = std::to_string(*count + 1);
  next += mark.substr(mark.find(';'));
  next += ';';
  next += own_name;
  return next;
}

}  // namespace stox::translate
