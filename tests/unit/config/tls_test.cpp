#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/config.hpp"
#include "support/certificates.hpp"

namespace stox::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using texts = std::vector<std::string>;

/// A configuration with a TLS listener and one certificate, in a folder of its own.
class tls_config : public testing::Test {
 protected:
  tls_config() {
    char name[] = "/tmp/stox-tls-XXXXXX";
    folder = ::mkdtemp(name);
    renew();
    write("ca.pem", root.pem());
  }
  ~tls_config() override { std::filesystem::remove_all(folder); }

  void write(const std::string& name, std::string_view text, mode_t mode = 0600) const {
    const auto path = folder + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
  }
  void renew(const test::certificate_wish& wish = {"sip.example", "DNS:sip.example"}) const {
    const auto made = root.issue(wish);
    write("chain.pem", made.chain, 0644);
    write("key.pem", made.key);
  }
  std::string toml() const {
    return R"([gateway]
sip_domains = ["sip.example"]
[sip]
listen = ["tls:127.0.0.1:5061"]
trusted_domains = ["Proxy.Example"]
outbound_proxy = "sip:proxy.example;transport=tls;lr"
[tls]
)" + section +
           R"([[xmpp.component]]
domain = "sip.example"
server = "127.0.0.1:5347"
secret = "hunter2"
)";
  }
  outcome read() const { return parse(toml(), folder + "/stox.toml"); }
  /// Without the folder, so that they can be compared.
  texts shown(texts lines) const {
    for (auto& line : lines) {
      for (auto at = line.find(folder); at != std::string::npos; at = line.find(folder))
        line.erase(at, folder.size() + 1);
    }
    return lines;
  }
  texts errors() const {
    const auto r = read();
    return r ? texts{} : shown(r.error());
  }
  texts warnings() const {
    const auto r = read();
    EXPECT_TRUE(r) << testing::PrintToString(r.error());
    return r ? shown(r->warnings) : texts{};
  }

  test::authority root;
  std::string folder;
  std::string section = R"(ca_file = "ca.pem"
min_version = "1.3"
[[tls.certificate]]
domains = ["sip.example"]
chain = "chain.pem"
key = "key.pem"
)";
};

