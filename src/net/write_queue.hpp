#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/io.hpp"

namespace stox::net {

/// What waits to be written on one stream: pieces in order, each with its token. `total` counts the same over
/// all queues and outlives them.
class write_queue {
 public:
  explicit write_queue(std::size_t& total) : total_(total) {}
  ~write_queue() { resize(0); }
  write_queue(const write_queue&) = delete;
  write_queue& operator=(const write_queue&) = delete;

  /// What a piece takes beside its bytes; it counts as long as the piece is there.
  static constexpr std::size_t piece_cost = sizeof(token) + sizeof(std::string);

  void push(token tok, std::string bytes);
  bool empty() const { return pieces_.empty(); }
  /// Whether there is something that may be written now.
  bool ready() const { return writable() > 0; }
  /// What is pushed from now on is not given out before release().
  void hold() { held_from_ = pieces_.size(); }
  void release() { held_from_ = none_held; }
  std::size_t size() const { return size_; }  ///< bytes to write, and piece_cost for each piece

  /// The front of the queue without copying it; how many of `parts` were filled.
  std::size_t parts(std::span<iovec> parts) const;
  /// The front of the queue as one stretch of bytes: where it is, or copied together into `room`. Called
  /// again it is the same and perhaps longer.
  std::string_view front(std::span<char> room) const;
  /// So many bytes of the front are written; `whole` hears the tokens of the pieces that were completed.
  template <class F>
  void taken(std::size_t n, F&& whole) {
    resize(size_ - n);
    while (ready()) {
      const std::size_t rest = pieces_.front().bytes.size() - head_;
      if (n < rest) {
        head_ += n;
        return;
      }
      n -= rest;
      head_ = 0;
      const auto tok = pieces_.front().tok;
      pieces_.pop_front();
      if (held_from_ != none_held) --held_from_;
      resize(size_ - piece_cost);
      if (tok != token::none) whole(tok);
    }
  }
  /// Empties the queue; `each` hears the tokens of all that was in it.
  template <class F>
  void drop(F&& each) {
    for (const auto& p : pieces_) {
      if (p.tok != token::none) each(p.tok);
    }
    pieces_.clear();
    head_ = 0;
    release();
    resize(0);
  }
  /// Likewise of what is held alone; from then on nothing is.
  template <class F>
  void drop_held(F&& each) {
    const auto from = pieces_.begin() + static_cast<std::ptrdiff_t>(writable());
    std::size_t bytes = 0;
    for (auto p = from; p != pieces_.end(); ++p) {
      bytes += p->bytes.size() + piece_cost;
      if (p->tok != token::none) each(p->tok);
    }
    pieces_.erase(from, pieces_.end());
    release();
    resize(size_ - bytes);
  }

 private:
  struct piece {
    token tok{};
    std::string bytes;
  };
  static constexpr std::size_t none_held = SIZE_MAX;
  std::size_t writable() const { return std::min(held_from_, pieces_.size()); }
  void resize(std::size_t n) {
    total_ = total_ - size_ + n;
    size_ = n;
  }

  std::size_t& total_;
  std::size_t size_ = 0;
  std::deque<piece> pieces_;
  std::size_t head_ = 0;  ///< bytes of the first piece that are written
  std::size_t held_from_ = none_held;
};

}  // namespace stox::net
