#include "sip/machine/stream_framer.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace stox::sip {

namespace {

/// The length of the message whose head is `head`, as its Content-Length says; 0 when that cannot be told.
/// Only a hint when to look again: frame_stream decides.
std::size_t announced_length(std::string_view head) {
  std::size_t at = 0;
  while (at < head.size()) {
    const std::size_t end = std::min(head.find('\n', at), head.size());
    const std::string_view line = head.substr(at, end - at);
    at = end + 1;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (parse_header_name(text::trim(line.substr(0, colon))) != header::content_length) continue;
    const auto length = text::to_number(text::trim(line.substr(colon + 1)), UINT32_MAX);
    return length ? head.size() + static_cast<std::size_t>(*length) : 0;
  }
  return 0;
}

}  // namespace

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

/// Whether the front message's head is whole; looks at each byte once.
bool stream_framer::head_seen() {
  if (expected_ != 0) return true;
  const std::string_view rest = input_.substr(position_);
  std::size_t at = scanned_;
  for (;;) {
    at = rest.find('\n', at);
    if (at == std::string_view::npos) {
      scanned_ = rest.size();
      return false;
    }
    std::size_t next = at + 1;
    if (next < rest.size() && rest[next] == '\r') ++next;
    if (next >= rest.size()) {
      scanned_ = at;  // the line after this one is not here yet
      return false;
    }
    if (rest[next] == '\n') {
      expected_ = std::max(next + 1, announced_length(rest.substr(0, next + 1)));
      return true;
    }
    at = next;
  }
}

frame stream_framer::next(const parse_limits& limits) {
  if (scanned_ == 0 && expected_ == 0 && skip_line_ends()) return {frame::kind::ping, {}};
  const std::string_view rest = input_.substr(position_);
  if (rest.empty() || rest == "\r") return {};
  if (!head_seen()) {
    if (rest.size() <= limits.max_header_bytes) return {};
    return {frame::kind::broken, rest};
  }
  if (rest.size() < expected_ && expected_ <= limits.max_header_bytes + limits.max_body_bytes) return {};
  const auto length = frame_stream(rest, limits);
  if (!length) return {frame::kind::broken, rest};
  if (*length == 0) return {};
  position_ += *length;
  scanned_ = 0;
  expected_ = 0;
  one_line_end_ = false;
  return {frame::kind::whole, rest.substr(0, *length)};
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
