#include "sip/machine/stream_framer.hpp"

#include <algorithm>

namespace stox::sip {

void stream_framer::feed(std::string_view bytes) {
  position_ = 0;
  if (buffer_.empty()) {
    input_ = bytes;
    return;
  }
  buffer_ += bytes;
  input_ = buffer_;
}

/// Takes CRLFs off the front; true when two of them make a ping.
bool stream_framer::skip_line_ends() {
  while (input_.substr(position_, 2) == "\r\n") {
    position_ += 2;
    if (one_line_end_) {
      one_line_end_ = false;
      return true;
    }
    one_line_end_ = true;
  }
  return false;
}

/// Whether the empty line that ends the front message's head is there; looks at each byte once.
bool stream_framer::head_seen() {
  constexpr std::string_view end = "\r\n\r\n";
  const std::string_view rest = input_.substr(position_);
  if (rest.find(end, scanned_) != std::string_view::npos) return true;
  // The last three may be the beginning of it.
  scanned_ = rest.size() - std::min(rest.size(), end.size() - 1);
  return false;
}

frame stream_framer::next(const parse_limits& limits) {
  if (scanned_ == 0 && expected_ == 0 && skip_line_ends()) return {frame::kind::ping, {}};
  const std::string_view rest = input_.substr(position_);
  if (rest.empty() || rest == "\r") return {};
  if (expected_ == 0) {
    // The head is read once, when it is whole: a peer may send what follows in ever so small pieces.
    if (!head_seen() && rest.size() <= limits.max_header_bytes) return {};
    const auto length = announced_length(rest, limits);
    if (!length || *length == 0) return {frame::kind::broken, rest};
    expected_ = *length;
  }
  if (rest.size() < expected_) return {};
  const auto whole = rest.substr(0, expected_);
  position_ += expected_;
  scanned_ = 0;
  expected_ = 0;
  one_line_end_ = false;
  return {frame::kind::whole, whole};
}

void stream_framer::stash() {
  if (position_ >= input_.size()) {
    buffer_ = {};
  } else if (buffer_.empty()) {
    buffer_.assign(input_.substr(position_));
  } else {
    buffer_.erase(0, position_);
  }
  input_ = {};
  position_ = 0;
}

}  // namespace stox::sip
