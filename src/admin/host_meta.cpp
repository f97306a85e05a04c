#include "admin/host_meta.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <utility>

#include "base/text.hpp"

namespace stox::admin {

namespace json = boost::json;

namespace {

/// As long as the SRV records of docs/howto/federation.md live.
constexpr unsigned ttl_seconds = 3600;

/// RFC 9110 §7.2: a name, perhaps with a port; case and the root's dot say nothing. An address names no
/// domain.
std::string domain_of(std::string_view host) {
  auto name = host.substr(0, host.find(':'));
  if (name.ends_with('.')) name.remove_suffix(1);
  return text::to_lower(name);
}

/// One for each port, with every address that has it. Which of them is taken does not matter to us: RFC 2782
/// has weight 0 for that.
json::array links(const std::string& domain, const std::vector<socket_address>& ports) {
  json::array out;
  std::vector<std::pair<std::uint16_t, json::array>> of_port;
  for (const auto& at : ports) {
    // "[::]" is every address, and which ones others reach is not known here; port 0 the kernel chooses.
    if (!is_host_address(at)) continue;
    auto same =
        std::find_if(of_port.begin(), of_port.end(), [&](const auto& p) { return p.first == at.port; });
    if (same == of_port.end()) same = of_port.insert(same, {at.port, {}});
    same->second.emplace_back(at.ip.to_string());
  }
  for (auto& [port, ips] : of_port) {
    out.push_back({{"rel", "urn:xmpp:alt-connections:s2s-tls"},
                   {"port", port},
                   {"ips", std::move(ips)},
                   {"priority", 0},
                   {"weight", 0},
                   {"sni", domain}});
  }
  return out;
}

}  // namespace

result<std::string> host_meta(std::string_view host, const federation& here) {
  const auto domain = domain_of(host);
  if (std::find(here.domains.begin(), here.domains.end(), domain) == here.domains.end())
    return error(errc::no_such_domain, "the Host is no domain that federates here");
  if (here.direct_tls.empty())
    return error(errc::no_address, "xmpp.s2s.tls_listen is empty, and host-meta knows no STARTTLS");
  auto found = links(domain, here.direct_tls);
  if (found.empty()) {
    return error(errc::no_address,
                 "xmpp.s2s.tls_listen names no address and port; host-meta wants the ones that others reach");
  }
  // No "public-key-pins-sha-256": keys that change with the certificate would lock everybody out for the ttl.
  const json::object document{{"xmpp", {{"ttl", ttl_seconds}}}, {"links", std::move(found)}};
  return json::serialize(document) + "\n";
}

}  // namespace stox::admin
