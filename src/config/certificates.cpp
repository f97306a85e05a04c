#include "config/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>

#include "config/checks.hpp"
#include "config/files.hpp"
#include "config/values.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::config {

namespace {

constexpr std::size_t max_pem_bytes = 4u << 20;  // Debian's bundle of all authorities has 0.2 MB

struct openssl_free {
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(GENERAL_NAMES* p) const { GENERAL_NAMES_free(p); }
};
using bio_ptr = std::unique_ptr<BIO, openssl_free>;
using x509_ptr = std::unique_ptr<X509, openssl_free>;
using pkey_ptr = std::unique_ptr<EVP_PKEY, openssl_free>;

bio_ptr reader_of(const std::string& pem) {
  return bio_ptr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

x509_ptr first_certificate(const std::string& pem) {
  const auto bio = reader_of(pem);
  x509_ptr out(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return out;
}

pkey_ptr private_key(const std::string& pem) {
  const auto bio = reader_of(pem);
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  pkey_ptr out(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return out;
}

std::optional<wall_time> time_of(const ASN1_TIME* t) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(t, &parts) != 1) return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::string date_of(wall_time t) {
  const auto seconds = std::chrono::system_clock::to_time_t(t);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &parts)};
}

/// The file's text; "" after an error.
file_text read(findings& f, const std::string& key, std::string& path) {
  path = beside_file(path, f.file);
  auto out = read_file(path, max_pem_bytes);
  if (!out.why.empty()) {
    f.fail(key, "cannot read " + quote(path) + ": " + out.why + "; check its path and mode");
    out.text.clear();
  }
  return out;
}

/// Whether XMPP servers may find the domain in it (RFC 6120 §13.7.1.2.1). SRV-ID and xmppAddr are other
/// names, which are rare: who has one knows what it says.
bool may_prove(X509* certificate, const std::string& domain) {
  const auto name = xmpp::domain_to_ascii(domain);
  if (name && X509_check_host(certificate, name->data(), name->size(), 0, nullptr) == 1) return true;
  const std::unique_ptr<GENERAL_NAMES, openssl_free> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    if (sk_GENERAL_NAME_value(names.get(), i)->type == GEN_OTHERNAME) return true;
  }
  return false;
}

void warn_of_names(const findings& f, std::size_t number, X509* certificate,
                   std::vector<std::string>& warnings) {
  const auto& c = f.settings.tls.certificates[number];
  for (const auto& domain : served_domains(f.settings.gateway)) {
    const auto& name = domain.xmpp.empty() ? domain.sip : domain.xmpp;
    const bool ours = std::find(c.domains.begin(), c.domains.end(), name) != c.domains.end();
    if (!ours || !is_federated(f.settings, {domain.sip, name, {}}) || may_prove(certificate, name)) continue;
    warnings.push_back(f.place_of(table_key("tls.certificate", number, "domains")) + ": " + quote(c.chain) +
                       " is not for " + quote(name) +
                       "; other XMPP servers will go by dialback, or refuse it");
  }
}

void read_pair(findings& f, std::size_t number, std::vector<std::string>& warnings) {
  auto& c = f.settings.tls.certificates[number];
  const auto chain_key = table_key("tls.certificate", number, "chain");
  const auto key_key = table_key("tls.certificate", number, "key");
  if (c.chain.empty() || c.key.empty()) return;  // check() says so
  c.chain_pem = read(f, chain_key, c.chain).text;
  auto key_file = read(f, key_key, c.key);
  if (key_file.others_can_read) {
    warnings.push_back(f.place_of(key_key) + ": " + quote(c.key) +
                       " can be read by every user; chmod 640 it");
  }
  c.key_pem = redacted(std::move(key_file.text));
  if (!f.ok(chain_key) || !f.ok(key_key)) return;
  const auto certificate = first_certificate(c.chain_pem);
  const auto key = private_key(c.key_pem.reveal());
  if (!certificate) f.fail(chain_key, quote(c.chain) + " holds no certificate; write it as PEM");
  if (!key) f.fail(key_key, quote(c.key) + " holds no private key; write it as PEM, without a passphrase");
  if (!certificate || !key) return;
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    f.fail(key_key, quote(c.key) + " is not the key of the first certificate in " + quote(c.chain) +
                        "; the certificate comes first, then what leads to its authority");
  }
  ERR_clear_error();
  warn_of_names(f, number, certificate.get(), warnings);
  c.not_after = time_of(X509_get0_notAfter(certificate.get())).value_or(wall_time{});
  const auto not_before = time_of(X509_get0_notBefore(certificate.get())).value_or(wall_time{});
  const auto now = std::chrono::system_clock::now();
  if (c.not_after <= now) {
    warnings.push_back(f.place_of(chain_key) + ": " + quote(c.chain) + " has expired on " +
                       date_of(c.not_after) + "; peers will refuse it");
  } else if (now < not_before) {
    warnings.push_back(f.place_of(chain_key) + ": " + quote(c.chain) + " is valid from " +
                       date_of(not_before) + " on; peers refuse it until then");
  }
}

}  // namespace

void read_certificates(findings& f, std::vector<std::string>& warnings) {
  auto& tls = f.settings.tls;
  if (!tls.ca_file.empty() && f.ok("tls.ca_file")) {
    tls.ca_pem = read(f, "tls.ca_file", tls.ca_file).text;
    if (f.ok("tls.ca_file") && !first_certificate(tls.ca_pem))
      f.fail("tls.ca_file", quote(tls.ca_file) + " holds no certificate; write them as PEM");
  }
  for (std::size_t i = 0; i < tls.certificates.size(); ++i) read_pair(f, i, warnings);
}

}  // namespace stox::config
