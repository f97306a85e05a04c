#pragma once

#include <cstdint>
#include <optional>

#include "base/instant.hpp"
#include "sip/machine/endpoint.hpp"

namespace stox::sip {

/// What a deadline of a client transaction asks for.
enum class client_due : std::uint8_t {
  nothing,    ///< it came too early
  resend,     ///< send the request again
  timed_out,  ///< no final response came; the transaction is terminated
  ended,      ///< nothing more can come; the transaction is terminated
};

/// What a response means to its client transaction.
struct client_step {
  bool pass_up = false;      ///< the transaction user hears of it
  bool acknowledge = false;  ///< an ACK is due, RFC 3261 §17.1.1.3
};

/// RFC 3261 §17.1 client transaction, INVITE (§17.1.1 with RFC 6026's accepted state) and others (§17.1.2):
/// states and timers of one branch. Sends nothing itself. Owned by client_core, which begins a new one for
/// each target.
class client_transaction {
 public:
  /// `give_up_at`: Timer B or F, or earlier where the budget over all targets ends first.
  client_transaction(bool invite, bool reliable, steady_time now, steady_time give_up_at, const timers& t);

  client_step receive(std::uint16_t status, steady_time now, const timers& t);
  client_due timeout(steady_time now, const timers& t);
  /// RFC 3261 §9.1: a cancelled INVITE does not wait for its final response for ever.
  void expire_at(steady_time when) { give_up_at_ = when; }

  std::optional<steady_time> next_deadline() const;
  bool invite() const { return invite_; }
  bool waiting() const { return state_ == state::trying || state_ == state::proceeding; }
  bool proceeding() const { return state_ == state::proceeding; }
  bool terminated() const { return state_ == state::terminated; }

 private:
  enum class state : std::uint8_t {
    trying,      ///< no response yet (INVITE: calling)
    proceeding,  ///< a provisional response came
    completed,   ///< a final response came (INVITE: other than 2xx); copies of it are absorbed
    accepted,    ///< INVITE: a 2xx came, RFC 6026 §7.2
    terminated,
  };

  state state_ = state::trying;
  bool invite_;
  bool reliable_;
  std::optional<steady_time> again_at_;    ///< Timers A and E
  std::optional<steady_time> give_up_at_;  ///< Timers B and F; afterwards D, K and M
  duration interval_;
};

}  // namespace stox::sip
