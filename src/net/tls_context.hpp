#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "net/openssl.hpp"
#include "settings/settings.hpp"

namespace stox::net {

/// XEP-0368 §7: the protocol identifier of server-to-server streams.
inline constexpr const char* xmpp_server_protocol = "xmpp-server";

/// Our certificates, the authorities that we believe and the rules of every TLS connection. Never changes: a
/// reload makes another one, and connections that are open keep theirs.
class tls_context {
 public:
  /// `served`: our domains. The certificate of one of them is shown to clients that name no domain. Domains
  /// may be in A-labels or in U-labels.
  static result<std::shared_ptr<const tls_context>> make(const settings::tls& tls,
                                                         const std::vector<std::string>& served);

  /// The server's end. The certificate is chosen by the name that the client asks for, else by `own_name`.
  /// `protocol`: what a client that asks for any by ALPN has to ask for; without it none is agreed on.
  ssl_ptr server(std::string_view own_name = {}, const char* protocol = nullptr) const;
  /// The client's end: asks for `server_name` if it is one and for `protocol` by ALPN, and shows the
  /// certificate for `own_name`, else the one for `server_name`, else the first. Both are A-labels.
  ssl_ptr client(const std::string& server_name, std::string_view own_name,
                 std::string_view protocol = {}) const;

  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;

 private:
  struct credential {
    std::vector<std::string> domains;  ///< in A-labels
    x509_ptr certificate;
    x509_stack chain;  ///< what leads from it to an authority
    pkey_ptr key;
  };
  tls_context() = default;
  result<> trust(const settings::tls& tls);
  result<> add(const settings::certificate& c);
  const credential* find(std::string_view domain) const;
  static bool show(SSL* ssl, const credential& c);
  static int on_certificate(SSL* ssl, void* self);
  static int on_protocols(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size,
                          const unsigned char* offered, unsigned offered_size, void*);

  ssl_ctx_ptr context_;
  std::vector<credential> credentials_;
  std::size_t fallback_ = 0;
};

}  // namespace stox::net
