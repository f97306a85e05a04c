#include "gateway/blocklist.hpp"

#include <algorithm>

#include "base/prefix_set.hpp"
#include "base/text.hpp"

namespace stox::gateway {

std::optional<std::string> normal_block(std::string_view text) {
  text = text::trim(text);
  if (const auto p = ip_prefix::parse(text))
    return ip_prefix{network_of(p->base, p->length), p->length}.to_string();
  const auto jid = xmpp::jid::parse(text);
  if (!jid || !jid->is_bare()) return std::nullopt;
  return jid->bare_text();
}

bool blocklist::add(const block& b) {
  if (entries_.size() >= most && !entries_.contains(b.what)) return false;
  entries_[b.what] = b.until;
  return true;
}

std::vector<std::string> blocklist::expire(steady_time now) {
  std::vector<std::string> out;
  for (const auto& [what, until] : entries_) {
    if (until && *until <= now) out.push_back(what);
  }
  for (const auto& what : out) entries_.erase(what);
  return out;
}

std::optional<steady_time> blocklist::next_end() const {
  std::optional<steady_time> first;
  for (const auto& [what, until] : entries_) {
    if (until && (!first || *until < *first)) first = until;
  }
  return first;
}

bool blocklist::holds(const xmpp::jid& sender) const {
  if (entries_.empty()) return false;
  return entries_.contains(sender.domain) || entries_.contains(sender.bare_text());
}

std::vector<block> blocklist::all() const {
  std::vector<block> out;
  out.reserve(entries_.size());
  for (const auto& [what, until] : entries_) out.push_back({what, until});
  return out;
}

}  // namespace stox::gateway
