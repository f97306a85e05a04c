#include "sip/machine/server_tx.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace stox::sip {

namespace {

/// RFC 4320 §4.1: when the client's Timer E comes to be T2, 3.5 s by default. Before that its retransmissions
/// cost little, and an early 100 would only slow them down.
duration quiet_time(const timers& t) {
  duration passed{};
  for (duration e = t.t1; e < t.t2; e *= 2) passed += e;
  return passed;
}

constexpr duration invite_quiet_time = std::chrono::milliseconds(200);  // RFC 3261 §17.2.1

}  // namespace

server_transaction::server_transaction(bool invite, bool reliable, steady_time now, const timers& t)
    : invite_(invite), reliable_(reliable) {
  again_at_ = now + (invite ? invite_quiet_time : quiet_time(t));
  // RFC 4320 §4.2: after the client's Timer F no answer is heard any more. An INVITE may ring for as long as
  // it likes.
  if (!invite) end_at_ = now + 64 * t.t1;
}

bool server_transaction::retransmitted() const {
  switch (state_) {
    case state::proceeding:
    case state::completed: return true;
    // RFC 6026 §7.1: in the accepted state the repetition of the 2xx does not hang on the INVITE's.
    case state::trying:
    case state::accepted:
    case state::confirmed:
    case state::terminated: return false;
  }
  return false;
}

void server_transaction::provisional(std::string bytes) {
  if (answered()) return;
  state_ = state::proceeding;
  again_at_.reset();
  response_ = std::move(bytes);
}

void server_transaction::final(std::uint16_t status, std::string bytes, steady_time now, const timers& t) {
  if (answered()) return;
  response_ = std::move(bytes);
  response_.shrink_to_fit();
  interval_ = t.t1;
  again_at_.reset();
  end_at_ = now + 64 * t.t1;  // Timers H, J and L
  if (!invite_) {
    state_ = state::completed;
    return;
  }
  if (status < 300) {
    // RFC 3261 §13.3.1.4: the 2xx is repeated whatever the transport is, because a later hop may be UDP.
    state_ = state::accepted;
    again_at_ = now + interval_;
    return;
  }
  state_ = state::completed;
  if (!reliable_) again_at_ = now + interval_;  // Timer G
}

void server_transaction::acknowledged(steady_time now, const timers& t) {
  if (!invite_) return;
  switch (state_) {
    case state::completed:
      state_ = state::confirmed;
      again_at_.reset();
      response_ = {};
      end_at_ = now + (reliable_ ? duration::zero() : t.t4);  // Timer I
      return;
    case state::accepted:
      // Timer L runs on: late copies of the INVITE must still find this transaction.
      again_at_.reset();
      return;
    case state::trying:
    case state::proceeding:
    case state::confirmed:
    case state::terminated: return;
  }
}

void server_transaction::taken() {
  if (state_ == state::completed && reliable_ && !invite_) state_ = state::terminated;
}

server_due server_transaction::timeout_unanswered(steady_time now) {
  if (end_at_ && *end_at_ <= now) {
    state_ = state::terminated;
    return server_due::abandoned;
  }
  if (!again_at_ || *again_at_ > now) return server_due::nothing;
  again_at_.reset();
  return server_due::trying;
}

server_due server_transaction::timeout(steady_time now, const timers& t) {
  if (!answered()) return timeout_unanswered(now);
  if (end_at_ && *end_at_ <= now) {
    state_ = state::terminated;
    return server_due::ended;
  }
  if (!again_at_ || *again_at_ > now) return server_due::nothing;
  interval_ = std::min<duration>(interval_ * 2, t.t2);
  again_at_ = now + interval_;
  return server_due::resend;
}

std::optional<steady_time> server_transaction::next_deadline() const {
  if (state_ == state::terminated) return std::nullopt;
  if (again_at_ && (!end_at_ || *again_at_ < *end_at_)) return again_at_;
  return end_at_;
}

}  // namespace stox::sip
