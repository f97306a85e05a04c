#include "support/certificates.hpp"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace stox::test {
namespace {

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const auto n = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(n));
  BIO_free(bio);
  return out;
}

std::string pem_of(X509* certificate) {
  auto* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  return text_of(bio);
}

std::string pem_of(EVP_PKEY* key) {
  auto* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio);
}

void extend(X509* to, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  auto* made = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  ASSERT_NE(made, nullptr) << value;
  X509_add_ext(to, made, -1);
  X509_EXTENSION_free(made);
}

x509_ptr begin(const certificate_wish& wish, EVP_PKEY* key) {
  x509_ptr out(X509_new());
  X509_set_version(out.get(), X509_VERSION_3);
  std::uint32_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(out.get()), serial + 1ULL);
  X509_time_adj_ex(X509_getm_notBefore(out.get()), wish.from_day, 0, nullptr);
  X509_time_adj_ex(X509_getm_notAfter(out.get()), wish.to_day, 0, nullptr);
  X509_set_pubkey(out.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(out.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.common_name.data()),
                             static_cast<int>(wish.common_name.size()), -1, 0);
  return out;
}

}  // namespace

authority::authority(const std::string& name) : key_(EVP_EC_gen("P-256")) {
  own_ = begin({name}, key_.get());
  X509_set_issuer_name(own_.get(), X509_get_subject_name(own_.get()));
  extend(own_.get(), own_.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(own_.get(), key_.get(), EVP_sha256());
}

issued authority::issue(const certificate_wish& wish) const {
  const pkey_ptr key(EVP_EC_gen("P-256"));
  auto made = begin(wish, key.get());
  X509_set_issuer_name(made.get(), X509_get_subject_name(own_.get()));
  extend(made.get(), own_.get(), NID_subject_alt_name, wish.san);
  extend(made.get(), own_.get(), NID_ext_key_usage, wish.usage);
  X509_sign(made.get(), key_.get(), EVP_sha256());
  issued out;
  out.chain = pem_of(made.get());
  out.key = pem_of(key.get());
  out.certificate = std::move(made);
  return out;
}

std::string authority::pem() const { return pem_of(own_.get()); }

}  // namespace stox::test
