#include "tally.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace bench {

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
}

std::uint32_t tally::begin(std::uint64_t now) {
  if (sent_ == 0) first_ = now;
  sent_at_[sent_] = now;
  last_progress_ = now;
  return sent_++;
}

void tally::settle(std::uint32_t n, std::uint8_t flag, std::uint64_t now) {
  if ((state_[n] & (is_delivered | is_refused)) == 0) ++settled_;
  state_[n] |= flag;
  last_progress_ = now;
}

void tally::delivered(std::uint32_t n, std::uint64_t way, std::uint64_t now) {
  if ((state_[n] & is_delivered) != 0) {
    if (branch_[n] == way)
      ++retransmissions_;
    else
      state_[n] |= is_doubled;
    return;
  }
  settle(n, is_delivered, now);
  branch_[n] = way;
  last_delivery_ = now;
  latency_us_.push_back(static_cast<std::uint32_t>((now - sent_at_[n]) / 1000));
}

void tally::accepted(std::uint32_t n, std::uint64_t now) {
  if (!answered(n)) ++answered_;
  state_[n] |= is_accepted;
  last_progress_ = now;
}

void tally::refused(std::uint32_t n, std::uint64_t now) {
  if (!answered(n)) ++answered_;
  settle(n, is_refused, now);
}

tally::report tally::result() const {
  report r;
  r.sent = sent_;
  r.retransmissions = retransmissions_;
  for (std::uint32_t n = 0; n < sent_; ++n) {
    const bool delivered = (state_[n] & is_delivered) != 0, refused = (state_[n] & is_refused) != 0;
    r.delivered += delivered;
    r.refused += refused;
    r.doubled += (state_[n] & is_doubled) != 0;
    r.lost += !delivered && !refused;
    r.delivered_and_refused += delivered && refused;
  }
  auto sorted = latency_us_;
  std::sort(sorted.begin(), sorted.end());
  const auto quantile = [&](double q) {
    return sorted.empty()
               ? 0.0
               : sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))] / 1000.0;
  };
  r.p50_ms = quantile(0.50);
  r.p99_ms = quantile(0.99);
  if (last_delivery_ > first_) r.seconds = static_cast<double>(last_delivery_ - first_) / 1e9;
  return r;
}

bool number_after(std::string_view text, std::string_view mark, std::uint32_t limit, std::uint32_t& n) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return false;
  const char* begin = text.data() + at + mark.size();
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), n);
  return error == std::errc() && end != begin && n < limit;
}

}  // namespace bench
