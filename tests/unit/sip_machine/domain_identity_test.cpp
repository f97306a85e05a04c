#include "sip/machine/domain_identity.hpp"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::sip;

struct row {
  const char* what;
  std::vector<std::string> uri, dns;
  std::string common_name;
  bool has_san;
  std::vector<std::string> domains;
};

// RFC 5922 §7.1, sentence by sentence.
const row rows[] = {
    {"a sip URI without a user is a domain", {"sip:example.com"}, {}, "", true, {"example.com"}},
    {"its scheme compares without case", {"SIP:Example.COM"}, {}, "", true, {"example.com"}},
    {"a URI of another scheme is none",
     {"sips:example.com", "im:example.com", "xmpp:example.com"},
     {},
     "",
     true,
     {}},
    {"a URI with a user is none", {"sip:alice@example.com"}, {}, "", true, {}},
    {"port and parameters do not count",
     {"sip:example.com:5061;transport=tcp"},
     {},
     "",
     true,
     {"example.com"}},
    {"a DNS name counts without a sip URI", {}, {"example.com"}, "", true, {"example.com"}},
    {"a DNS name counts beside a URI of a user",
     {"sip:alice@example.org"},
     {"example.com"},
     "",
     true,
     {"example.com"}},
    {"a DNS name does not count beside a sip URI",
     {"sip:example.com"},
     {"other.example"},
     "",
     true,
     {"example.com"}},
    {"several are several", {"sip:a.example", "sip:b.example"}, {}, "", true, {"a.example", "b.example"}},
    {"the common name counts without subjectAltName", {}, {}, "example.com", false, {"example.com"}},
    {"the common name does not count beside a subjectAltName of any type", {}, {}, "example.com", true, {}},
    {"a common name that is no DNS name does not count", {}, {}, "Example Inc.", false, {}},
    {"a wildcard is none", {}, {"*.example.com", ".example.com"}, "*.example.com", false, {}},
    {"a NUL byte makes no name", {}, {std::string("example.com\0.evil.example", 25)}, "", true, {}},
    {"an address is none", {"sip:192.0.2.1"}, {"192.0.2.1"}, "", true, {}},
    {"a DNS name does not count beside a sip URI of an address",
     {"sip:192.0.2.1"},
     {"example.com"},
     "",
     true,
     {}},
    {"the last dot does not count", {}, {"example.com."}, "", true, {"example.com"}},
};

TEST(sip_domains, are_found_as_rfc_5922_says) {
  for (const auto& r : rows) {
    peer_identity who;
    who.san_uri = r.uri;
    who.san_dns = r.dns;
    who.common_name = r.common_name;
    who.has_san = r.has_san;
    EXPECT_EQ(sip_domains_of(who), r.domains) << r.what;
  }
}

peer_identity of(std::string dns) {
  peer_identity who;
  who.chain_ok = who.has_san = true;
  who.san_dns = {std::move(dns)};
  return who;
}

TEST(sip_domain, matches_as_a_whole_and_without_case) {
  EXPECT_TRUE(is_sip_domain(of("example.com"), "EXAMPLE.com"));
  EXPECT_FALSE(is_sip_domain(of("foo.example.com"), "example.com"));
  EXPECT_FALSE(is_sip_domain(of("example.com"), "foo.example.com"));
  EXPECT_FALSE(is_sip_domain(of("*.example.com"), "foo.example.com"));
  EXPECT_FALSE(is_sip_domain(of("example.com"), ""));
}

TEST(sip_domain, needs_a_valid_chain) {
  auto who = of("example.com");
  who.chain_ok = false;
  EXPECT_FALSE(is_sip_domain(who, "example.com"));
  EXPECT_FALSE(is_sip_domain({}, "example.com"));
}

}  // namespace
