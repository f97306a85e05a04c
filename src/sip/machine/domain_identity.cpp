#include "sip/machine/domain_identity.hpp"

#include <algorithm>

#include "base/net_address.hpp"
#include "base/text.hpp"
#include "sip/wire/uri.hpp"

namespace stox::sip {
namespace {

// A name that can be a SIP domain. A wildcard can not (RFC 5922 §7.2), nor a NUL byte that would end it early
// elsewhere.
bool is_domain(std::string_view name) {
  const auto ok = [](char c) { return text::is_alnum(c) || c == '-' || c == '.'; };
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), ok) &&
         !ip_address::parse(name);
}

void add(std::vector<std::string>& to, std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  auto lower = text::to_lower(name);
  if (is_domain(lower) && std::find(to.begin(), to.end(), lower) == to.end()) to.push_back(std::move(lower));
}

}  // namespace

std::vector<std::string> sip_domains_of(const peer_identity& who) {
  std::vector<std::string> out;
  // RFC 5922 §7.1: URIs of the scheme sip without a user part name domains; one with a user part names a
  // user, and is no identity of a domain. sips is not used in certificates.
  bool any_sip_uri = false;
  for (const auto& text : who.san_uri) {
    const auto u = parse_uri(text);
    if (!u || u->scheme != "sip" || u->user) continue;
    any_sip_uri = true;
    add(out, u->host);
  }
  // Without a SIP identity among the URIs, also one that equals no domain, the DNS names count.
  if (!any_sip_uri)
    for (const auto& name : who.san_dns) add(out, name);
  // The common name counts only where there is no subjectAltName at all.
  if (!who.has_san) add(out, who.common_name);
  return out;
}

bool is_sip_domain(const peer_identity& who, std::string_view domain) {
  if (!who.chain_ok) return false;
  const auto all = sip_domains_of(who);
  return std::any_of(all.begin(), all.end(), [&](const auto& d) { return text::iequals(d, domain); });
}

}  // namespace stox::sip
