#include "xmpp/machine/outbox.hpp"

#include <algorithm>
#include <iterator>
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
    last->tok = io_.new_token(use_);
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

void outbox::keep_again(std::vector<std::string> texts) {
  // They had their room before; refusing them now would lose them.
  for (auto at = texts.rbegin(); at != texts.rend(); ++at) {
    bytes_ += cost_of(*at);
    memory_.take(cost_of(*at));
    queue_.push_front(std::move(*at));
  }
}

outbox::written outbox::write_front(conn_id conn) {
  const auto cost = cost_of(queue_.front());
  const token tok = put(conn, queue_.front(), true);
  written out{std::move(queue_.front()), tok};
  queue_.pop_front();
  bytes_ -= cost;
  memory_.give(cost);
  return out;
}

std::vector<outbox::written> outbox::write_some(conn_id conn) {
  std::vector<written> out;
  std::size_t size = 0;
  while (!queue_.empty() && pace_ == token::none) {
    size += queue_.front().size();
    out.push_back(write_front(conn));
    if (size >= max_batch && !queue_.empty()) pace_ = out.back().tok;
  }
  return out;
}

std::vector<outbox::written> outbox::write_all(conn_id conn) {
  std::vector<written> out;
  while (!queue_.empty()) out.push_back(write_front(conn));
  return out;
}

std::vector<std::string> outbox::take_all() {
  memory_.give(std::exchange(bytes_, 0));
  std::vector<std::string> out(std::make_move_iterator(queue_.begin()),
                               std::make_move_iterator(queue_.end()));
  queue_.clear();
  return out;
}

}  // namespace stox::xmpp
