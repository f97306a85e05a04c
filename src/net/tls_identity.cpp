#include "net/tls_identity.hpp"

#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/openssl.hpp"

namespace stox::net {
namespace {

// Of each kind; a certificate with more is nobody's that we should know.
constexpr std::size_t most_names = 256;

constexpr const char* sip_domain_usage = "1.3.6.1.5.5.7.3.20";  // RFC 5924 §4: id-kp-sipDomain
constexpr const char* srv_name = "1.3.6.1.5.5.7.8.7";           // RFC 4985 §2: id-on-dnsSRV
constexpr const char* xmpp_address = "1.3.6.1.5.5.7.8.5";       // RFC 6120 §13.7.1.4: id-on-xmppAddr

struct names_free {
  void operator()(GENERAL_NAMES* p) const { GENERAL_NAMES_free(p); }
  void operator()(EXTENDED_KEY_USAGE* p) const { EXTENDED_KEY_USAGE_free(p); }
};

std::string text_of(const ASN1_STRING* s) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(s)),
          static_cast<std::size_t>(ASN1_STRING_length(s))};
}

bool is_type(const ASN1_OBJECT* object, std::string_view number) {
  char text[64];
  const int n = OBJ_obj2txt(text, sizeof text, object, 1);
  return n > 0 && number == text;
}

void add(std::vector<std::string>& to, const ASN1_STRING* s) {
  if (to.size() < most_names) to.push_back(text_of(s));
}

void read_other_name(const OTHERNAME& other, peer_identity& out) {
  const int type = other.value->type;
  if (type == V_ASN1_IA5STRING && is_type(other.type_id, srv_name)) {
    add(out.san_srv, other.value->value.ia5string);
  } else if (type == V_ASN1_UTF8STRING && is_type(other.type_id, xmpp_address)) {
    add(out.san_xmpp, other.value->value.utf8string);
  }
}

// RFC 6125 §1.8 calls the last one the most specific.
std::string common_name_of(const X509_NAME* subject) {
  int at = -1;
  for (int next = -1; (next = X509_NAME_get_index_by_NID(subject, NID_commonName, next)) >= 0;) at = next;
  if (at < 0) return {};
  unsigned char* utf8 = nullptr;
  const int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (n < 0) return {};
  std::string out(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(n));
  OPENSSL_free(utf8);
  return out;
}

// Seconds since 1970; 0 for a time that cannot be read.
std::int64_t end_of(const X509* certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return 0;
  return timegm(&parts);
}

/// SHA-256 in lower-case hex.
std::string hash_of(const unsigned char* der, int size) {
  static constexpr char digits[] = "0123456789abcdef";
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  if (size < 0 || EVP_Digest(der, static_cast<std::size_t>(size), hash, &n, EVP_sha256(), nullptr) != 1)
    return {};
  std::string out;
  for (unsigned i = 0; i < n; ++i) {
    out += digits[hash[i] >> 4];
    out += digits[hash[i] & 15];
  }
  return out;
}

template <class Object>
std::string hash_of(int (*write)(const Object*, unsigned char**), const Object* object) {
  unsigned char* der = nullptr;
  const int size = write(object, &der);
  auto out = hash_of(der, size);
  OPENSSL_free(der);
  return out;
}

}  // namespace

void read_names(X509* certificate, peer_identity& out) {
  const std::unique_ptr<GENERAL_NAMES, names_free> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  out.valid_until = end_of(certificate);
  out.has_san = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) >= 0;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      add(out.san_dns, name->d.dNSName);
    } else if (name->type == GEN_URI) {
      add(out.san_uri, name->d.uniformResourceIdentifier);
    } else if (name->type == GEN_OTHERNAME) {
      read_other_name(*name->d.otherName, out);
    }
  }
  out.common_name = common_name_of(X509_get_subject_name(certificate));
  out.fingerprint = hash_of(i2d_X509, certificate);
  out.spki = hash_of(i2d_X509_PUBKEY, X509_get_X509_PUBKEY(certificate));
}

bool usage_allows(X509* certificate, conn_use use, bool as_server) {
  if (X509_get_ext_by_NID(certificate, NID_ext_key_usage, -1) < 0) return true;
  const std::unique_ptr<EXTENDED_KEY_USAGE, names_free> usages(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
  for (int i = 0; usages && i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
    const auto* usage = sk_ASN1_OBJECT_value(usages.get(), i);
    const int nid = OBJ_obj2nid(usage);
    if (nid == (as_server ? NID_server_auth : NID_client_auth) || nid == NID_anyExtendedKeyUsage) return true;
    if (use == conn_use::s2s ? nid == NID_server_auth || nid == NID_client_auth
                             : is_type(usage, sip_domain_usage))
      return true;
  }
  return false;
}

peer_identity identity_of(const SSL* ssl, conn_use use) {
  peer_identity out;
  if (const char* sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) out.sni = sni;
  const unsigned char* alpn = nullptr;
  unsigned alpn_size = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &alpn_size);
  if (alpn != nullptr) out.alpn.assign(reinterpret_cast<const char*>(alpn), alpn_size);
  X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) {
    out.why_not = "it showed no certificate";
    return out;
  }
  read_names(certificate, out);
  const bool peer_is_server = SSL_is_server(ssl) == 0;
  if (const auto verified = SSL_get_verify_result(ssl); verified != X509_V_OK) {
    out.why_not = X509_verify_cert_error_string(verified);
  } else if (!usage_allows(certificate, use, peer_is_server)) {
    out.why_not = std::string("its certificate is not for TLS between ") +
                  (use == conn_use::s2s ? "XMPP servers" : "SIP domains") + " (extended key usage)";
  } else {
    out.chain_ok = true;
  }
  ERR_clear_error();
  return out;
}

}  // namespace stox::net
