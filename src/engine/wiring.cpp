#include "engine/wiring.hpp"

#include "base/text.hpp"
#include "sip/wire/uri.hpp"
#include "translate/sip_content.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::engine {

namespace {

/// A name that is the same for every engine that serves the same domains: to a hop mark a redundant pair is
/// one gateway.
std::string short_name(const std::vector<std::string>& served) {
  std::string all;
  for (const auto& domain : served) all += domain + ",";
  return text::short_hash(all);
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

std::vector<std::string> ascii(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  out.reserve(names.size());
  for (const auto& name : names) out.push_back(ascii(name));
  return out;
}

/// RFC 3261 §8.1.2: a configured outbound proxy with the lr parameter (§19.1.1) is a pre-loaded route set of
/// one URI; this is its Route. With several to fail over to, none can be named, since the request stays the
/// same for all.
std::string route_of(const std::vector<settings::sip_route>& proxies) {
  if (proxies.size() != 1) return {};
  const auto uri = sip::parse_uri(proxies.front().uri);
  const bool loose = uri && uri->find("lr") != nullptr;
  return loose ? "<" + proxies.front().uri + ">" : std::string();
}

}  // namespace

gateway::domains domains_of(const settings::all& s) {
  gateway::domains d;
  std::vector<translate::domain_pair> pairs;
  for (const auto& pair : s.gateway.domains) {
    if (pair.sip != pair.xmpp) pairs.push_back({ascii(pair.sip), unicode(pair.xmpp)});
  }
  d.addresses = translate::address_map(std::move(pairs));
  for (const auto& domain : s.gateway.sip_domains) d.sip.push_back(ascii(domain));
  for (const auto& pair : d.addresses.pairs()) {
    if (!d.serves_sip(pair.sip)) d.sip.push_back(pair.sip);
  }
  d.others = {s.sip.trusted_peers,     ascii(s.sip.trusted_domains), s.sip.outbound_proxy,
              s.chat.message_type,     s.limits.messages_per_sender, s.sip.queue_per_pair,
              s.limits.rate_per_domain};
  d.others.late_notices = s.chat.late_notices;
  d.others.max_message_bytes = s.sip.max_message_bytes;
  d.others.route = route_of(s.sip.outbound_proxy);
  for (const auto& own : s.gateway.domains) {
    const auto name = ascii(own.sip);
    if (!d.serves_sip(name)) d.sip.push_back(name);
    auto& t = d.tenants.emplace(name, d.others).first->second;
    // One of the two is enough to say who alone speaks for the domain.
    if (own.trusted_peers || own.trusted_domains) {
      t.trusted_peers = own.trusted_peers.value_or(std::vector<ip_prefix>());
      t.trusted_domains = ascii(own.trusted_domains.value_or(std::vector<std::string>()));
    }
    if (own.outbound_proxy) t.outbound_proxy = *own.outbound_proxy;
    t.route = route_of(t.outbound_proxy);
    t.message_type = own.message_type.value_or(t.message_type);
    t.max_message_bytes = own.max_message_bytes.value_or(t.max_message_bytes);
    t.late_notices = own.late_notices.value_or(t.late_notices);
    t.first_form = own.first_form.value_or(t.first_form);
    t.messages_per_sender = own.messages_per_sender.value_or(t.messages_per_sender);
    t.queue_per_pair = own.queue_per_pair.value_or(t.queue_per_pair);
    t.rate_per_domain = own.rate_per_domain.value_or(t.rate_per_domain);
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
  o.trusted_peers = d.others.trusted_peers;
  o.trusted_domains = d.others.trusted_domains;
  for (const auto& [name, t] : d.tenants) {
    o.trusted_peers.insert(o.trusted_peers.end(), t.trusted_peers.begin(), t.trusted_peers.end());
    o.trusted_domains.insert(o.trusted_domains.end(), t.trusted_domains.begin(), t.trusted_domains.end());
  }
  o.sip_domains = d.sip;
  o.accept = translate::accepted_content();
  o.accept_encodings = translate::accepted_encodings();
  for (const auto& domain : d.xmpp) {
    if (auto name = d.addresses.domain_to_sip(domain)) o.xmpp_domains.push_back(std::move(*name));
  }
  for (const auto& a : s.sip.advertise) o.advertise.push_back({a.via, a.host, a.port});
  o.untrusted_answers_per_second = s.sip.untrusted_answers;
  o.max_connections = s.sip.max_connections;
  for (const auto& c : s.credentials) {
    o.credentials.push_back(
        {{c.realm, c.user, c.password}, ascii(c.domains.value_or(std::vector<std::string>()))});
  }
  for (const auto& c : s.tls.certificates) {
    if (!c.domains.empty()) o.certificates.push_back({ascii(c.domains.front()), ascii(c.domains)});
  }
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
