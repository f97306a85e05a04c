// Answers to digest challenges.
#include <gtest/gtest.h>

#include "sip/wire/auth.hpp"

namespace stox::sip {
namespace {

struct example {
  const char* challenge;
  const char* username;
  const char* password;
  const char* method;
  const char* uri;
  std::uint32_t nonce_count;
  const char* cnonce;
  const char* credentials;
};

constexpr const char* rfc7616_nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";

digest_credentials answer(const example& e, std::string_view body = {}) {
  const auto c = parse_digest_challenge(e.challenge);
  EXPECT_TRUE(c) << e.challenge;
  return respond(*c, {c->realm, e.username, redacted(e.password)}, e.method, e.uri, body, e.nonce_count,
                 e.cnonce);
}

TEST(respond, gives_what_the_rfcs_print) {
  const std::string md5_7616 =
      "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", nonce=\"" + std::string(rfc7616_nonce) +
      "\", uri=\"/dir/index.html\", response=\"8ca523f5e9506fed4657c9700eebdbec\", algorithm=MD5, "
      "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", "
      "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, nc=00000001";
  const std::string sha_7616 =
      "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", nonce=\"" + std::string(rfc7616_nonce) +
      "\", uri=\"/dir/index.html\", "
      "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\", algorithm=SHA-256, "
      "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", "
      "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, nc=00000001";
  const example table[] = {
      // RFC 2617 §3.5; no algorithm means MD5, and none is echoed.
      {"Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
       "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
       "Mufasa", "Circle Of Life", "GET", "/dir/index.html", 1, "0a4f113b",
       "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
       "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", "
       "response=\"6629fae49393a05397450978507c4ef1\", cnonce=\"0a4f113b\", "
       "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, nc=00000001"},
      // RFC 7616 §3.9.1, both challenges
      {"Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, "
       "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
       "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
       "Mufasa", "Circle of Life", "GET", "/dir/index.html", 1,
       "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", md5_7616.c_str()},
      {"Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, "
       "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
       "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
       "Mufasa", "Circle of Life", "GET", "/dir/index.html", 1,
       "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", sha_7616.c_str()},
      // RFC 7616 §3.9.2 as its erratum 4897 corrects it: the hash of the name is shown, the name is hashed in
      {"Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, "
       "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
       "opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true",
       "J\xC3\xA4s\xC3\xB8n Doe", "Secret, or not?", "GET", "/doe.json", 1,
       "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
       "Digest username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\", "
       "realm=\"api@example.org\", nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
       "uri=\"/doe.json\", response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\", "
       "algorithm=SHA-512-256, cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v\", "
       "opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", qop=auth, nc=00000001, userhash=true"},
      // RFC 3261 §22.4: without qop neither cnonce nor nc. Quotes and backslashes are quoted on the wire and
      // are themselves in the hash (computed by Python's hashlib).
      {"Digest realm=\"bilo\\\\xi\", nonce=\"n0\"", "bob \"b\" smith", "zanzibar", "MESSAGE",
       "sip:ana@sip.example", 7, "unused",
       "Digest username=\"bob \\\"b\\\" smith\", realm=\"bilo\\\\xi\", nonce=\"n0\", "
       "uri=\"sip:ana@sip.example\", response=\"03246d047c3a51f373ac82067a2d726f\""},
      {"Digest realm=\"bilo\\\\xi\", nonce=\"n0\", algorithm=SHA-256", "bob \"b\" smith", "zanzibar",
       "MESSAGE", "sip:ana@sip.example", 7, "unused",
       "Digest username=\"bob \\\"b\\\" smith\", realm=\"bilo\\\\xi\", nonce=\"n0\", "
       "uri=\"sip:ana@sip.example\", "
       "response=\"e5863e7076ff824fe5ce84bc6c6dad59e64604ff944ef06b6d499e4c3103e75f\", algorithm=SHA-256"},
  };
  for (const auto& e : table) {
    const auto c = answer(e);
    EXPECT_EQ(write(c), e.credentials);
    EXPECT_EQ(*parse_digest_credentials(write(c)), c);
  }
}

TEST(respond, is_what_a_server_computes_for_every_algorithm_and_qop) {
  for (const char* algorithm :
       {"MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"}) {
    for (const char* qop : {"", ", qop=\"auth\"", ", qop=\"auth-int\"", ", qop=\"auth-int,auth\""}) {
      const std::string challenge =
          "Digest realm=\"r\", nonce=\"n\", algorithm=" + std::string(algorithm) + qop;
      const auto c = answer({challenge.c_str(), "u", "p", "MESSAGE", "sip:a@b", 0xABC, "cn", ""}, "body");
      // What is on the wire is all that the server has; without qop a -sess secret still needs the cnonce.
      const auto read = parse_digest_credentials(write(c));
      ASSERT_TRUE(read) << challenge;
      EXPECT_TRUE(matches(*read, digest_secret(*read->algorithm, "u", "r", "p"), "MESSAGE", "body"))
          << challenge;
      EXPECT_EQ(matches(*read, digest_secret(*read->algorithm, "u", "r", "p"), "MESSAGE", "other"),
                read->qop != "auth-int");
      EXPECT_EQ(read->nonce_count.value_or(0), *qop == '\0' ? 0U : 0xABCU);
    }
  }
}

}  // namespace
}  // namespace stox::sip
