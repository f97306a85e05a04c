#include "gateway/blocklist.hpp"

#include <algorithm>

#include "base/prefix_set.hpp"
#include "base/text.hpp"
#include "gateway/context.hpp"
#include "sip/wire/uri.hpp"
#include "translate/address.hpp"

namespace stox::gateway {

namespace {

constexpr std::string_view sip_scheme = "sip:";

/// People write letters that URIs have no place for: a domain gets A-labels, a user escapes.
std::string uri_of(std::string_view text) {
  const auto begin = text.rfind('@') == std::string_view::npos ? sip_scheme.size() : text.rfind('@') + 1;
  std::string out;
  text::percent_encode(out, text.substr(0, begin),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  const auto domain = xmpp::domain_to_ascii(text.substr(begin));
  return out.append(domain ? *domain : text.substr(begin));
}

/// A SIP user as his JID has him, since that is who he is to the gateway; the domain as SIP has it.
std::optional<std::string> normal_sip_block(std::string_view text) {
  const auto uri = sip::parse_uri(uri_of(text));
  if (!uri || uri->scheme != "sip" || !uri->params.empty()) return std::nullopt;
  const translate::address_map as_they_are;
  const auto jid = as_they_are.to_jid(*uri);
  if (!jid) return std::nullopt;
  const auto domain = as_they_are.domain_to_sip(jid->domain);
  if (!domain) return std::nullopt;
  return std::string(sip_scheme) + (jid->local.empty() ? std::string() : jid->local + "@") + *domain;
}

}  // namespace

std::optional<std::string> normal_block(std::string_view text) {
  text = text::trim(text);
  if (const auto p = ip_prefix::parse(text))
    return ip_prefix{network_of(p->base, p->length), p->length}.to_string();
  if (text::istarts_with(text, sip_scheme)) return normal_sip_block(text);
  const auto jid = xmpp::jid::parse(text);
  if (!jid || !jid->is_bare()) return std::nullopt;
  return jid->bare_text();
}

std::optional<std::string> normal_block(std::string_view text, const domains& d) {
  auto name = normal_block(text);
  const auto jid = name ? xmpp::jid::parse(*name) : xmpp::jid::parse({});
  if (!jid || ip_prefix::parse(*name) || !d.serves_xmpp(jid->domain)) return name;
  const auto domain = d.addresses.domain_to_sip(jid->domain);
  if (!domain) return name;
  return std::string(sip_scheme) + (jid->local.empty() ? std::string() : jid->local + "@") + *domain;
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
  if (size() == 0) return false;
  return has(sender.domain) || has(sender.bare_text());
}

bool blocklist::holds_sip(std::string_view user, std::string_view domain) const {
  if (size() == 0) return false;
  const auto all_of = std::string(sip_scheme).append(domain);
  return has(all_of) || has(std::string(sip_scheme).append(user).append("@").append(domain));
}

std::set<std::string, std::less<>> blocklist::sources() const {
  std::set<std::string, std::less<>> out;
  const auto add = [&out](const std::string& what) {
    if (ip_prefix::parse(what)) out.insert(what);
  };
  for (const auto& [what, until] : entries_) add(what);
  for (const auto& what : configured_) add(what);
  return out;
}

std::vector<block> blocklist::all() const {
  std::vector<block> out;
  out.reserve(size());
  for (const auto& what : configured_) out.push_back({what, {}, true});
  for (const auto& [what, until] : entries_) out.push_back({what, until});
  return out;
}

}  // namespace stox::gateway
