#include "config/checks.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "config/values.hpp"

namespace stox::config {

std::string table_key(std::string_view array, std::size_t number, std::string_view leaf) {
  std::string out = std::string(array) + "[" + std::to_string(number) + "]";
  if (!leaf.empty()) out += "." + std::string(leaf);
  return out;
}

namespace {

// "xmpp.component[0].domain" as people know it: "xmpp.component.domain".
std::string spoken(std::string_view key) {
  std::string out(key);
  const auto open = out.find('[');
  if (open != std::string::npos) out.erase(open, out.find(']') - open + 1);
  return out;
}

}  // namespace

std::vector<served> served_domains(const settings::gateway& g) {
  std::vector<served> out;
  for (std::size_t i = 0; i < g.domains.size(); ++i) {
    out.push_back({g.domains[i].sip, g.domains[i].xmpp, table_key("gateway.domain", i)});
  }
  for (const auto& name : g.sip_domains) {
    const auto same = [&](const served& s) { return s.sip == name; };
    if (std::none_of(out.begin(), out.end(), same)) out.push_back({name, name, "gateway.sip_domains"});
  }
  return out;
}

bool tables_failed(const findings& f, std::string_view array) {
  const auto prefix = std::string(array) + "[";
  const auto at = f.failed.lower_bound(prefix);
  return at != f.failed.end() && at->starts_with(prefix);
}

void require(findings& f, const std::string& key, const std::string& text, std::string_view hint) {
  if (text.empty() && f.ok(key)) f.fail(key, "missing; " + std::string(hint));
}

namespace {

void check_pairs(findings& f) {
  auto& pairs = f.settings.gateway.domains;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    require(f, table_key("gateway.domain", i, "sip"), pairs[i].sip, "name the domain as SIP knows it");
    if (pairs[i].xmpp.empty() && f.ok(table_key("gateway.domain", i, "xmpp"))) pairs[i].xmpp = pairs[i].sip;
    for (std::size_t j = 0; j < i; ++j) {
      const auto why = [](const std::string& name) {
        return quote(name) + " stands in two tables; one domain has one name on each side";
      };
      if (!pairs[i].sip.empty() && pairs[i].sip == pairs[j].sip)
        f.fail(table_key("gateway.domain", i, "sip"), why(pairs[i].sip));
      if (!pairs[i].xmpp.empty() && pairs[i].xmpp == pairs[j].xmpp) {
        f.fail(table_key("gateway.domain", i, "xmpp"), why(pairs[i].xmpp));
      }
    }
  }
}

// Two identities must never share one address: a name has one meaning on each side.
void check_names(findings& f, const std::vector<served>& domains) {
  for (const auto& a : domains) {
    for (const auto& b : domains) {
      if (&a == &b || a.sip == b.sip || a.xmpp != b.xmpp || a.key != "gateway.sip_domains") continue;
      f.fail(a.key, quote(a.sip) + " is also the XMPP name of " + quote(b.sip) +
                        "; give it a [[gateway.domain]] of its own");
    }
  }
  if (!f.ok("gateway.xmpp_domains")) return;
  for (const auto& name : f.settings.gateway.xmpp_domains) {
    const auto same = [&](const served& s) { return s.sip == name || s.xmpp == name; };
    if (std::any_of(domains.begin(), domains.end(), same)) {
      f.fail("gateway.xmpp_domains",
             quote(name) + " is a served SIP domain too; the users of a domain live on one side");
    }
  }
}

/// Of a secret and the file that may hold it there is one.
void check_secret(findings& f, const std::string& secret, const std::string& file) {
  const bool here = f.origins.contains(secret);
  const bool there = f.origins.contains(file);
  const auto leaf = secret.substr(secret.rfind('.') + 1);
  if (here && there) {
    f.fail(file, "stands beside " + leaf + "; keep one of the two");
  } else if (!here && !there && f.ok(secret) && f.ok(file)) {
    f.fail(secret, "missing; write " + leaf + " or " + leaf + "_file");
  }
}

/// Whether a request could want the one as much as the other.
bool rival(const settings::credential& a, const settings::credential& b) {
  if (a.realm.empty() || a.realm != b.realm || a.domains.has_value() != b.domains.has_value()) return false;
  return !a.domains || std::find_first_of(a.domains->begin(), a.domains->end(), b.domains->begin(),
                                          b.domains->end()) != a.domains->end();
}

void check_credentials(findings& f) {
  const auto& all = f.settings.credentials;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto key = [i](std::string_view leaf) { return table_key("sip.credential", i, leaf); };
    require(f, key("realm"), all[i].realm, "name the realm as the SIP server writes it");
    require(f, key("user"), all[i].user, "name the user that the SIP server knows");
    check_secret(f, key("password"), key("password_file"));
    for (std::size_t j = 0; j < i; ++j) {
      if (!rival(all[i], all[j])) continue;
      f.fail(key("realm"),
             quote(all[i].realm) +
                 " has two credentials; remove one, or give each the domains for which it counts");
      break;
    }
  }
}

