#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

/// OpenSSL's objects with an owner each; private to the tls_* files of this room.
namespace stox::net {

struct openssl_free {
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(SSL* p) const { SSL_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(STACK_OF(X509) * p) const { sk_X509_pop_free(p, X509_free); }
};
using ssl_ctx_ptr = std::unique_ptr<SSL_CTX, openssl_free>;
using ssl_ptr = std::unique_ptr<SSL, openssl_free>;
using x509_ptr = std::unique_ptr<X509, openssl_free>;
using pkey_ptr = std::unique_ptr<EVP_PKEY, openssl_free>;
using bio_ptr = std::unique_ptr<BIO, openssl_free>;
using x509_stack = std::unique_ptr<STACK_OF(X509), openssl_free>;

/// The oldest error of this thread's queue in OpenSSL's words, and the queue is empty: what is left there
/// would be taken for the error of the next call, on another connection.
inline std::string take_openssl_error() {
  const auto code = ERR_peek_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const char* words = ERR_reason_error_string(code);
  return words == nullptr ? "error " + std::to_string(ERR_GET_REASON(code)) : words;
}

}  // namespace stox::net
