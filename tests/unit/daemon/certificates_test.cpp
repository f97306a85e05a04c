#include "daemon/certificates.hpp"

#include <gtest/gtest.h>

#include <string>

namespace stox::daemon {
namespace {

using std::chrono::hours;

const wall_time now{std::chrono::seconds(1'700'000'000)};

settings::tls with_days_left(std::vector<int> days) {
  settings::tls out;
  for (const int d : days) {
    settings::certificate c;
    c.domains = {"d" + std::to_string(d) + ".example", "also.example"};
    c.chain = "chain.pem";
    c.not_after = now + hours(24 * d);
    out.certificates.push_back(c);
  }
  return out;
}

TEST(certificates, that_end_within_two_weeks_are_told) {
  const auto lines = expiry_warnings(with_days_left({30, 14, 13, 0, -3}), now);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].event, "tls.certificate_expires");
  EXPECT_EQ(lines[0].fields[0].second, "d13.example also.example");
  EXPECT_EQ(lines[0].fields[2].second, "13");
  EXPECT_EQ(lines[1].event, "tls.certificate_expired");
  EXPECT_EQ(lines[2].event, "tls.certificate_expired");
  EXPECT_EQ(lines[2].fields[2].second, "-3");
}

TEST(certificates, have_a_gauge_for_each_domain) {
  net::tcp_counters counts;
  counts.tls_handshakes = 5;
  counts.tls_securing = 3;
  counts.tls_failures[static_cast<std::size_t>(net::tls_failure::not_tls)] = 2;
  std::string shown;
  for (const auto& s : tls_samples(with_days_left({1}), counts)) {
    if (s.value == 0) continue;
    shown += s.name;
    for (const auto& [key, value] : s.labels) shown += "{" + key + "=" + value + "}";
    shown += " " + std::to_string(static_cast<long long>(s.value)) + "\n";
  }
  EXPECT_EQ(shown,
            "tls_certificate_expiry_timestamp_seconds{domain=d1.example} 1700086400\n"
            "tls_certificate_expiry_timestamp_seconds{domain=also.example} 1700086400\n"
            "tls_handshakes_total 5\n"
            "tls_handshake_failures_total{reason=not_tls} 2\n"
            "tls_handshakes_open 3\n");
}

TEST(trusted_peers, are_those_of_all_domains_and_of_each) {
  settings::all s;
  s.sip.trusted_peers = {*ip_prefix::parse("192.0.2.0/28")};
  s.gateway.domains.push_back({"a.example", "a.example"});
  s.gateway.domains.push_back({"b.example", "b.example"});
  s.gateway.domains.back().trusted_peers = {*ip_prefix::parse("2001:db8::1")};
  const auto found = trusted_peers(s);
  EXPECT_TRUE(found.contains(*ip_address::parse("192.0.2.15")));
  EXPECT_FALSE(found.contains(*ip_address::parse("192.0.2.16")));
  EXPECT_TRUE(found.contains(*ip_address::parse("2001:db8::1")));
}

}  // namespace
}  // namespace stox::daemon
