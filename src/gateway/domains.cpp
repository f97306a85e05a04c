#include <algorithm>

#include "gateway/context.hpp"

namespace stox::gateway {

bool domains::serves_sip(std::string_view sip_domain) const {
  return std::find(sip.begin(), sip.end(), sip_domain) != sip.end();
}

bool domains::serves_xmpp(std::string_view xmpp_domain) const {
  const auto sip_name = addresses.domain_to_sip(xmpp_domain);
  return sip_name && serves_sip(*sip_name);
}

const tenant& domains::rules_of(std::string_view sip_domain) const {
  const auto at = tenants.find(sip_domain);
  return at == tenants.end() ? others : at->second;
}

bool domains::trusts(const sip::peer_info& peer, std::string_view sip_domain) const {
  const auto& rules = rules_of(sip_domain);
  const auto is_there = [&peer](const ip_prefix& p) { return p.contains(peer.remote.ip); };
  if (std::any_of(rules.trusted_peers.begin(), rules.trusted_peers.end(), is_there)) return true;
  return std::any_of(peer.proven.begin(), peer.proven.end(), [&rules](const std::string& proven) {
    return std::find(rules.trusted_domains.begin(), rules.trusted_domains.end(), proven) !=
           rules.trusted_domains.end();
  });
}

}  // namespace stox::gateway
