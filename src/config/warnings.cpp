#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "config/checks.hpp"
#include "config/findings.hpp"
#include "config/options.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

/// Collects warnings with their places.
class warner {
 public:
  explicit warner(const findings& f) : f_(f) {}
  void warn(std::string_view key, const std::string& why) { out_.push_back(f_.place_of(key) + ": " + why); }

  bool trusts_anybody() const;
  void listeners();
  void peers();
  void peers(const std::string& key, const std::vector<ip_prefix>& list);
  void proxies();
  void proxies(const std::string& key, const std::vector<settings::sip_route>& list);
  void secrets();
  void federation();
  void clear_text();
  void metrics();
  void folder_of(std::string_view key, const std::string& path);
  std::vector<std::string> take() { return std::move(out_); }

 private:
  const findings& f_;
  const settings::sip& sip_ = f_.settings.sip;
  std::vector<std::string> out_;
};

bool warner::trusts_anybody() const {
  const auto& domains = f_.settings.gateway.domains;
  return !sip_.trusted_peers.empty() || std::any_of(domains.begin(), domains.end(), [](const auto& d) {
    return d.trusted_peers && !d.trusted_peers->empty();
  });
}

void warner::listeners() {
  for (const auto& l : sip_.listen) {
    if (l.via != transport::udp || !is_public(l.at.ip) || !trusts_anybody()) continue;
    warn("sip.listen", quote(write_listener(l)) +
                           " can be reached from outside while sip.trusted_peers trusts by address, and UDP "
                           "source addresses can be "
                           "forged; listen on a private address or filter in front of it");
  }
}

/// The prefix as it is matched, or the same if no bit lies behind its length.
ip_prefix without_host_bits(ip_prefix p) {
  for (unsigned bit = p.length; bit < 128; ++bit) {
    p.base.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  }
  return p;
}

void warner::peers() {
  const auto& domains = f_.settings.gateway.domains;
  const bool by_name = std::any_of(sip_.listen.begin(), sip_.listen.end(),
                                   [](const auto& l) { return l.via == transport::tls; });
  const bool named =
      !sip_.trusted_domains.empty() || std::any_of(domains.begin(), domains.end(), [](const auto& d) {
        return d.trusted_domains && !d.trusted_domains->empty();
      });
  if (named && !by_name)
    warn("sip.trusted_domains", "counts over TLS only, and sip.listen has no TLS address");
  if (!trusts_anybody() && !(named && by_name))
    warn("sip.trusted_peers", "empty; nobody can send from SIP, every request gets 403");
  peers("sip.trusted_peers", sip_.trusted_peers);
  for (std::size_t i = 0; i < domains.size(); ++i) {
    if (domains[i].trusted_peers)
      peers(table_key("gateway.domain", i, "trusted_peers"), *domains[i].trusted_peers);
  }
}

void warner::peers(const std::string& key, const std::vector<ip_prefix>& list) {
  for (const auto& p : list) {
    if (p.length == 0 || (p.base.is_v4() && p.length == 96)) {
      warn(key, quote(p.to_string()) + " trusts everybody to name any sender");
    } else if (const auto whole = without_host_bits(p); whole != p) {
      const ip_prefix one{p.base, 128};
      warn(key, quote(p.to_string()) + " trusts all of " + quote(whole.to_string()) + "; write that, or " +
                    quote(one.to_string()) + " for the one address");
    }
  }
}

bool same_family(const ip_address& listening, const ip_address& peer) {
  // [::] takes IPv4 as well.
  return listening.is_v4() == peer.is_v4() || (!listening.is_v4() && listening.is_unspecified());
}

void warner::proxies() {
  proxies("sip.outbound_proxy", sip_.outbound_proxy);
  const auto& domains = f_.settings.gateway.domains;
  for (std::size_t i = 0; i < domains.size(); ++i) {
    if (domains[i].outbound_proxy)
      proxies(table_key("gateway.domain", i, "outbound_proxy"), *domains[i].outbound_proxy);
  }
}

/// RFC 3261 §19.1.1: the parameter that says that the server keeps Route as it is.
bool is_loose(const settings::sip_route& proxy) {
  const auto parts = text::split(proxy.uri, ';');
  return std::any_of(parts.begin() + 1, parts.end(),
                     [](std::string_view p) { return text::iequals(p.substr(0, p.find('=')), "lr"); });
}

