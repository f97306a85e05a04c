#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/instant.hpp"
#include "sip/machine/endpoint.hpp"

namespace stox::sip {

/// What a deadline of a server transaction asks for.
enum class server_due : std::uint8_t {
  nothing,    ///< it came too early
  trying,     ///< say 100: the transaction user is still thinking
  resend,     ///< send the stored response again
  abandoned,  ///< nobody answered while an answer could still be heard; the transaction is terminated
  ended,      ///< the transaction is terminated
};

/// RFC 3261 §17.2 server transaction, INVITE (§17.2.1 with RFC 6026's accepted state) and others (§17.2.2
/// with RFC 4320). Knows states, timers and the bytes of the last response; sends nothing itself. One per
/// request, owned by server_core.
class server_transaction {
 public:
  server_transaction(bool invite, bool reliable, steady_time now, const timers& t);

  /// The request came again: whether the stored response is to be sent again.
  bool retransmitted() const;
  /// A provisional response was sent. Ignored after a final one.
  void provisional(std::string bytes);
  /// The final response is being sent. Ignored after a first one.
  void final(std::uint16_t status, std::string bytes, steady_time now, const timers& t);
  /// An ACK for this INVITE came.
  void acknowledged(steady_time now, const timers& t);
  /// The transport took the response (reliable transports only): Timer J is zero there.
  void taken();
  server_due timeout(steady_time now, const timers& t);

  std::optional<steady_time> next_deadline() const;
  bool invite() const { return invite_; }
  bool answered() const { return state_ != state::trying && state_ != state::proceeding; }
  bool terminated() const { return state_ == state::terminated; }
  const std::string& response() const { return response_; }

 private:
  enum class state : std::uint8_t {
    trying,      ///< no response yet
    proceeding,  ///< a provisional response was sent
    completed,   ///< a final response was sent (INVITE: other than 2xx)
    confirmed,   ///< INVITE: the ACK came; further ACKs are absorbed
    accepted,    ///< INVITE: a 2xx was sent, RFC 6026 §7.1
    terminated,
  };
  server_due timeout_unanswered(steady_time now);

  state state_ = state::trying;
  bool invite_;
  bool reliable_;
  /// trying: when 100 is due; completed, accepted: Timer G or the 2xx's own repetition.
  std::optional<steady_time> again_at_;
  /// Timers H, I, J, L; for a non-INVITE without an answer the end of its client's Timer F.
  std::optional<steady_time> end_at_;
  duration interval_{};
  std::string response_;
};

}  // namespace stox::sip
