#include "net/tls_identity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <ctime>
#include <memory>
#include <string>

#include "support/certificates.hpp"

namespace stox::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

peer_identity names_of(const test::certificate_wish& wish) {
  const test::authority root;
  peer_identity out;
  read_names(root.issue(wish).certificate.get(), out);
  return out;
}

TEST(tls_identity, reads_every_kind_of_name) {
  const auto who =
      names_of({"cn.example",
                "DNS:a.example,DNS:*.b.example,URI:sip:c.example,URI:sip:bo@d.example,IP:192.0.2.1,"
                "otherName:1.3.6.1.5.5.7.8.7;IA5:_sips.e.example,"
                "otherName:1.3.6.1.5.5.7.8.5;UTF8:f.example"});
  EXPECT_THAT(who.san_dns, ElementsAre("a.example", "*.b.example"));
  EXPECT_THAT(who.san_uri, ElementsAre("sip:c.example", "sip:bo@d.example"));
  EXPECT_THAT(who.san_srv, ElementsAre("_sips.e.example"));
  EXPECT_THAT(who.san_xmpp, ElementsAre("f.example"));
  EXPECT_EQ(who.common_name, "cn.example");
  EXPECT_TRUE(who.has_san);
  EXPECT_EQ(who.fingerprint.size(), 64u);
  EXPECT_FALSE(who.chain_ok);  // names are no judgement
  EXPECT_GT(who.valid_until, std::time(nullptr));
}

TEST(tls_identity, tells_that_there_is_no_alternative_name) {
  const auto who = names_of({"only.example"});
  EXPECT_FALSE(who.has_san);
  EXPECT_THAT(who.san_dns, IsEmpty());
  EXPECT_EQ(who.common_name, "only.example");
}

TEST(tls_identity, keeps_a_bounded_number_of_names) {
  std::string san = "DNS:0.example";
  for (int i = 1; i < 600; ++i) san += ",DNS:" + std::to_string(i) + ".example";
  EXPECT_EQ(names_of({"many", san}).san_dns.size(), 256u);
}

// RFC 5922 §7.1 and RFC 5924 §4: without the extension anything goes; with it, the role or the SIP domain.
TEST(tls_identity, judges_the_extended_key_usage_by_role) {
  struct row {
    const char* usage;
    bool server, client;
  };
  const test::authority root;
  for (const auto& r : {row{"", true, true}, row{"serverAuth", true, false}, row{"clientAuth", false, true},
                        row{"serverAuth,clientAuth", true, true}, row{"1.3.6.1.5.5.7.3.20", true, true},
                        row{"anyExtendedKeyUsage", true, true}, row{"codeSigning", false, false},
                        row{"emailProtection,clientAuth", false, true}}) {
    SCOPED_TRACE(r.usage);
    const auto made = root.issue({"x", "DNS:x.example", r.usage});
    EXPECT_EQ(usage_allows(made.certificate.get(), conn_use::sip, true), r.server);
    EXPECT_EQ(usage_allows(made.certificate.get(), conn_use::sip, false), r.client);
  }
}

TEST(tls_identity, takes_either_role_for_both_between_xmpp_servers) {
  struct row {
    const char* usage;
    bool allowed;
  };
  const test::authority root;
  for (const auto& r : {row{"", true}, row{"serverAuth", true}, row{"clientAuth", true},
                        row{"emailProtection,clientAuth", true}, row{"anyExtendedKeyUsage", true},
                        row{"1.3.6.1.5.5.7.3.20", false}, row{"codeSigning", false}}) {
    SCOPED_TRACE(r.usage);
    const auto made = root.issue({"x", "DNS:x.example", r.usage});
    EXPECT_EQ(usage_allows(made.certificate.get(), conn_use::s2s, true), r.allowed);
    EXPECT_EQ(usage_allows(made.certificate.get(), conn_use::s2s, false), r.allowed);
  }
}

// RFC 6698 §2.1: what TLSA records name. The hashes are those of "openssl x509 -outform DER | sha256sum" and
// of "openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum".
TEST(tls_identity, hashes_the_certificate_and_its_key_alone) {
  constexpr const char* pem =
      "-----BEGIN CERTIFICATE-----\n"
      "MIIBfTCCASOgAwIBAgIUbNxzAoiYoOw0rlfPAgMVnWooFN0wCgYIKoZIzj0EAwIw\n"
      "FDESMBAGA1UEAwwJYS5leGFtcGxlMB4XDTI2MTEyODExMjkxOFoXDTM2MTEyNTEx\n"
      "MjkxOFowFDESMBAGA1UEAwwJYS5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0D\n"
      "AQcDQgAEbVFu15bWdm1ncnHgIwFbdvjQz9CIac+fzo1Ejsb/6m8f15QeHCjlmiyq\n"
      "GYImYobBAI+ZQzy1KvHymdgUNvFAFaNTMFEwHQYDVR0OBBYEFGw3kMM7IOL1eyT8\n"
      "SfFQvzT7njAZMB8GA1UdIwQYMBaAFGw3kMM7IOL1eyT8SfFQvzT7njAZMA8GA1Ud\n"
      "EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAJkZL0CTV4DSUHsrBUAqSpUl\n"
      "Xy/rYJr0EBkVKsrWqrZ4AiB1Mgnuirk4K9yMNHmuX/s8IX3pxY/ZKOK6XHUJqXF7\n"
      "dA==\n"
      "-----END CERTIFICATE-----\n";
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem, -1), BIO_free);
  const test::x509_ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  peer_identity who;
  read_names(certificate.get(), who);
  EXPECT_EQ(who.fingerprint, "ee3cc2b0685bb9c0b1a7f0039a376c2e06a9277124bc4f2e1e50bbc938ba4585");
  EXPECT_EQ(who.spki, "2b220fc3ddd37157573b9e099f09205037fbf3e255b85da32733e0b1c5aad1e6");
}

}  // namespace
}  // namespace stox::net