TEST_F(tls_config, is_read_with_its_files) {
  const auto r = read();
  ASSERT_TRUE(r) << testing::PrintToString(r.error());
  const auto& s = r->settings;
  EXPECT_EQ(s.sip.listen.at(0).via, transport::tls);
  EXPECT_THAT(s.sip.trusted_domains, ElementsAre("proxy.example"));
  EXPECT_EQ(s.sip.outbound_proxy.at(0).via, transport::tls);
  EXPECT_EQ(s.tls.min_version, settings::tls_version::v1_3);
  EXPECT_EQ(s.tls.ca_pem, root.pem());
  ASSERT_EQ(s.tls.certificates.size(), 1u);
  const auto& c = s.tls.certificates[0];
  EXPECT_THAT(c.domains, ElementsAre("sip.example"));
  EXPECT_THAT(c.chain_pem, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(c.key_pem.reveal(), HasSubstr("PRIVATE KEY"));
  const auto left = c.not_after - std::chrono::system_clock::now();
  EXPECT_GT(left, std::chrono::hours(24 * 29));
  EXPECT_LT(left, std::chrono::hours(24 * 31));
  EXPECT_THAT(r->warnings, IsEmpty());
}

TEST_F(tls_config, names_line_and_reason_of_what_cannot_be_used) {
  const auto other = root.issue({"other"});
  write("other.pem", other.key);
  write("empty.pem", "");
  struct row {
    const char *from, *to, *error;
  };
  for (
      const auto& r :
      {row{"\"key.pem\"", "\"other.pem\"",
           R"(stox.toml:13: tls.certificate.key: "other.pem" is not the key of the first certificate in "chain.pem"; the certificate comes first, then what leads to its authority)"},
       row{"\"chain.pem\"", "\"gone.pem\"",
           R"(stox.toml:12: tls.certificate.chain: cannot read "gone.pem": No such file or directory; check its path and mode)"},
       row{"\"chain.pem\"", "\"empty.pem\"",
           R"(stox.toml:12: tls.certificate.chain: "empty.pem" holds no certificate; write it as PEM)"},
       row{"\"key.pem\"", "\"chain.pem\"",
           R"(stox.toml:13: tls.certificate.key: "chain.pem" holds no private key; write it as PEM, without a passphrase)"},
       row{"\"ca.pem\"", "\"empty.pem\"",
           R"(stox.toml:8: tls.ca_file: "empty.pem" holds no certificate; write them as PEM)"},
       row{"[\"sip.example\"]", "[]",
           R"(stox.toml:11: tls.certificate.domains: missing; name the domains that the certificate proves)"},
       row{"key = \"key.pem\"\n",
           "key = \"key.pem\"\n[[tls.certificate]]\ndomains = [\"sip.example\"]\nchain = \"chain.pem\"\nkey "
           "= \"key.pem\"\n",
           R"(stox.toml:15: tls.certificate.domains: "sip.example" has two certificates; remove one)"},
       row{"chain = \"chain.pem\"\n", "",
           R"(stox.toml:10: tls.certificate.chain: missing; name the PEM file of the certificate)"},
       row{"\"1.3\"", "\"1.1\"", R"(stox.toml:9: tls.min_version: "1.1" is unknown; use "1.2" or "1.3")"}}) {
    SCOPED_TRACE(r.to);
    const auto before = section;
    section.replace(section.find(r.from), std::string_view(r.from).size(), r.to);
    EXPECT_THAT(errors(), ElementsAre(r.error));
    section = before;
  }
}

TEST_F(tls_config, knows_a_domain_in_both_spellings) {
  section += R"([[tls.certificate]]
domains = ["m\u00FCnchen.example"]
chain = "chain.pem"
key = "key.pem"
[[tls.certificate]]
domains = ["xn--mnchen-3ya.example"]
chain = "chain.pem"
key = "key.pem"
)";
  EXPECT_THAT(errors(), ElementsAre("stox.toml:19: tls.certificate.domains: \"m\xC3\xBCnchen.example\" has "
                                    "two certificates; remove one"));
}

TEST_F(tls_config, wants_a_certificate_for_a_tls_listener) {
  section.resize(section.find("[[tls"));
  EXPECT_THAT(
      errors(),
      ElementsAre(
          R"(stox.toml:4: sip.listen: "tls:127.0.0.1:5061" has no certificate to show; add a [[tls.certificate]] with domains, chain and key)"));
}

TEST_F(tls_config, warns_of_dates_and_of_a_key_that_everybody_can_read) {
  renew({"sip.example", "DNS:sip.example", {}, -9, -2});
  ASSERT_EQ(warnings().size(), 1u);
  EXPECT_THAT(warnings()[0], HasSubstr(R"(tls.certificate.chain: "chain.pem" has expired on 20)"));
  renew({"sip.example", "DNS:sip.example", {}, 2, 9});
  ASSERT_EQ(warnings().size(), 1u);
  EXPECT_THAT(warnings()[0], HasSubstr(R"(tls.certificate.chain: "chain.pem" is valid from 20)"));
  renew();
  ASSERT_EQ(::chmod((folder + "/key.pem").c_str(), 0644), 0);
  EXPECT_THAT(
      warnings(),
      ElementsAre(R"(stox.toml:13: tls.certificate.key: "key.pem" can be read by every user; chmod 640 it)"));
}

TEST_F(tls_config, knows_a_renewed_certificate_by_its_content) {
  const auto before = read();
  renew();
  const auto after = read();
  ASSERT_TRUE(before && after);
  const auto changed = compare(before->settings, after->settings).live;
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].key, "tls.certificate[sip.example].secret");
}

TEST_F(tls_config, shows_no_key) {
  write("stox.toml", toml());
  const auto r = load({"--config", folder + "/stox.toml", "--print-config"},
                      [](std::string_view) -> std::optional<std::string> { return std::nullopt; });
  ASSERT_TRUE(r) << testing::PrintToString(r.error());
  EXPECT_THAT(r->text, HasSubstr("[[tls.certificate]]\ndomains = [\"sip.example\"]\n"));
  EXPECT_EQ(r->text.find("BEGIN"), std::string::npos);
}

}  // namespace
}  // namespace stox::config