/// A credential for a domain that is not served would never count.
void check_credential_domains(findings& f, const std::vector<served>& domains) {
  for (std::size_t i = 0; i < f.settings.credentials.size(); ++i) {
    const auto& c = f.settings.credentials[i];
    const auto key = table_key("sip.credential", i, "domains");
    if (!c.domains || !f.ok(key)) continue;
    if (c.domains->empty()) f.fail(key, "names no domain; name one, or leave it out for all");
    for (const auto& name : *c.domains) {
      const auto by = [&](auto served::*side) {
        return std::find_if(domains.begin(), domains.end(), [&](const served& s) { return s.*side == name; });
      };
      if (by(&served::sip) != domains.end()) continue;
      if (const auto alias = by(&served::xmpp); alias != domains.end()) {
        f.fail(key, quote(name) + " is the XMPP name; its SIP name is " + quote(alias->sip));
        continue;
      }
      std::vector<std::string_view> names;
      names.reserve(domains.size());
      for (const auto& s : domains) names.emplace_back(s.sip);
      const auto best = text::nearest(name, names);
      f.fail(key, quote(name) + " is not served; " +
                      (best ? "did you mean " + quote(*best) + "?" : "add it to gateway.sip_domains"));
    }
  }
}

void check_certificates(findings& f) {
  const auto& all = f.settings.tls.certificates;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto key = [i](std::string_view leaf) { return table_key("tls.certificate", i, leaf); };
    require(f, key("chain"), all[i].chain, "name the PEM file of the certificate");
    require(f, key("key"), all[i].key, "name the PEM file of its key");
    if (all[i].domains.empty() && f.ok(key("domains")))
      f.fail(key("domains"), "missing; name the domains that the certificate proves");
    for (std::size_t j = 0; j < i; ++j) {
      for (const auto& domain : all[i].domains) {
        if (std::find(all[j].domains.begin(), all[j].domains.end(), domain) != all[j].domains.end())
          f.fail(key("domains"), quote(domain) + " has two certificates; remove one");
      }
    }
  }
  const auto secure = [](const settings::listener& l) { return l.via == transport::tls; };
  const auto& listen = f.settings.sip.listen;
  const auto first = std::find_if(listen.begin(), listen.end(), secure);
  if (first == listen.end() || !all.empty() || !f.ok("sip.listen") || tables_failed(f, "tls.certificate"))
    return;
  f.fail("sip.listen",
         quote(write_listener(*first)) +
             " has no certificate to show; add a [[tls.certificate]] with domains, chain and key");
}

void check_components(findings& f) {
  const auto& links = f.settings.components;
  for (std::size_t i = 0; i < links.size(); ++i) {
    const auto key = [i](std::string_view leaf) { return table_key("xmpp.component", i, leaf); };
    require(f, key("domain"), links[i].domain, "name the domain that this component serves");
    require(f, key("server"), links[i].host, "name the XMPP server, e.g. \"127.0.0.1:5347\"");
    check_secret(f, key("secret"), key("secret_file"));
    for (std::size_t j = 0; j < i; ++j) {
      if (links[i].domain.empty() || links[i].domain != links[j].domain) continue;
      f.fail(key("domain"), quote(links[i].domain) + " has two components; remove one");
      break;
    }
  }
}