void warner::proxies(const std::string& key, const std::vector<settings::sip_route>& list) {
  const auto loose = std::find_if(list.begin(), list.end(), is_loose);
  if (list.size() > 1 && loose != list.end()) {
    warn(key, quote(loose->uri) + " is one of several, so its \";lr\" adds no Route header; leave it out");
  }
  const auto advertised = [this](const ip_address& ip) {
    return std::any_of(sip_.advertise.begin(), sip_.advertise.end(),
                       [&ip](const settings::advertised& a) { return ip_address::parse(a.host) == ip; });
  };
  for (const auto& proxy : list) {
    const auto ip = ip_address::parse(proxy.host);
    if (!ip) continue;  // what a name stands for is not known here
    const auto ourselves = [&](const settings::listener& l) {
      if (l.via != proxy.via || l.at.port != proxy.port) return false;
      if (l.at.ip == *ip) return true;
      return l.at.ip.is_unspecified() && same_family(l.at.ip, *ip) && (is_loopback(*ip) || advertised(*ip));
    };
    const auto loop = std::find_if(sip_.listen.begin(), sip_.listen.end(), ourselves);
    if (loop != sip_.listen.end()) {
      warn(key, quote(proxy.uri) + " is our own listener " + quote(write_listener(*loop)) +
                    "; every request would come back to us, name the SIP proxy");
    }
    const auto usable = [&](const settings::listener& l) {
      return l.via == proxy.via && (l.via != transport::udp || same_family(l.at.ip, *ip));
    };
    if (std::any_of(sip_.listen.begin(), sip_.listen.end(), usable)) continue;
    if (proxy.via == transport::udp) {
      warn(key, quote(proxy.uri) +
                    " is reached over UDP, and sip.listen has no UDP address of "
                    "its family to send from; nothing can be sent to it");
    } else {
      // RFC 3261 §18.2.2: the answer to a request whose connection is gone goes to the Via's address.
      warn(key, quote(proxy.uri) +
                    " is reached over TCP, and sip.listen has no TCP address; an "
                    "answer whose connection was lost cannot come");
    }
  }
}

void warner::secrets() {
  const std::string sample(find_option("xmpp.component.secret")->sample);
  for (std::size_t i = 0; i < f_.settings.components.size(); ++i) {
    const auto& link = f_.settings.components[i];
    if (quote(link.secret.reveal()) != sample) continue;
    warn(table_key("xmpp.component", i, link.secret_file.empty() ? "secret" : "secret_file"),
         "is the secret of the sample, which everybody knows; make one of your own");
  }
}

void warner::federation() {
  const auto& s = f_.settings;
  if (!s.s2s.enabled) return;
  const auto domains = served_domains(s.gateway);
  const auto federated = [&s](const served& d) { return is_federated(s, d); };
  if (std::none_of(domains.begin(), domains.end(), federated)) {
    warn("xmpp.s2s",
         "federation has nothing to do, because each domain has an [[xmpp.component]] for everything; say in "
         "its reaches what it is the way to, or leave the table out");
    return;
  }
  if (s.s2s.listen.empty() && s.s2s.tls_listen.empty()) {
    warn(
        "xmpp.s2s.listen",
        "no listener; other servers can neither write to us nor ask us whether we are who we say (dialback)");
  }
  for (std::size_t i = 0; i < s.s2s.peers.size(); ++i) {
    if (s.s2s.peers[i].tls || s.s2s.peers[i].auth) continue;
    warn(table_key("xmpp.s2s.peer", i),
         quote(s.s2s.peers[i].domain) + " has no rule of its own; write tls or auth, or take the table out");
  }
  clear_text();
}

void warner::clear_text() {
  const auto& s = f_.settings;
  constexpr std::string_view readable = "cross in clear, where others read and forge them; ";
  for (std::size_t i = 0; i < s.s2s.peers.size(); ++i) {
    if (s.s2s.peers[i].tls != settings::tls_policy::preferred) continue;
    warn(table_key("xmpp.s2s.peer", i, "tls"),
         "\"preferred\" lets stanzas with " + quote(s.s2s.peers[i].domain) + " " + std::string(readable) +
             "write \"required\" as soon as it has TLS");
  }
  if (s.s2s.tls != settings::tls_policy::preferred) return;
  warn("xmpp.s2s.tls", "\"preferred\" lets stanzas " + std::string(readable) +
                           "write \"required\", and the exceptions as [[xmpp.s2s.peer]]");
  for (const auto& domain : served_domains(s.gateway)) {
    if (is_federated(s, domain) && !has_certificate(s.tls, domain.xmpp))
      warn(domain.key,
           quote(domain.xmpp) +
               " has no certificate, so nobody has TLS with it; add a [[tls.certificate]] with domains = [" +
               quote(domain.xmpp) + "]");
  }
}

void warner::metrics() {
  const auto http = socket_address::parse(f_.settings.admin.listen);
  if (http && !is_loopback(http->ip)) {
    warn("admin.listen", quote(f_.settings.admin.listen) +
                             " is not loopback; metrics are served to everybody who can reach it");
  }
}

void warner::folder_of(std::string_view key, const std::string& path) {
  if (path.empty() || path == ":memory:") return;
  const auto folder = std::filesystem::absolute(path).parent_path();
  std::error_code ignored;
  if (std::filesystem::is_directory(folder, ignored)) return;
  warn(key, "the folder " + quote(folder.string()) +
                " is missing; stoxd makes none (its systemd unit makes /var/lib/stox and /run/stox)");
}

}  // namespace

std::vector<std::string> warnings_of(const findings& f) {
  warner w(f);
  w.listeners();
  w.peers();
  w.proxies();
  w.secrets();
  w.federation();
  w.metrics();
  return w.take();
}

std::vector<std::string> missing_folders(const findings& f) {
  warner w(f);
  w.folder_of("store.path", f.settings.store.path);
  w.folder_of("admin.control", f.settings.admin.control);
  return w.take();
}

}  // namespace stox::config
