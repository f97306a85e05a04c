#include "net/tls_stream.hpp"

#include <openssl/sslerr.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/tls_identity.hpp"

namespace stox::net {
namespace {

constexpr std::size_t record_bytes = 16 * 1024;  // RFC 8446 §5.1

bool would_block(int number) { return number == EAGAIN || number == EWOULDBLOCK || number == EINTR; }

tls_failure failure_of(unsigned long code) {
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return tls_failure::other;
  const int reason = ERR_GET_REASON(code);
  if (reason >= SSL_AD_REASON_OFFSET) return tls_failure::peer_alert;
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_UNEXPECTED_MESSAGE:
    case SSL_R_LENGTH_MISMATCH:
    case SSL_R_BAD_LENGTH:
    case SSL_R_BAD_RECORD_TYPE: return tls_failure::not_tls;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE: return tls_failure::no_match;
    default: return tls_failure::other;
  }
}

}  // namespace

std::string_view to_string(tls_failure f) {
  switch (f) {
    case tls_failure::timed_out: return "timed_out";
    case tls_failure::crowded: return "crowded";
    case tls_failure::network_crowded: return "network_crowded";
    case tls_failure::peer_gone: return "peer_gone";
    case tls_failure::not_tls: return "not_tls";
    case tls_failure::no_match: return "no_match";
    case tls_failure::peer_alert: return "peer_alert";
    case tls_failure::other: return "other";
  }
  return "?";
}

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL.
const BIO_METHOD* tls_stream::method() {
  static BIO_METHOD* const made = [] {
    auto* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stox socket");
    BIO_meth_set_read(m, [](BIO* b, char* into, int size) {
      auto& point = *static_cast<end_point*>(BIO_get_data(b));
      BIO_clear_retry_flags(b);
      const auto n = recv(point.socket, into, static_cast<std::size_t>(size), MSG_DONTWAIT);
      if (n < 0 && would_block(errno)) BIO_set_retry_read(b);
      point.at_end = n == 0;
      return static_cast<int>(n);
    });
    BIO_meth_set_write(m, [](BIO* b, const char* from, int size) {
      auto& point = *static_cast<end_point*>(BIO_get_data(b));
      BIO_clear_retry_flags(b);
      const auto n = send(point.socket, from, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && would_block(errno)) BIO_set_retry_write(b);
      return static_cast<int>(n);
    });
    BIO_meth_set_ctrl(m, [](BIO* b, int command, long, void*) -> long {
      if (command == BIO_CTRL_EOF) return static_cast<end_point*>(BIO_get_data(b))->at_end ? 1 : 0;
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
    return m;
  }();
  return made;
}

tls_stream::tls_stream(std::shared_ptr<const tls_context> context, ssl_ptr ssl, int socket)
    : context_(std::move(context)),
      point_(std::make_unique<end_point>(end_point{socket, false})),
      ssl_(std::move(ssl)) {
  auto* bio = BIO_new(method());
  BIO_set_data(bio, point_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

tls_stream::step tls_stream::judge(int returned) {
  if (returned > 0) return {outcome::done, static_cast<std::size_t>(returned)};
  const int code = SSL_get_error(ssl_.get(), returned);
  switch (code) {
    case SSL_ERROR_WANT_READ: return {outcome::want_read};
    case SSL_ERROR_WANT_WRITE: return {outcome::want_write};
    case SSL_ERROR_ZERO_RETURN:
      failure_ = tls_failure::peer_gone;
      words_ = "the peer ended the connection";
      return {outcome::ended};
    default: note_failure(code); return {outcome::failed};
  }
}

void tls_stream::note_failure(int code) {
  broken_ = true;
  const auto oldest = ERR_peek_error();
  if (code == SSL_ERROR_SYSCALL && oldest == 0) {
    failure_ = tls_failure::peer_gone;
    words_ = errno == 0 ? "the peer ended the connection" : std::strerror(errno);
    return;
  }
  failure_ = failure_of(oldest);
  words_ = take_openssl_error();
}

tls_stream::step tls_stream::handshake() {
  ERR_clear_error();
  errno = 0;
  return judge(SSL_do_handshake(ssl_.get()));
}

tls_stream::step tls_stream::read(std::span<char> into) {
  ERR_clear_error();
  errno = 0;
  return judge(SSL_read(ssl_.get(), into.data(), static_cast<int>(into.size())));
}

tls_stream::step tls_stream::write(std::string_view bytes) {
  ERR_clear_error();
  errno = 0;
  return judge(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min(bytes.size(), record_bytes))));
}

void tls_stream::end() {
  if (broken_ || SSL_is_init_finished(ssl_.get()) == 0) return;
  SSL_shutdown(ssl_.get());
  broken_ = true;
  ERR_clear_error();
}

peer_identity tls_stream::identity(conn_use use) const { return identity_of(ssl_.get(), use); }

}  // namespace stox::net
