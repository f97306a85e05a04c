#include "xmpp/machine/fence.hpp"

#include <algorithm>
#include <utility>

namespace stox::xmpp {

fence::~fence() { memory_.give(waiting_.size() * sizeof(entry)); }

void fence::add(stanza_ref ref, token tok, steady_time now) {
  if (last_number_ == fenced_) oldest_unfenced_ = now;
  waiting_.push_back({++last_number_, ref, tok, false});
  memory_.take(sizeof(entry));
}

void fence::tell_sent(entry& e) {
  if (e.sent) return;
  e.sent = true;
  out_.push_back(stanza_sent{e.ref});
}

std::pair<fence::place, fence::place> fence::batch(token tok) {
  const auto first = std::lower_bound(waiting_.begin(), waiting_.end(), tok,
                                      [](const entry& e, token t) { return e.tok < t; });
  const auto last = std::find_if(first, waiting_.end(), [tok](const entry& e) { return e.tok != tok; });
  return {first, last};
}

void fence::sent(token tok) {
  const auto [first, last] = batch(tok);
  std::for_each(first, last, [this](entry& e) { tell_sent(e); });
}

void fence::refused(token tok) {
  const auto [first, last] = batch(tok);
  std::for_each(first, last, [this](const entry& e) { out_.push_back(stanza_lost{e.ref, false}); });
  memory_.give(static_cast<std::size_t>(last - first) * sizeof(entry));
  waiting_.erase(first, last);
  if (ping_ && ping_->tok == tok) {
    // What this ping should have confirmed needs another one.
    fenced_ = waiting_.empty() ? last_number_ : waiting_.front().number - 1;
    oldest_unfenced_ = ping_->since;
    ping_.reset();
  }
}

bool fence::ping_due(steady_time now) const {
  if (ping_ || last_number_ == fenced_) return false;
  return last_number_ - fenced_ >= most_ || now >= oldest_unfenced_ + age_;
}

void fence::pinged(std::string id, token tok, steady_time now) {
  fenced_ = last_number_;
  ping_ = ping{std::move(id), tok, last_number_, now};
}

void fence::confirm(std::uint64_t last) {
  while (!waiting_.empty() && waiting_.front().number <= last) {
    tell_sent(waiting_.front());  // the server can be faster than the report of our own kernel
    out_.push_back(stanza_confirmed{waiting_.front().ref});
    waiting_.pop_front();
    memory_.give(sizeof(entry));
  }
}

bool fence::answered(std::string_view id) {
  if (!ping_ || ping_->id != id) return false;
  confirm(ping_->last);
  ping_.reset();
  return true;
}

void fence::again(steady_time now) {
  ping_.reset();
  fenced_ = waiting_.empty() ? last_number_ : waiting_.front().number - 1;
  oldest_unfenced_ = now;
}

bool fence::counted(std::uint64_t n, steady_time now) {
  if (n > last_number_) return false;
  const auto before = waiting_.size();
  confirm(n);
  if (waiting_.size() != before || before == 0) again(now);
  return true;
}

void fence::lose(bool all_told) {
  // A stream is written in order: of the first batch that was not taken a part may have left, of those behind
  // it nothing.
  token partial = token::none;
  for (const auto& e : waiting_) {
    if (!e.sent && partial == token::none) partial = e.tok;
    out_.push_back(stanza_lost{e.ref, e.sent || !all_told || e.tok == partial});
  }
  memory_.give(waiting_.size() * sizeof(entry));
  waiting_.clear();
  fenced_ = last_number_;
  ping_.reset();
}

std::optional<steady_time> fence::deadline() const {
  if (ping_) return ping_->since + timeout_;
  if (last_number_ != fenced_) return oldest_unfenced_ + age_;
  return std::nullopt;
}

}  // namespace stox::xmpp
