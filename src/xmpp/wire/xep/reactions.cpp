#include "xmpp/wire/xep/reactions.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace stox::xmpp {

std::optional<reactions> parse_reactions(const xml::element& e) {
  const auto* id = e.is("reactions", reactions::ns) ? e.attr("id") : nullptr;
  if (id == nullptr || id->empty()) return std::nullopt;
  reactions out{*id, {}};
  for (const auto& child : e.children) {
    const auto* part = child.as_element();
    if (part == nullptr || !part->is("reaction", reactions::ns)) continue;
    const auto raw = part->text();
    const auto emoji = text::trim(raw);
    const bool none = emoji.empty() || emoji.size() > reactions::max_bytes ||
                      emoji.find_first_of(" \t\r\n") != std::string_view::npos;
    if (none || std::find(out.emoji.begin(), out.emoji.end(), emoji) != out.emoji.end()) continue;
    if (out.emoji.size() == reactions::max_count) break;
    out.emoji.emplace_back(emoji);
  }
  return out;
}

}  // namespace stox::xmpp
