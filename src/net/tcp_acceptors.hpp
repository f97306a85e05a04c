#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "base/io.hpp"

namespace stox::net {

/// Who gets what was accepted.
class connection_taker {
 public:
  connection_taker() = default;
  connection_taker(const connection_taker&) = delete;
  connection_taker& operator=(const connection_taker&) = delete;
  virtual ~connection_taker() = default;
  /// `descriptor` is non-blocking; closing it is the taker's business.
  virtual void take(int descriptor, transport via, conn_use use) = 0;
  virtual void taken_all() = 0;  ///< the last thing that a listener's handler does
};

/// The sockets that listen.
class tcp_acceptors {
 public:
  tcp_acceptors(boost::asio::io_context& context, connection_taker& to);
  ~tcp_acceptors();
  tcp_acceptors(const tcp_acceptors&) = delete;
  tcp_acceptors& operator=(const tcp_acceptors&) = delete;

  result<socket_address> listen(transport via, conn_use use, const socket_address& at, bool v6_only);
  std::uint64_t failures() const { return failures_; }  ///< no descriptor or no memory for a connection

 private:
  struct acceptor {
    acceptor(boost::asio::io_context& context, transport t, conn_use u)
        : socket(context), pause(context), via(t), use(u) {}
    boost::asio::ip::tcp::acceptor socket;
    boost::asio::steady_timer pause;
    transport via;
    conn_use use;
  };
  void wait(acceptor& a);
  void accept_some(acceptor& a);
  void shed_one(int listener);

  boost::asio::io_context& context_;
  connection_taker& to_;
  std::vector<std::unique_ptr<acceptor>> all_;
  std::uint64_t failures_ = 0;
  int spare_;  // given up for a moment when descriptors run out, so that the waiting peer can be told so
};

}  // namespace stox::net
