#include "admin/host_meta.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace stox::admin {
namespace {

using testing::HasSubstr;

socket_address at(std::string_view text) { return socket_address::parse(text).value(); }

federation one() { return {{"sip.example"}, {at("192.0.2.20:5270")}}; }

std::string of(std::string_view host, const federation& here) {
  const auto document = host_meta(host, here);
  return document ? *document : document.error().to_string();
}

constexpr std::string_view sip_example =
    R"({"xmpp":{"ttl":3600},"links":[{"rel":"urn:xmpp:alt-connections:s2s-tls","port":5270,)"
    R"("ips":["192.0.2.20"],"priority":0,"weight":0,"sni":"sip.example"}]})"
    "\n";
constexpr std::string_view no_such = "admin/no_such_domain: the Host is no domain that federates here";

// XEP-0487 §2.1: ttl, port, ips, priority, weight and sni are mandatory.
TEST(host_meta, names_the_port_of_direct_tls_with_all_that_is_mandatory) {
  EXPECT_EQ(of("sip.example", one()), sip_example);
}

TEST(host_meta, has_one_link_for_a_port_of_several_addresses) {
  const federation here{{"sip.example"},
                        {at("192.0.2.20:5270"), at("192.0.2.21:443"), at("[2001:db8::20]:5270")}};
  EXPECT_EQ(of("sip.example", here),
            R"({"xmpp":{"ttl":3600},"links":[{"rel":"urn:xmpp:alt-connections:s2s-tls","port":5270,)"
            R"("ips":["192.0.2.20","2001:db8::20"],"priority":0,"weight":0,"sni":"sip.example"},)"
            R"({"rel":"urn:xmpp:alt-connections:s2s-tls","port":443,"ips":["192.0.2.21"],"priority":0,)"
            R"("weight":0,"sni":"sip.example"}]})"
            "\n");
}

TEST(host_meta, takes_the_host_with_a_port_a_last_dot_and_in_any_case) {
  for (const auto* host : {"sip.example:443", "SIP.Example", "sip.example.", "Sip.Example.:8443"})
    EXPECT_EQ(of(host, one()), sip_example) << host;
}

TEST(host_meta, knows_domains_of_other_letters_by_their_a_labels) {
  const federation here{{"sip.example", "xn--bcher-kva.example"}, {at("192.0.2.20:5270")}};
  EXPECT_THAT(of("XN--BCHER-KVA.example", here), HasSubstr(R"("sni":"xn--bcher-kva.example")"));
}

TEST(host_meta, says_nothing_of_other_domains_and_of_addresses) {
  for (const auto* host : {"", ":", ".", "example", "a.sip.example", "sip.example..", "192.0.2.20:5270",
                           "[2001:db8::20]:443", "2001:db8::20", "sip.example/x"})
    EXPECT_EQ(of(host, one()), no_such) << host;
  EXPECT_EQ(of("sip.example", {}), no_such);
}

// XEP-0487 §2.2: who gets a document looks into the DNS no more; it must not be one without a way in.
TEST(host_meta, is_not_there_where_no_address_and_port_is_known) {
  EXPECT_EQ(of("sip.example", {{"sip.example"}, {}}),
            "admin/no_address: xmpp.s2s.tls_listen is empty, and host-meta knows no STARTTLS");
  EXPECT_EQ(of("sip.example", {{"sip.example"}, {at("[::]:5270"), at("0.0.0.0:5271"), at("192.0.2.20:0")}}),
            "admin/no_address: xmpp.s2s.tls_listen names no address and port; host-meta wants the ones that "
            "others reach");
  EXPECT_EQ(of("sip.example", {{"sip.example"}, {at("[::]:443"), at("192.0.2.20:5270")}}), sip_example);
}

}  // namespace
}  // namespace stox::admin
