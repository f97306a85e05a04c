#include "net/tls_identity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
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
    EXPECT_EQ(usage_allows(made.certificate.get(), true), r.server);
    EXPECT_EQ(usage_allows(made.certificate.get(), false), r.client);
  }
}

}  // namespace
}  // namespace stox::net
