#include "net/write_queue.hpp"

#include <algorithm>
#include <cstring>

namespace stox::net {

void write_queue::push(token tok, std::string bytes) {
  resize(size_ + bytes.size() + piece_cost);
  pieces_.push_back({tok, std::move(bytes)});
}

std::size_t write_queue::parts(std::span<iovec> parts) const {
  std::size_t n = 0;
  for (; n < parts.size() && n < writable(); ++n) {
    const auto& bytes = pieces_[n].bytes;
    const std::size_t skip = n == 0 ? head_ : 0;
    parts[n] = {const_cast<char*>(bytes.data()) + skip, bytes.size() - skip};
  }
  return n;
}

std::string_view write_queue::front(std::span<char> room) const {
  const auto first = std::string_view(pieces_.front().bytes).substr(head_);
  if (pieces_.size() == 1 || first.size() >= room.size()) return first.substr(0, room.size());
  std::size_t used = 0;
  for (const auto& p : pieces_) {
    const auto bytes = used == 0 ? first : std::string_view(p.bytes);
    const auto n = std::min(bytes.size(), room.size() - used);
    std::memcpy(room.data() + used, bytes.data(), n);
    used += n;
    if (used == room.size()) break;
  }
  return {room.data(), used};
}

}  // namespace stox::net
