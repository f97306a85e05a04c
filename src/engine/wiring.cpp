#include "engine/wiring.hpp"

#include <algorithm>

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

/// The served domains without a component link, and those whose link is the way to some domains only.
std::vector<std::string> federated(const settings::all& s, const gateway::domains& d) {
  std::vector<std::string> out;
  if (!s.s2s.enabled) return out;
  for (const auto& domain : d.sip) {
    const auto name = d.addresses.domain_to_xmpp(domain);
    if (!name) continue;
    const auto own = std::find_if(s.components.begin(), s.components.end(),
                                  [&](const auto& c) { return unicode(c.domain) == *name; });
    if (own == s.components.end() || !own->reaches.empty()) out.push_back(*name);
  }
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
  if (!s.s2s.enabled) return out;
  const auto d = domains_of(s);
  for (auto& domain : federated(s, d)) {
    if (std::find(out.begin(), out.end(), domain) == out.end()) out.push_back(std::move(domain));
  }
  return out;
}

std::vector<std::string> federated_names(const settings::all& s) {
  return ascii(federated(s, domains_of(s)));
}

std::vector<std::string> unicode_domains(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  out.reserve(names.size());
  for (const auto& name : names) out.push_back(unicode(name));
  return out;
}

xmpp::federation_options federation_options_of(const settings::all& s, const gateway::domains& d,
                                               id_source& ids) {
  xmpp::federation_options o;
  o.served = federated(s, d);
  o.has_tls = !s.tls.certificates.empty();
  const auto policy = [](settings::tls_policy tls, settings::s2s_auth auth) {
    xmpp::s2s_policy out;
    out.tls_required = tls == settings::tls_policy::required;
    switch (auth) {
      case settings::s2s_auth::pkix: out.least = xmpp::proof::certificate; break;
      case settings::s2s_auth::dane: out.least = xmpp::proof::dane; break;
      case settings::s2s_auth::dialback: out.least = xmpp::proof::dialback; break;
    }
    return out;
  };
  o.others = policy(s.s2s.tls, s.s2s.auth);
  for (const auto& p : s.s2s.peers)
    o.peers[unicode(p.domain)] = policy(p.tls.value_or(s.s2s.tls), p.auth.value_or(s.s2s.auth));
  // A key is checked by who made it, within one run: nobody else has to know the secret.
  if (s.s2s.enabled) o.dialback_secret = redacted(ids.next(id_kind::call_id) + ids.next(id_kind::call_id));
  o.limits.max_stanza_bytes = s.limits.stanza_bytes;
  for (const auto& p : s.s2s.never_connect) o.never_connect.add(p);
  o.max_unauthenticated = s.s2s.max_unauthenticated;
  o.max_streams_per_address = s.s2s.max_streams_per_address;
  o.max_connecting = s.s2s.max_connecting;
  o.login_limit = s.s2s.login_limit;
  o.idle_limit = s.s2s.idle_limit;
  o.queue_stanzas = s.s2s.queue_stanzas;
  o.queue_bytes = s.s2s.queue_bytes;
  o.queue_time = s.s2s.queue_time;
  return o;
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
