#include "xmpp/machine/domain_identity.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace stox;
using stox::xmpp::is_xmpp_domain;

enum class kind { dns, srv, addr, uri, common_name, common_name_beside_san };

struct row {
  const char* what;
  kind type;
  std::string name;
  const char* domain;
  bool matches;
};

peer_identity of(const row& r) {
  peer_identity who;
  who.chain_ok = true;
  who.has_san = r.type != kind::common_name;
  switch (r.type) {
    case kind::dns: who.san_dns = {"first.example", r.name}; break;
    case kind::srv: who.san_srv = {r.name}; break;
    case kind::addr: who.san_xmpp = {r.name}; break;
    case kind::uri: who.san_uri = {r.name}; break;
    case kind::common_name:
    case kind::common_name_beside_san: who.common_name = r.name; break;
  }
  return who;
}

const row rows[] = {
    {"a DNS name is the domain", kind::dns, "sip.example", "sip.example", true},
    {"case does not count", kind::dns, "SIP.Example", "sip.example", true},
    {"nor does the last dot", kind::dns, "sip.example.", "sip.example", true},
    {"nor the domain's last dot", kind::dns, "sip.example", "sip.example.", true},
    {"a parent is another domain", kind::dns, "example", "sip.example", false},
    {"a child is another domain", kind::dns, "a.sip.example", "sip.example", false},
    {"the end of a label is no label", kind::dns, "gossip.example", "sip.example", false},
    {"a NUL byte ends no name", kind::dns, std::string("sip.example\0.evil.example", 25), "sip.example",
     false},
    {"a NUL byte is no last dot", kind::dns, std::string("sip.example\0", 12), "sip.example", false},
    {"an empty name is nobody", kind::dns, "", "sip.example", false},
    // RFC 6125 §6.4.2
    {"A-labels are the U-labels", kind::dns, "xn--bcher-kva.example", "bücher.example", true},
    {"A-labels compare without case", kind::dns, "XN--Bcher-KVA.example", "bücher.example", true},
    {"U-labels are not allowed in a DNS name", kind::dns, "bücher.example", "bücher.example", false},
    // RFC 6125 §6.4.3
    {"a wildcard stands for one label", kind::dns, "*.sip.example", "chat.sip.example", true},
    {"also for an A-label", kind::dns, "*.example", "bücher.example", true},
    {"not for two", kind::dns, "*.sip.example", "a.chat.sip.example", false},
    {"not for none", kind::dns, "*.sip.example", "sip.example", false},
    {"not as a part of a label", kind::dns, "ch*.sip.example", "chat.sip.example", false},
    {"not in an A-label", kind::dns, "xn--*.example", "bücher.example", false},
    {"not as another label", kind::dns, "chat.*.example", "chat.sip.example", false},
    {"not twice", kind::dns, "*.*.example", "chat.sip.example", false},
    {"not alone", kind::dns, "*", "localhost", false},
    {"not with a dot alone", kind::dns, "*.", "localhost", false},
    {"a leading dot is no wildcard", kind::dns, ".sip.example", "chat.sip.example", false},
    // RFC 4985, RFC 6125 §6.5.1
    {"an SRV name of the service", kind::srv, "_xmpp-server.sip.example", "sip.example", true},
    {"its case does not count", kind::srv, "_XMPP-Server.SIP.example", "sip.example", true},
    {"A-labels in an SRV name", kind::srv, "_xmpp-server.xn--bcher-kva.example", "bücher.example", true},
    {"an SRV name of another service", kind::srv, "_xmpp-client.sip.example", "sip.example", false},
    {"an SRV name of another domain", kind::srv, "_xmpp-server.other.example", "sip.example", false},
    {"an SRV name with its protocol is none", kind::srv, "_xmpp-server._tcp.sip.example", "sip.example",
     false},
    {"an SRV name without underscore is none", kind::srv, "xmpp-server.sip.example", "sip.example", false},
    {"a wildcard in an SRV name is none", kind::srv, "_xmpp-server.*.example", "sip.example", false},
    {"a bare domain is no SRV name", kind::srv, "sip.example", "sip.example", false},
    // RFC 6120 §13.7.1.4
    {"an XMPP address of the domain", kind::addr, "sip.example", "sip.example", true},
    {"in U-labels", kind::addr, "Bücher.example", "bücher.example", true},
    {"in A-labels", kind::addr, "xn--bcher-kva.example", "bücher.example", true},
    {"an XMPP address of a user", kind::addr, "admin@sip.example", "sip.example", false},
    {"an XMPP address of a resource", kind::addr, "sip.example/desk", "sip.example", false},
    {"a wildcard in an XMPP address is none", kind::addr, "*.sip.example", "chat.sip.example", false},
    {"a NUL byte in an XMPP address", kind::addr, std::string("sip.example\0", 12), "sip.example", false},
    {"a URI is no XMPP identity", kind::uri, "xmpp:sip.example", "sip.example", false},
    // RFC 6125 §6.4.4
    {"the common name without subjectAltName", kind::common_name, "sip.example", "sip.example", true},
    {"with a wildcard", kind::common_name, "*.sip.example", "chat.sip.example", true},
    {"that is no name", kind::common_name, "SIP Example Inc.", "sip.example", false},
    {"an empty one", kind::common_name, "", "sip.example", false},
    {"beside a subjectAltName", kind::common_name_beside_san, "sip.example", "sip.example", false},
    {"an address is nobody", kind::dns, "192.0.2.1", "192.0.2.1", false},
    {"an address has no labels", kind::dns, "*.0.2.1", "192.0.2.1", false},
    {"an IPv6 address is nobody", kind::addr, "[2001:db8::1]", "[2001:db8::1]", false},
    {"no domain is nobody", kind::dns, "", "", false},
    {"what is no domain is nobody", kind::dns, "a b", "a b", false},
};

TEST(xmpp_domain, is_found_as_rfc_6125_says) {
  for (const auto& r : rows) EXPECT_EQ(is_xmpp_domain(of(r), r.domain), r.matches) << r.what;
}

TEST(xmpp_domain, is_nobody_s_without_a_valid_chain) {
  for (const auto& r : rows) {
    auto who = of(r);
    who.chain_ok = false;
    EXPECT_FALSE(is_xmpp_domain(who, r.domain)) << r.what;
  }
}

TEST(xmpp_domain, knows_the_service_that_is_asked_for) {
  const auto who = of({"", kind::srv, "_xmpp-client.sip.example", "", true});
  EXPECT_TRUE(is_xmpp_domain(who, "sip.example", "xmpp-client"));
  EXPECT_FALSE(is_xmpp_domain(who, "sip.example"));
}

}  // namespace