void check_links(findings& f, const std::vector<served>& domains) {
  const auto& links = f.settings.components;
  for (const auto& domain : domains) {
    if (domain.xmpp.empty() || component_of(f.settings, domain.xmpp) != nullptr || f.settings.s2s.enabled)
      continue;
    f.fail(domain.key, quote(domain.xmpp) + " has no [[xmpp.component]]; add one with domain = " +
                           quote(domain.xmpp) + ", or an [xmpp.s2s] table to federate");
  }
  for (std::size_t i = 0; i < links.size(); ++i) {
    const auto same = [&](const served& s) { return s.xmpp == links[i].domain; };
    const auto key = table_key("xmpp.component", i, "domain");
    if (links[i].domain.empty() || !f.ok(key) || std::any_of(domains.begin(), domains.end(), same)) continue;
    const auto by_sip = [&](const served& s) { return s.sip == links[i].domain; };
    const auto alias = std::find_if(domains.begin(), domains.end(), by_sip);
    if (alias != domains.end()) {
      f.fail(key, quote(links[i].domain) + " is the SIP name; its XMPP name is " + quote(alias->xmpp));
    } else {
      f.fail(key, quote(links[i].domain) + " is not served; add it to gateway.sip_domains");
    }
  }
}

}  // namespace

std::string findings::place_of(std::string_view key) const {
  auto at = origins.find(key);
  // A key that is missing from a table stands nowhere; its table does.
  if (at == origins.end() && key.find('[') != std::string_view::npos)
    at = origins.find(key.substr(0, key.find(']') + 1));
  if (at == origins.end()) return file.empty() ? spoken(key) : file + ": " + spoken(key);
  return at->second.from_file ? at->second.place + ": " + spoken(key) : at->second.place;
}

void findings::fail(std::string_view key, const std::string& why) {
  errors.push_back(place_of(key) + ": " + why);
  failed.emplace(key);
}

void check(findings& f) {
  check_pairs(f);
  check_certificates(f);
  check_components(f);
  check_credentials(f);
  const auto domains = served_domains(f.settings.gateway);
  if (domains.empty() && f.ok("gateway.sip_domains") && !tables_failed(f, "gateway.domain")) {
    f.fail("gateway.sip_domains", "missing; name at least one domain whose users live on SIP");
  }
  check_names(f, domains);
  if (!tables_failed(f, "gateway.domain") && f.ok("gateway.sip_domains"))
    check_credential_domains(f, domains);
  if (!tables_failed(f, "xmpp.component") && !tables_failed(f, "gateway.domain") &&
      f.ok("gateway.sip_domains")) {
    check_links(f, domains);
    check_federation(f, domains);
  }
  if (f.settings.sip.listen.empty() && f.ok("sip.listen")) {
    f.fail("sip.listen", "missing; name at least one address, e.g. [\"udp:127.0.0.1:5060\"]");
  }
  const auto nameless = [&f](const settings::listener& l) {
    const auto names = [&l](const settings::advertised& a) {
      if (a.via && *a.via != l.via) return false;
      const auto ip = ip_address::parse(a.host);
      return !ip || ip->is_v4() || !l.at.ip.is_v4();  // "::" has both families
    };
    const auto& all = f.settings.sip.advertise;
    return l.at.ip.is_unspecified() && std::none_of(all.begin(), all.end(), names);
  };
  const auto& listen = f.settings.sip.listen;
  const auto any = std::find_if(listen.begin(), listen.end(), nameless);
  // RFC 3261 §18.1.1: the Via says where the answers go, and nobody can answer to 0.0.0.0.
  if (any != listen.end() && f.ok("sip.listen") && f.ok("sip.advertise")) {
    f.fail("sip.listen", quote(write_listener(*any)) +
                             " is every address; name one, or say in sip.advertise what peers reach");
  }
}

}  // namespace stox::config
