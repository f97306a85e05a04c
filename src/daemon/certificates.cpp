#include "daemon/certificates.hpp"

#include <chrono>
#include <string>

namespace stox::daemon {
namespace {

constexpr auto early_enough = std::chrono::hours(24 * 14);

}  // namespace

std::vector<log_record> expiry_warnings(const settings::tls& tls, wall_time now) {
  std::vector<log_record> out;
  for (const auto& c : tls.certificates) {
    const auto left = c.not_after - now;
    if (left >= early_enough) continue;
    const auto days = std::chrono::duration_cast<std::chrono::hours>(left).count() / 24;
    std::string domains;
    for (const auto& d : c.domains) domains += (domains.empty() ? "" : " ") + d;
    out.push_back({log_level::warning,
                   left.count() <= 0 ? "tls.certificate_expired" : "tls.certificate_expires",
                   {},
                   {{"domains", std::move(domains)}, {"file", c.chain}, {"days", std::to_string(days)}}});
  }
  return out;
}

std::vector<engine::sample> tls_samples(const settings::tls& tls, const net::tcp_counters& counts) {
  std::vector<engine::sample> out;
  for (const auto& c : tls.certificates) {
    for (const auto& domain : c.domains) {
      out.push_back({"tls_certificate_expiry_timestamp_seconds",
                     "When the certificate for the domain ends to be valid, in seconds since 1970.",
                     true,
                     {{"domain", domain}},
                     static_cast<double>(std::chrono::system_clock::to_time_t(c.not_after))});
    }
  }
  out.push_back({"tls_handshakes_total",
                 "TLS handshakes that succeeded, in both directions.",
                 false,
                 {},
                 static_cast<double>(counts.tls_handshakes)});
  for (std::size_t i = 0; i < net::tls_failure_count; ++i) {
    out.push_back({"tls_handshake_failures_total",
                   "TLS handshakes that came to nothing, by reason.",
                   false,
                   {{"reason", std::string(to_string(static_cast<net::tls_failure>(i)))}},
                   static_cast<double>(counts.tls_failures[i])});
  }
  out.push_back({"tls_handshakes_open",
                 "Accepted connections in their TLS handshake; the SIP side does not know them yet.",
                 true,
                 {},
                 static_cast<double>(counts.tls_securing)});
  return out;
}

prefix_set trusted_peers(const settings::all& s) {
  prefix_set out;
  for (const auto& p : s.sip.trusted_peers) out.add(p);
  for (const auto& d : s.gateway.domains) {
    for (const auto& p : d.trusted_peers.value_or(std::vector<ip_prefix>())) out.add(p);
  }
  return out;
}

std::vector<std::string> served_domains(const settings::gateway& g) {
  auto out = g.sip_domains;
  for (const auto& pair : g.domains) out.push_back(pair.sip);
  return out;
}

}  // namespace stox::daemon
