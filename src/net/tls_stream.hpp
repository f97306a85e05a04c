#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/io.hpp"
#include "base/peer_identity.hpp"
#include "net/tls_context.hpp"

namespace stox::net {

/// Why a handshake came to nothing.
enum class tls_failure : std::uint8_t {
  timed_out,        ///< it took too long
  crowded,          ///< too many others were under way, and this one had to go (handshake_places)
  network_crowded,  ///< likewise, too many of its network
  peer_gone,        ///< the peer ended the connection
  not_tls,          ///< what the peer sent is no TLS
  no_match,         ///< no version, cipher, signature or application protocol that both have
  peer_alert,       ///< the peer refused, with an alert
  other,
};
inline constexpr std::size_t tls_failure_count = 8;
std::string_view to_string(tls_failure f);

/// One end of a TLS connection over a non-blocking socket that somebody else owns and waits for.
class tls_stream {
 public:
  enum class outcome : std::uint8_t {
    done,
    want_read,   ///< to be called again once the socket can be read
    want_write,  ///< once it can be written; reading may want that too, and writing the other
    ended,       ///< the peer ends its side
    failed,      ///< see failure() and words(); nothing more can be done with it
  };
  struct step {
    outcome what{};
    std::size_t bytes = 0;
  };

  /// The context is kept as long as the stream: it chooses the certificate in mid-handshake.
  tls_stream(std::shared_ptr<const tls_context> context, ssl_ptr ssl, int socket);

  step handshake();
  step read(std::span<char> into);
  /// At most one record's worth is taken; after want_write the same bytes must come again, more may follow.
  step write(std::string_view bytes);
  /// Says close_notify, once and without waiting, unless the stream is broken.
  void end();

  /// Whether bytes were taken from the socket that read() has not given out.
  bool has_pending() const { return SSL_has_pending(ssl_.get()) == 1; }
  peer_identity identity(conn_use use) const;
  tls_failure failure() const { return failure_; }
  const std::string& words() const { return words_; }

 private:
  struct end_point {
    int socket = -1;
    bool at_end = false;
  };
  static const BIO_METHOD* method();
  step judge(int returned);
  void note_failure(int code);

  std::shared_ptr<const tls_context> context_;
  std::unique_ptr<end_point> point_;  ///< the BIO's
  ssl_ptr ssl_;
  bool broken_ = false;
  tls_failure failure_ = tls_failure::other;
  std::string words_;
};

}  // namespace stox::net
