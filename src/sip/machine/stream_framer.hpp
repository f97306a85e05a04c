#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sip/wire/message.hpp"

namespace stox::sip {

/// One thing found on a stream. `text` is valid until the framer is used again.
struct frame {
  enum class kind : std::uint8_t {
    none,    ///< more bytes are needed
    whole,   ///< `text` is one message
    ping,    ///< CRLFCRLF between messages: RFC 5626 §3.5.1 wants a CRLF for it
    broken,  ///< `text` cannot be cut into messages any more: nothing behind it can be read
  };
  kind what = kind::none;
  std::string_view text;
};

/// Cuts a stream into messages (RFC 3261 §18.3). Bytes are only copied while a message is incomplete, and are
/// looked at a bounded number of times however small the pieces are in which they come. Holds at most one
/// message of the limits and one read.
class stream_framer {
 public:
  /// Begins a read: `bytes` must stay valid until `stash`.
  void feed(std::string_view bytes);
  /// The next frame; call until none or broken.
  frame next(const parse_limits& limits);
  /// Ends a read: keeps what is left of it.
  void stash();

  /// Whether a message was begun and is not whole (after stash).
  bool incomplete() const { return !buffer_.empty(); }
  std::size_t held() const { return buffer_.capacity(); }

 private:
  bool skip_line_ends();
  bool head_seen();

  std::string buffer_;      ///< what earlier reads left
  std::string_view input_;  ///< what this read works on: buffer_ or the caller's bytes
  std::size_t position_ = 0;
  std::size_t scanned_ = 0;    ///< from position_: no empty line begins in these bytes
  std::size_t expected_ = 0;   ///< from position_: what the message takes; 0: its head is not whole
  bool one_line_end_ = false;  ///< a CRLF came since the last message or ping
};

}  // namespace stox::sip
