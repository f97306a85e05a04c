#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

/// Certificates made at test time.
namespace stox::test {

struct openssl_free {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};
using x509_ptr = std::unique_ptr<X509, openssl_free>;
using pkey_ptr = std::unique_ptr<EVP_PKEY, openssl_free>;

/// What a certificate is to say; SAN and usage as OpenSSL writes them, empty: no such extension.
struct certificate_wish {
  std::string common_name = "test";
  std::string san = {};    ///< "DNS:sip.example,URI:sip:sip.example"
  std::string usage = {};  ///< "serverAuth,clientAuth"
  int from_day = -1, to_day = 30;
};

struct issued {
  std::string chain, key;  ///< PEM
  x509_ptr certificate;
};

/// A root of its own.
class authority {
 public:
  explicit authority(const std::string& name = "test root");
  issued issue(const certificate_wish& wish) const;
  std::string pem() const;

 private:
  pkey_ptr key_;
  x509_ptr own_;
};

}  // namespace stox::test
