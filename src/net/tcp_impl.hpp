#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/handshake_places.hpp"
#include "net/tcp.hpp"
#include "net/tcp_acceptors.hpp"
#include "net/tcp_connection.hpp"

namespace stox::net {

/// The inside of tcp_ports, private to tcp.cpp (how connections begin and end) and tcp_transfer.cpp (what
/// they do while they live).
///
/// Handlers carry the connection's id, never its address: whoever closes a connection need not wait for its
/// handlers.
struct tcp_ports::impl final : connection_taker {
  /// One turn of a connection, and a small one: each stanza may set off a request whose answer comes by UDP,
  /// and while one connection is read on and on, those answers overflow the socket's buffer.
  static constexpr std::size_t read_bytes = 16 * 1024;
  static constexpr std::size_t record_bytes = 16 * 1024;  ///< what one TLS record takes

  impl(reactor& loop, rim_numbers& n, event_sink& s, tcp_limits l)
      : context(loop.context()),
        numbers(n),
        sink(s),
        limits(l),
        resolver(context),
        acceptors(context, *this) {}

  tcp_connection* find(conn_id id) {
    const auto it = connections.find(id);
    return it == connections.end() ? nullptr : it->second.get();
  }
  tcp_connection& add(conn_id id, conn_use use, transport via, boost::asio::ip::tcp::socket socket) {
    return *(connections[id] =
                 std::make_unique<tcp_connection>(id, use, via, std::move(socket), total_queued[use]));
  }
  void set_limit(tcp_connection& c, duration d);
  void on_limit(conn_id id);

  void resolve(conn_id id, const std::string& host, std::uint16_t port);
  void connect_next(tcp_connection& c, io::fail last);
  void on_connect(conn_id id, const boost::system::error_code& ec);
  void take(int descriptor, transport via, conn_use use) override;
  void taken_all() override { sink.on_batch_end(); }

  void begin_securing(tcp_connection& c);
  ssl_ptr new_session(const tcp_connection& c) const;
  void secure(tcp_connection& c);
  void fail_securing(tcp_connection& c, tls_failure why, const std::string& words);
  void bound_securing(const tcp_connection& newcomer);
  void announce(tcp_connection& c);

  void wait_readable(tcp_connection& c);
  void on_readable(conn_id id);
  void read_some(tcp_connection& c);
  void wait_writable(tcp_connection& c);
  void on_writable(conn_id id);
  void write_out(tcp_connection& c);
  void mark_dirty(tcp_connection& c);

  void finish(tcp_connection& c, io::fail why, std::string detail = {});
  void begin_linger(tcp_connection& c);
  void forget(tcp_connection& c);
  void bound_lingering();
  /// Of an accepted connection that the core is about to know.
  bool has_place(conn_use use) {
    if (accepted_now[use] < limits.max_accepted[use]) return true;
    ++counts.refused_full[use];
    return false;
  }
  void fail(token tok, io::fail why) {
    if (tok != token::none) sink.on_event(io::send_failed{tok, why});
  }

  boost::asio::io_context& context;
  rim_numbers& numbers;
  event_sink& sink;
  tcp_limits limits;
  tcp_counters counts;
  boost::asio::ip::tcp::resolver resolver;
  unsigned lookups = 0;
  tcp_acceptors acceptors;
  std::shared_ptr<const tls_context> tls;
  handshake_watcher watcher;
  by_use<std::size_t> total_queued;  // so that servers that do not read cost SIP nothing
  std::unordered_map<conn_id, std::unique_ptr<tcp_connection>> connections;
  std::vector<conn_id> dirty;
  by_use<unsigned> accepted_now;  // of those that were announced; those that linger do not count
  unsigned lingering_now = 0;
  std::deque<conn_id> lingering;  // in order, with some that are gone
  handshake_places securing;      // of those that were accepted
  prefix_set trusted;
  std::array<char, read_bytes> buffer;
  std::array<char, record_bytes> record;
};

}  // namespace stox::net
