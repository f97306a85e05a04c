#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

std::uint64_t now_ns();

/// What became of each message of one direction, by its number.
class tally {
 public:
  explicit tally(std::uint32_t messages) : sent_at_(messages), state_(messages), branch_(messages) {}

  std::uint32_t size() const { return static_cast<std::uint32_t>(state_.size()); }
  std::uint32_t sent() const { return sent_; }
  bool all_sent() const { return sent_ == size(); }
  /// Sent and neither delivered nor refused.
  std::uint32_t open() const { return sent_ - settled_; }
  std::uint32_t open_requests() const { return sent_ - answered_; }
  std::uint64_t last_progress() const { return last_progress_; }

  /// The number of the next message; its clock runs from now.
  std::uint32_t begin(std::uint64_t now);
  /// `way` tells a retransmission (the same way again) from a message that came twice.
  void delivered(std::uint32_t n, std::uint64_t way, std::uint64_t now);
  /// Its sender was told yes (SIP side) or no.
  void accepted(std::uint32_t n, std::uint64_t now);
  void refused(std::uint32_t n, std::uint64_t now);
  bool answered(std::uint32_t n) const { return (state_[n] & (is_accepted | is_refused)) != 0; }

  struct report {
    std::uint32_t sent = 0, delivered = 0, doubled = 0, refused = 0, lost = 0, delivered_and_refused = 0,
                  retransmissions = 0;
    double seconds = 0, p50_ms = 0, p99_ms = 0;  ///< from the first message to the last delivery; of delivery
  };
  report result() const;

 private:
  static constexpr std::uint8_t is_delivered = 1, is_accepted = 2, is_refused = 4, is_doubled = 8;
  void settle(std::uint32_t n, std::uint8_t flag, std::uint64_t now);

  std::vector<std::uint64_t> sent_at_;
  std::vector<std::uint8_t> state_;
  std::vector<std::uint64_t> branch_;  ///< how each came first
  std::vector<std::uint32_t> latency_us_;
  std::uint32_t sent_ = 0, settled_ = 0, answered_ = 0, retransmissions_ = 0;
  std::uint64_t first_ = 0, last_delivery_ = 0, last_progress_ = 0;
};

/// The number behind `mark` in a text ("#417" -> 417); false if there is none below `limit`.
bool number_after(std::string_view text, std::string_view mark, std::uint32_t limit, std::uint32_t& n);

}  // namespace bench
