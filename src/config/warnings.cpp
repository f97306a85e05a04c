#include <algorithm>
#include <filesystem>

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

  void listeners();
  void peers();
  void proxies();
  void secrets();
  void metrics();
  void folder_of(std::string_view key, const std::string& path);
  std::vector<std::string> take() { return std::move(out_); }

 private:
  const findings& f_;
  const settings::sip& sip_ = f_.settings.sip;
  std::vector<std::string> out_;
};

void warner::listeners() {
  for (const auto& l : sip_.listen) {
    if (l.via != transport::udp || !is_public(l.at.ip) || sip_.trusted_peers.empty()) continue;
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
  const bool by_name = std::any_of(sip_.listen.begin(), sip_.listen.end(),
                                   [](const auto& l) { return l.via == transport::tls; });
  if (!sip_.trusted_domains.empty() && !by_name)
    warn("sip.trusted_domains", "counts over TLS only, and sip.listen has no TLS address");
  if (sip_.trusted_peers.empty() && (sip_.trusted_domains.empty() || !by_name))
    warn("sip.trusted_peers", "empty; nobody can send from SIP, every request gets 403");
  for (const auto& p : sip_.trusted_peers) {
    if (p.length == 0 || (p.base.is_v4() && p.length == 96)) {
      warn("sip.trusted_peers", quote(p.to_string()) + " trusts everybody to name any sender");
    } else if (const auto whole = without_host_bits(p); whole != p) {
      const ip_prefix one{p.base, 128};
      warn("sip.trusted_peers", quote(p.to_string()) + " trusts all of " + quote(whole.to_string()) +
                                    "; write that, or " + quote(one.to_string()) + " for the one address");
    }
  }
}

bool same_family(const ip_address& listening, const ip_address& peer) {
  // [::] takes IPv4 as well.
  return listening.is_v4() == peer.is_v4() || (!listening.is_v4() && listening.is_unspecified());
}

void warner::proxies() {
  const auto advertised = ip_address::parse(sip_.advertise);
  for (const auto& proxy : sip_.outbound_proxy) {
    const auto ip = ip_address::parse(proxy.host);
    if (!ip) continue;  // what a name stands for is not known here
    const auto ourselves = [&](const settings::listener& l) {
      if (l.via != proxy.via || l.at.port != proxy.port) return false;
      if (l.at.ip == *ip) return true;
      return l.at.ip.is_unspecified() && same_family(l.at.ip, *ip) && (is_loopback(*ip) || *ip == advertised);
    };
    const auto loop = std::find_if(sip_.listen.begin(), sip_.listen.end(), ourselves);
    if (loop != sip_.listen.end()) {
      warn("sip.outbound_proxy", quote(proxy.uri) + " is our own listener " + quote(write_listener(*loop)) +
                                     "; every request would come back to us, name the SIP proxy");
    }
    const auto usable = [&](const settings::listener& l) {
      return l.via == proxy.via && (l.via != transport::udp || same_family(l.at.ip, *ip));
    };
    if (std::any_of(sip_.listen.begin(), sip_.listen.end(), usable)) continue;
    if (proxy.via == transport::udp) {
      warn("sip.outbound_proxy", quote(proxy.uri) +
                                     " is reached over UDP, and sip.listen has no UDP address of "
                                     "its family to send from; nothing can be sent to it");
    } else {
      // RFC 3261 §18.2.2: the answer to a request whose connection is gone goes to the Via's address.
      warn("sip.outbound_proxy", quote(proxy.uri) +
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
