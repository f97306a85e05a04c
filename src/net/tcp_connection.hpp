#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/io.hpp"
#include "net/tls_stream.hpp"
#include "net/write_queue.hpp"

namespace stox::net {

/// One connection of tcp_ports, private to it.
struct tcp_connection {
  enum class state : std::uint8_t {
    resolving,   ///< the name's addresses are looked up
    connecting,  ///< one of them is tried
    securing,    ///< the TLS handshake
    open,
    clearing,   ///< start_tls was asked for: what is queued before it leaves, nothing is read
    flushing,   ///< close was asked: what is queued leaves
    lingering,  ///< closed for the core; our FIN is out and the peer's is awaited, lest a reset destroys what
                ///< it has not read yet
  };

  tcp_connection(conn_id i, conn_use u, transport t, boost::asio::ip::tcp::socket s,
                 std::size_t& total_queued)
      : id(i), use(u), via(t), socket(std::move(s)), limit(socket.get_executor()), queue(total_queued) {}

  /// What is there to read; `ended`: the peer's end.
  tls_stream::step read(std::span<char> into);
  /// Writes the front of the queue, over TLS as one record gathered in `room`; the step's bytes are not taken
  /// off yet.
  tls_stream::step write(std::span<char> room);
  /// Our side ends: nothing more is written.
  void end_writing();

  /// Whether the peer has ended or broken what we do not read at the moment, and left nothing unread; how.
  std::optional<io::fail> gone();

  conn_id id;
  conn_use use;
  transport via;  ///< how it began
  boost::asio::ip::tcp::socket socket;
  boost::asio::steady_timer limit;
  state now = state::resolving;
  bool accepted = false;
  bool announced = false;  ///< the core knows it, and is to hear its end
  bool blocked = false;
  bool dirty = false;      ///< named in the list of those to flush
  bool waiting_readable = false, waiting_writable = false;
  bool reads_when_writable = false, writes_when_readable = false;  ///< TLS has its own order
  socket_address local, peer;
  std::vector<socket_address> candidates;
  std::size_t next_candidate = 0;
  std::string server_name, own_name, alpn;  ///< of io::open or io::start_tls
  std::unique_ptr<tls_stream> tls;
  write_queue queue;
};

}  // namespace stox::net
