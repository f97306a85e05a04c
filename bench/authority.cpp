#include "authority.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <utility>

#include "child.hpp"

namespace bench {
namespace {

struct freeing {
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(std::FILE* p) const { std::fclose(p); }
};
using x509 = std::unique_ptr<X509, freeing>;
using pkey = std::unique_ptr<EVP_PKEY, freeing>;
using open_file = std::unique_ptr<std::FILE, freeing>;

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  if (extension == nullptr || X509_add_ext(certificate, extension, -1) != 1) die("no extension " + value);
  X509_EXTENSION_free(extension);
}

x509 certificate(const std::string& name, EVP_PKEY* key, long serial) {
  x509 made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 86'400);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(made.get(), key);
  return made;
}

void write_certificate(const std::string& path, X509* certificate) {
  const open_file f(std::fopen(path.c_str(), "w"));
  if (!f || PEM_write_X509(f.get(), certificate) != 1) die("cannot write " + path);
}

}  // namespace

struct authority::keys {
  pkey key;
  x509 own;
};

authority::authority(std::string folder) : folder_(std::move(folder)), keys_(std::make_unique<keys>()) {
  keys_->key.reset(EVP_EC_gen("P-256"));
  keys_->own = certificate("bench root", keys_->key.get(), serial_);
  auto* own = keys_->own.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  extend(own, own, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(own, keys_->key.get(), EVP_sha256());
  write_certificate(file(), own);
}

authority::~authority() = default;

identity authority::issue(const std::string& domain) {
  const pkey key(EVP_EC_gen("P-256"));
  const auto made = certificate(domain, key.get(), ++serial_);
  X509_set_issuer_name(made.get(), X509_get_subject_name(keys_->own.get()));
  extend(made.get(), keys_->own.get(), NID_subject_alt_name, "DNS:" + domain);
  extend(made.get(), keys_->own.get(), NID_ext_key_usage, "serverAuth,clientAuth");
  X509_sign(made.get(), keys_->key.get(), EVP_sha256());
  const identity out{folder_ + domain + ".pem", folder_ + domain + ".key"};
  write_certificate(out.chain, made.get());
  const open_file f(std::fopen(out.key.c_str(), "w"));
  if (!f || PEM_write_PrivateKey(f.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    die("cannot write " + out.key);
  return out;
}

}  // namespace bench
