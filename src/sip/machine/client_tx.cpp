#include "sip/machine/client_tx.hpp"

#include <algorithm>
#include <chrono>

namespace stox::sip {

client_transaction::client_transaction(bool invite, bool reliable, steady_time now, steady_time give_up_at,
                                       const timers& t)
    : invite_(invite), reliable_(reliable), give_up_at_(give_up_at), interval_(t.t1) {
  if (!reliable) again_at_ = now + t.t1;
}

client_step client_transaction::receive(std::uint16_t status, steady_time now, const timers& t) {
  switch (state_) {
    case state::trying:
    case state::proceeding: break;
    // §17.1.1.2: each copy of the final response is acknowledged anew, but not told again.
    case state::completed: return {false, invite_ && status >= 300};
    case state::accepted:
    case state::terminated: return {};
  }
  if (status < 200) {
    if (invite_) {
      again_at_.reset();
      // §17.1.1.2: Timer B is for the calling state only; a phone may ring for long.
      if (state_ == state::trying) give_up_at_.reset();
    } else if (!reliable_) {
      // §17.1.2.2: from now on Timer E is T2.
      interval_ = t.t2;
      if (state_ == state::trying) again_at_ = now + interval_;
    }
    state_ = state::proceeding;
    return {true, false};
  }
  again_at_.reset();
  if (invite_ && status < 300) {
    state_ = state::accepted;
    give_up_at_ = now + 64 * t.t1;  // Timer M
    return {true, false};
  }
  state_ = state::completed;
  const duration wait = invite_ ? 64 * t.t1 : t.t4;  // Timers D and K
  give_up_at_ = now + (reliable_ ? duration::zero() : wait);
  return {true, invite_};
}

client_due client_transaction::timeout(steady_time now, const timers& t) {
  if (state_ == state::terminated) return client_due::nothing;
  if (give_up_at_ && *give_up_at_ <= now) {
    const bool unanswered = waiting();
    state_ = state::terminated;
    return unanswered ? client_due::timed_out : client_due::ended;
  }
  if (!again_at_ || *again_at_ > now) return client_due::nothing;
  // §17.1.1.2: Timer A doubles without bound; §17.1.2.2: Timer E up to T2.
  interval_ *= 2;
  if (!invite_) interval_ = std::min(interval_, t.t2);
  again_at_ = now + interval_;
  return client_due::resend;
}

std::optional<steady_time> client_transaction::next_deadline() const {
  if (state_ == state::terminated) return std::nullopt;
  if (again_at_ && (!give_up_at_ || *again_at_ < *give_up_at_)) return again_at_;
  return give_up_at_;
}

}  // namespace stox::sip
