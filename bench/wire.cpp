#include "wire.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "child.hpp"

namespace bench {

wire::wire(int fd) : fd_(fd) {
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
}

std::unique_ptr<wire> wire::dial(std::uint16_t port, const identity& own, const char* server_name) {
  const int fd = tcp_connection(port);
  if (fd < 0) return nullptr;
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_use_certificate_chain_file(context, own.chain.c_str());
  SSL_CTX_use_PrivateKey_file(context, own.key.c_str(), SSL_FILETYPE_PEM);
  // What flush() has not written may stand elsewhere when it is tried again.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL* tls = SSL_new(context);
  SSL_CTX_free(context);
  SSL_set_tlsext_host_name(tls, server_name);
  static constexpr unsigned char protocol[] = "\x0bxmpp-server";
  SSL_set_alpn_protos(tls, protocol, sizeof protocol - 1);
  SSL_set_fd(tls, fd);
  if (SSL_connect(tls) != 1) die("the TLS handshake with stoxd failed");
  auto made = std::make_unique<wire>(fd);
  made->tls_ = tls;
  return made;
}

wire::~wire() {
  SSL_free(tls_);
  ::close(fd_);
}

std::size_t wire::read(std::span<char> to) {
  return moved(tls_ ? SSL_read(tls_, to.data(), static_cast<int>(to.size()))
                    : ::recv(fd_, to.data(), to.size(), 0));
}

std::size_t wire::write(std::string_view bytes) {
  return moved(tls_ ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                    : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

std::size_t wire::moved(std::int64_t result) {
  if (result > 0) return static_cast<std::size_t>(result);
  const int why = tls_ ? SSL_get_error(tls_, static_cast<int>(result)) : SSL_ERROR_NONE;
  const bool later =
      tls_ ? why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE : result < 0 && errno == EAGAIN;
  if (!later) die("the connection with stoxd was closed");
  errno = 0;
  return 0;
}

}  // namespace bench
