#include "xmpp/machine/outbox.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace stox::xmpp {

namespace {
std::size_t cost_of(const std::string& text) { return text.size() + sizeof(std::string); }
}  // namespace

token outbox::put(conn_id conn, std::string_view bytes, bool want_token) {
  auto& actions = io_.actions();
  auto* last = actions.empty() ? nullptr : std::get_if<io::send>(&actions.back());
  // An empty one was moved from: the rim has it.
  const bool fits = last != nullptr && last->conn == conn && !last->bytes.empty() &&
                    last->bytes.size() + bytes.size() <= max_batch;
  if (!fits) {
    io_.push(io::send{conn, token::none, {}, {}});
    last = &std::get<io::send>(actions.back());
  }
  last->bytes += bytes;
  if (want_token && last->tok == token::none) {
    last->tok = io_.new_token(conn_use::component);
    in_flight_.push_back(last->tok);
  }
  return last->tok;
}

bool outbox::owns(token t) const { return std::binary_search(in_flight_.begin(), in_flight_.end(), t); }

void outbox::reported(token t) {
  const auto at = std::lower_bound(in_flight_.begin(), in_flight_.end(), t);
  if (at != in_flight_.end() && *at == t) in_flight_.erase(at);
  if (pace_ == t) pace_ = token::none;
}

bool outbox::keep(std::string text) {
  const auto cost = cost_of(text);
  if (bytes_ + cost > limit_ || !memory_.has_room(cost)) return false;
  bytes_ += cost;
  memory_.take(cost);
  queue_.push_back(std::move(text));
  return true;
}

token outbox::write_front(conn_id conn) {
  const auto cost = cost_of(queue_.front());
  const token tok = put(conn, queue_.front(), true);
  queue_.pop_front();
  bytes_ -= cost;
  memory_.give(cost);
  return tok;
}

std::size_t outbox::write_some(conn_id conn) {
  std::size_t count = 0;
  std::size_t written = 0;
  while (!queue_.empty() && pace_ == token::none) {
    written += queue_.front().size();
    ++count;
    const token tok = write_front(conn);
    if (written >= max_batch && !queue_.empty()) pace_ = tok;
  }
  return count;
}

std::size_t outbox::write_all(conn_id conn) {
  const auto count = queue_.size();
  while (!queue_.empty()) write_front(conn);
  return count;
}

void outbox::drop() {
  memory_.give(std::exchange(bytes_, 0));
  queue_.clear();
}

}  // namespace stox::xmpp
