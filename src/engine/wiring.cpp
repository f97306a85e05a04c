#include "engine/wiring.hpp"

#include <cstdint>

#include "xmpp/wire/jid.hpp"

namespace stox::engine {

namespace {

/// A name that is the same for every engine that serves the same domains: to a hop mark a redundant pair is
/// one gateway. FNV-1a.
std::string short_name(const std::vector<std::string>& served) {
  std::uint32_t hash = 2166136261U;
  for (const auto& domain : served) {
    for (const char c : domain + ",") hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (int shift = 28; shift >= 0; shift -= 4) out += digits[hash >> shift & 15U];
  return out;
}

/// Validation has passed: a name that cannot be converted is kept, and simply matches nothing.
std::string ascii(const std::string& domain) {
  const auto converted = xmpp::domain_to_ascii(domain);
  return converted ? *converted : domain;
}
std::string unicode(const std::string& domain) {
  const auto converted = xmpp::domain_to_unicode(domain);
  return converted ? *converted : domain;
}

}  // namespace

gateway::domains domains_of(const settings::all& s) {
  gateway::domains d;
  std::vector<translate::domain_pair> pairs;
  for (const auto& pair : s.gateway.domains) pairs.push_back({ascii(pair.sip), unicode(pair.xmpp)});
  d.addresses = translate::address_map(std::move(pairs));
  for (const auto& domain : s.gateway.sip_domains) d.sip.push_back(ascii(domain));
  for (const auto& pair : d.addresses.pairs()) {
    if (!d.serves_sip(pair.sip)) d.sip.push_back(pair.sip);
  }
  for (const auto& domain : s.gateway.xmpp_domains) d.xmpp.push_back(unicode(domain));
  d.name = short_name(d.sip);
  return d;
}

std::vector<std::string> served_names(const settings::all& s) {
  std::vector<std::string> out;
  for (const auto& c : s.components) out.push_back(unicode(c.domain));
  return out;
}

sip::endpoint_options sip_options_of(const settings::all& s, const gateway::domains& d) {
  sip::endpoint_options o;
  o.trusted_peers = s.sip.trusted_peers;
  o.sip_domains = d.sip;
  for (const auto& domain : d.xmpp) {
    if (auto name = d.addresses.domain_to_sip(domain)) o.xmpp_domains.push_back(std::move(*name));
  }
  o.advertise = s.sip.advertise;
  o.untrusted_answers_per_second = s.sip.untrusted_answers;
  o.max_connections = s.sip.max_connections;
  return o;
}

xmpp::component_options component_options_of(const settings::component& c, const settings::all& s) {
  xmpp::component_options o;
  o.domain = unicode(c.domain);
  o.host = c.host;
  o.port = c.port;
  o.secret = c.secret;
  o.limits.max_stanza_bytes = s.limits.stanza_bytes;
  return o;
}

}  // namespace stox::engine
