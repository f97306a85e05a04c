#include <algorithm>

#include "config/checks.hpp"
#include "config/values.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::config {

const settings::component* component_of(const settings::all& s, std::string_view xmpp) {
  const auto at = std::find_if(s.components.begin(), s.components.end(),
                               [&](const settings::component& c) { return c.domain == xmpp; });
  return at == s.components.end() ? nullptr : &*at;
}

bool is_federated(const settings::all& s, const served& domain) {
  if (!s.s2s.enabled || domain.xmpp.empty()) return false;
  const auto* link = component_of(s, domain.xmpp);
  return link == nullptr || !link->reaches.empty();
}

bool has_certificate(const settings::tls& tls, std::string_view domain) {
  return std::any_of(tls.certificates.begin(), tls.certificates.end(), [&](const settings::certificate& c) {
    return std::find(c.domains.begin(), c.domains.end(), domain) != c.domains.end();
  });
}

void settle_federation(findings& f) {
  auto& s2s = f.settings.s2s;
  const auto said = f.origins.lower_bound("xmpp.s2s");
  const bool there = said != f.origins.end() && said->first.starts_with("xmpp.s2s");
  s2s.enabled = there || (f.settings.components.empty() && !tables_failed(f, "xmpp.component"));
  if (!s2s.enabled) s2s.listen.clear();
  // Nobody can speak TLS to who has nothing to show.
  const bool silent = f.settings.tls.certificates.empty() && !f.origins.contains("xmpp.s2s.tls_listen");
  if (!s2s.enabled || silent) s2s.tls_listen.clear();
}

namespace {

bool is_served(const std::vector<served>& domains, std::string_view name) {
  return std::any_of(domains.begin(), domains.end(),
                     [&](const served& s) { return s.sip == name || s.xmpp == name; });
}

/// For who has none: how to get it, in one line that can be pasted.
std::string certificate_hint(const std::string& domain) {
  const auto ascii = xmpp::domain_to_ascii(domain);
  return quote(domain) +
         " has no certificate, which federation needs; get one (certbot certonly --standalone -d " +
         (ascii ? *ascii : domain) + ") and name its files in a [[tls.certificate]] with domains = [" +
         quote(domain) + "]";
}

void check_own_certificates(findings& f, const std::vector<served>& domains) {
  const auto& s = f.settings;
  const bool needed = s.s2s.tls == settings::tls_policy::required && f.ok("xmpp.s2s.tls");
  if (!needed || tables_failed(f, "tls.certificate")) return;
  for (const auto& domain : domains) {
    if (!is_federated(s, domain) || has_certificate(s.tls, domain.xmpp)) continue;
    const bool by_default = s.components.empty() && !f.origins.contains("xmpp.s2s");
    f.fail(domain.key,
           certificate_hint(domain.xmpp) +
               (by_default ? ", or add a [[xmpp.component]] if an XMPP server is to carry it" : ""));
  }
}

void check_reaches(findings& f, const std::vector<served>& domains) {
  const auto& links = f.settings.components;
  for (std::size_t i = 0; i < links.size(); ++i) {
    const auto key = table_key("xmpp.component", i, "reaches");
    if (!links[i].reaches.empty() && !f.settings.s2s.enabled && f.ok(key)) {
      f.fail(key,
             "federation is off, so all other domains would be out of reach; add an [xmpp.s2s] table, or "
             "leave reaches out");
    }
    for (const auto& name : links[i].reaches) {
      if (is_served(domains, name))
        f.fail(key, quote(name) + " is a served domain; its users live on SIP, take it out");
    }
  }
}

/// RFC 7590 §3.4 and RFC 7712 know certificates over TLS only.
void check_proof(findings& f, const std::string& key, settings::tls_policy tls, settings::s2s_auth auth) {
  if (tls == settings::tls_policy::required || auth == settings::s2s_auth::dialback || !f.ok(key)) return;
  f.fail(key, quote(write_auth(auth)) +
                  " wants a certificate, and tls = \"preferred\" does without TLS; write tls = \"required\"");
}

void check_peers(findings& f, const std::vector<served>& domains) {
  const auto& s2s = f.settings.s2s;
  for (std::size_t i = 0; i < s2s.peers.size(); ++i) {
    const auto& peer = s2s.peers[i];
    const auto key = [i](std::string_view leaf) { return table_key("xmpp.s2s.peer", i, leaf); };
    require(f, key("domain"), peer.domain, "name the other server's domain");
    if (peer.domain.empty()) continue;
    const auto same = [&](const settings::s2s_peer& other) { return other.domain == peer.domain; };
    const auto self = s2s.peers.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::any_of(s2s.peers.begin(), self, same))
      f.fail(key("domain"), quote(peer.domain) + " stands in two tables; write its rules into one");
    if (is_served(domains, peer.domain))
      f.fail(key("domain"), quote(peer.domain) + " is a served domain; name another server's");
    if (peer.tls || peer.auth)
      check_proof(f, key(peer.auth ? "auth" : "tls"), peer.tls.value_or(s2s.tls),
                  peer.auth.value_or(s2s.auth));
  }
}

void check_listeners(findings& f) {
  const auto& s2s = f.settings.s2s;
  if (!f.ok("xmpp.s2s.listen") || !f.ok("xmpp.s2s.tls_listen")) return;
  for (const auto& l : s2s.tls_listen) {
    const auto same = [&](const settings::listener& other) { return l.at.port != 0 && other.at == l.at; };
    if (std::any_of(s2s.listen.begin(), s2s.listen.end(), same)) {
      f.fail("xmpp.s2s.tls_listen",
             quote(write_stream_listener(l.at)) +
                 " stands in listen too; a port has TLS from its first byte or it has not");
    }
  }
  if (!s2s.tls_listen.empty() && f.settings.tls.certificates.empty() &&
      f.origins.contains("xmpp.s2s.tls_listen") && s2s.tls == settings::tls_policy::preferred &&
      !tables_failed(f, "tls.certificate")) {
    f.fail("xmpp.s2s.tls_listen",
           quote(write_stream_listener(s2s.tls_listen.front().at)) +
               " has no certificate to show; add a [[tls.certificate]] with domains, chain and key");
  }
}

}  // namespace

void check_federation(findings& f, const std::vector<served>& domains) {
  check_own_certificates(f, domains);
  check_reaches(f, domains);
  check_peers(f, domains);
  check_listeners(f);
  check_proof(f, "xmpp.s2s.auth", f.settings.s2s.tls, f.settings.s2s.auth);
}

}  // namespace stox::config
