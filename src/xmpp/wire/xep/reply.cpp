#include "xmpp/wire/xep/reply.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace stox::xmpp {

namespace {

/// A body has fewer code points than any stanza that is let in has bytes.
constexpr std::size_t max_offset = std::size_t{16} << 20;

std::optional<std::size_t> offset(const std::string* attribute) {
  if (attribute == nullptr) return std::nullopt;
  return text::to_number(*attribute, max_offset);
}

}  // namespace

std::optional<reply> parse_reply(const xml::element& e) {
  const auto* id = e.is("reply", reply::ns) ? e.attr("id") : nullptr;
  if (id == nullptr || id->empty()) return std::nullopt;
  const auto* to = e.attr("to");
  return reply{to != nullptr ? *to : std::string(), *id};
}

std::optional<fallback> parse_fallback(const xml::element& e) {
  if (!e.is("fallback", fallback::ns)) return std::nullopt;
  fallback out;
  if (const auto* feature = e.attr("for")) out.feature = *feature;
  bool any = false;
  for (const auto& child : e.children) {
    const auto* part = child.as_element();
    if (part == nullptr) continue;
    any = true;
    if (!part->is("body", fallback::ns)) continue;
    const auto* start = part->attr("start");
    const auto* end = part->attr("end");
    if (start == nullptr && end == nullptr) {
      out.whole = true;
      continue;
    }
    const auto first = offset(start);
    const auto last = offset(end);
    if (!first || !last || *first >= *last || out.ranges.size() == fallback::max_ranges) {
      out.broken = true;
      continue;
    }
    const auto* lang = part->attr("xml:lang");
    out.ranges.push_back({*first, *last, lang != nullptr ? *lang : std::string()});
  }
  // XEP-0428 §2.2: without children it is about every body.
  if (!any) out.whole = true;
  return out;
}

std::optional<split_body> split(std::string_view body, std::vector<fallback::range> all) {
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.start < b.start; });
  split_body out;
  std::size_t passed = 0;  // code points; `body` is what follows them
  for (const auto& r : all) {
    if (r.end <= passed) continue;
    const auto start = std::max(r.start, passed);
    const auto first = text::code_point_at(body, start - passed);
    if (!first) return std::nullopt;
    const auto size = text::code_point_at(body.substr(*first), r.end - start);
    if (!size) return std::nullopt;
    out.own += body.substr(0, *first);
    out.fallback += body.substr(*first, *size);
    body.remove_prefix(*first + *size);
    passed = r.end;
  }
  out.own += body;
  return out;
}

}  // namespace stox::xmpp
