#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_account.hpp"
#include "base/io.hpp"

namespace stox::xmpp {

/// The writing side of one link: gathers stanzas into few sends, knows the tokens that are out, and keeps the
/// stanzas that wait for the link, bounded in bytes.
class outbox {
 public:
  /// Sends that the rim has not taken yet grow to this before another one is begun.
  static constexpr std::size_t max_batch = std::size_t{64} * 1024;

  outbox(conn_use use, std::size_t queue_limit, byte_account& memory, io_port& io)
      : use_(use), limit_(queue_limit), memory_(memory), io_(io) {}
  ~outbox() { memory_.give(bytes_); }
  outbox(const outbox&) = delete;
  outbox& operator=(const outbox&) = delete;

  /// Writes at once, behind everything written before. The token is that of the send the bytes became part
  /// of.
  token put(conn_id conn, std::string_view bytes, bool want_token);

  /// Whether the token is one of ours and not reported yet; those of earlier connections count.
  bool owns(token t) const;
  void reported(token t);

  /// Keeps a stanza; false if there is no room.
  bool keep(std::string text);
  /// Puts stanzas that were written and lost before the server confirmed them in front of all others.
  void keep_again(std::vector<std::string> texts);
  struct written {
    std::string text;
    token tok{};
  };
  /// Writes kept stanzas: one batch, the next when the kernel took it, so that a long queue does not flood
  /// the connection.
  std::vector<written> write_some(conn_id conn);
  std::vector<written> write_all(conn_id conn);
  /// Gives out what is kept.
  std::vector<std::string> take_all();
  /// The connection is gone: what paced the queue will not be heard of.
  void unpace() { pace_ = token::none; }

  std::size_t kept() const { return queue_.size(); }
  std::size_t kept_bytes() const { return bytes_; }

 private:
  written write_front(conn_id conn);

  conn_use use_;
  std::size_t limit_;
  byte_account& memory_;
  io_port& io_;
  std::deque<token> in_flight_;  ///< ascending
  std::deque<std::string> queue_;
  std::size_t bytes_ = 0;
  token pace_ = token::none;  ///< the batch of kept stanzas that the kernel has not taken yet
};

}  // namespace stox::xmpp
