#include "net/tls_context.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "base/net_address.hpp"
#include "base/text.hpp"
#include "net/errc.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::net {
namespace {

// What a peer may make us hold and compute: a chain of a few certificates, each of a few kilobytes.
constexpr long most_certificate_bytes = 32 * 1024;
constexpr int most_chain_depth = 8;

bio_ptr reader_of(std::string_view pem) {
  return bio_ptr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

x509_stack read_certificates(std::string_view pem) {
  x509_stack out(sk_X509_new_null());
  const auto bio = reader_of(pem);
  while (auto* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) sk_X509_push(out.get(), one);
  ERR_clear_error();  // "no more PEM"
  return out;
}

// Whether the peer is who it should be is judged after the handshake, by the core: so its reasons can be told
// apart, and a client without a certificate is still answered.
int go_on(int, X509_STORE_CTX*) { return 1; }

void set_rules(SSL_CTX* context, settings::tls_version least) {
  SSL_CTX_set_min_proto_version(context,
                                least == settings::tls_version::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  // No resumption: connections live long, and each new one is judged by the certificates as they are then.
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);  // a record in one call of the kernel instead of two
  SSL_CTX_set_max_cert_list(context, most_certificate_bytes);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, go_on);
  SSL_CTX_set_verify_depth(context, most_chain_depth);
  // The extended key usage is ours to look at: OpenSSL does not know the one for SIP domains.
  X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(context), X509_PURPOSE_ANY);
}

// RFC 6066 §3: the names that clients ask for are A-labels. One that has none is never asked for.
std::vector<std::string> a_labels(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  out.reserve(names.size());
  for (const auto& name : names) {
    auto converted = xmpp::domain_to_ascii(name);
    if (converted) out.push_back(std::move(*converted));
  }
  return out;
}

error tls_error(std::string what) { return {errc::tls, std::move(what)}; }

}  // namespace

result<std::shared_ptr<const tls_context>> tls_context::make(const settings::tls& tls,
                                                             const std::vector<std::string>& served) {
  ERR_clear_error();
  const std::shared_ptr<tls_context> out(new tls_context);
  out->context_.reset(SSL_CTX_new(TLS_method()));
  if (!out->context_) return tls_error(take_openssl_error());
  set_rules(out->context_.get(), tls.min_version);
  if (auto ok = out->trust(tls); !ok) return ok.error();
  for (const auto& c : tls.certificates) {
    if (auto ok = out->add(c); !ok) return ok.error();
  }
  const auto own = a_labels(served);
  for (std::size_t i = out->credentials_.size(); i-- > 0;) {
    const auto& names = out->credentials_[i].domains;
    const auto is_served = [&](const auto& d) { return std::find(own.begin(), own.end(), d) != own.end(); };
    if (std::any_of(names.begin(), names.end(), is_served)) out->fallback_ = i;
  }
  SSL_CTX_set_cert_cb(out->context_.get(), on_certificate, out.get());
  SSL_CTX_set_alpn_select_cb(out->context_.get(), on_protocols, nullptr);
  return std::shared_ptr<const tls_context>(out);
}

result<> tls_context::trust(const settings::tls& tls) {
  if (tls.ca_pem.empty()) {
    SSL_CTX_set_default_verify_paths(context_.get());
    ERR_clear_error();  // a system without authorities believes nobody
    return {};
  }
  const auto all = read_certificates(tls.ca_pem);
  auto* store = SSL_CTX_get_cert_store(context_.get());
  for (int i = 0; i < sk_X509_num(all.get()); ++i) X509_STORE_add_cert(store, sk_X509_value(all.get(), i));
  ERR_clear_error();
  if (sk_X509_num(all.get()) == 0) return tls_error(tls.ca_file + " holds no certificate");
  return {};
}

result<> tls_context::add(const settings::certificate& c) {
  credential out;
  out.domains = a_labels(c.domains);
  out.chain = read_certificates(c.chain_pem);
  out.certificate.reset(sk_X509_shift(out.chain.get()));
  const auto bio = reader_of(c.key_pem.reveal());
  // A key under a passphrase is refused; without the callback OpenSSL would ask on the terminal.
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  out.key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!out.certificate) return tls_error(c.chain + " holds no certificate");
  if (!out.key) return tls_error(c.key + ": " + take_openssl_error());
  if (X509_check_private_key(out.certificate.get(), out.key.get()) != 1) {
    return tls_error(c.key + " does not fit " + c.chain + ": " + take_openssl_error());
  }
  credentials_.push_back(std::move(out));
  return {};
}

const tls_context::credential* tls_context::find(std::string_view domain) const {
  for (const auto& c : credentials_) {
    const auto same = [&](const auto& d) { return text::iequals(d, domain); };
    if (std::any_of(c.domains.begin(), c.domains.end(), same)) return &c;
  }
  return nullptr;
}

bool tls_context::show(SSL* ssl, const credential& c) {
  return SSL_use_cert_and_key(ssl, c.certificate.get(), c.key.get(), c.chain.get(), 1) == 1;
}

int tls_context::on_certificate(SSL* ssl, void* self) {
  if (SSL_is_server(ssl) == 0) return 1;  // a client's stands already
  const auto& own = *static_cast<const tls_context*>(self);
  const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const auto* c = asked == nullptr ? nullptr : own.find(asked);
  if (c == nullptr && SSL_get_certificate(ssl) != nullptr) return 1;  // the one for server()'s own_name
  if (c == nullptr && !own.credentials_.empty()) c = &own.credentials_[own.fallback_];
  return c != nullptr && show(ssl, *c) ? 1 : 0;
}

int tls_context::on_protocols(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size,
                              const unsigned char* offered, unsigned offered_size, void*) {
  const auto* protocol = static_cast<const char*>(SSL_get_app_data(ssl));
  if (protocol == nullptr) return SSL_TLSEXT_ERR_NOACK;
  for (unsigned at = 0; at < offered_size; at += 1U + offered[at]) {
    if (std::string_view(reinterpret_cast<const char*>(offered) + at + 1, offered[at]) != protocol) continue;
    *chosen = offered + at + 1;
    *chosen_size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 §3.2: no_application_protocol
}

ssl_ptr tls_context::server(std::string_view own_name, const char* protocol) const {
  ssl_ptr out(SSL_new(context_.get()));
  if (!out) return out;
  SSL_set_accept_state(out.get());
  SSL_set_app_data(out.get(), const_cast<char*>(protocol));
  if (const auto* c = find(own_name)) show(out.get(), *c);
  return out;
}

ssl_ptr tls_context::client(const std::string& server_name, std::string_view own_name,
                            std::string_view protocol) const {
  ssl_ptr out(SSL_new(context_.get()));
  if (!out) return out;
  SSL_set_connect_state(out.get());
  // RFC 6066 §3: no literal addresses.
  if (!server_name.empty() && !ip_address::parse(server_name)) {
    SSL_set_tlsext_host_name(out.get(), server_name.c_str());
  }
  if (!protocol.empty()) {
    const auto list = static_cast<char>(protocol.size()) + std::string(protocol);  // RFC 7301 §3.1
    SSL_set_alpn_protos(out.get(), reinterpret_cast<const unsigned char*>(list.data()),
                        static_cast<unsigned>(list.size()));
  }
  const auto* c = find(own_name);
  // Who speaks for a name shows that one's certificate: another tenant's would prove nothing, and tell of
  // him.
  if (c == nullptr && own_name.empty()) c = find(server_name);
  if (c == nullptr && own_name.empty() && !credentials_.empty()) c = &credentials_.front();
  if (c != nullptr) show(out.get(), *c);
  return out;
}

}  // namespace stox::net
