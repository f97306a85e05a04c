#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stox::gateway {

enum class direction : std::uint8_t { to_xmpp, to_sip };
std::string_view to_string(direction d);

/// What became of a message, from its sender's view: decided once, when he is answered.
enum class outcome : std::uint8_t {
  delivered,  ///< handed over: the sender was told 2xx, or hears nothing (XMPP)
  failed,     ///< the sender was told an error, and it was not delivered
  refused,    ///< the sender was told an error before anything was sent on
  in_doubt,   ///< it may have arrived; the sender was told an error, or could no longer be told
  ignored,    ///< nothing to carry, and no answer due
};
inline constexpr std::size_t outcome_count = 5;
std::string_view to_string(outcome o);

/// What is not an outcome: knowledge that comes after it, and stanzas that are no messages of users.
enum class aside : std::uint8_t {
  late_error,          ///< a stanza error after the 2xx
  lost_after_answer,   ///< the link broke after the 2xx and before the server confirmed
  sender_unreachable,  ///< an XMPP sender was not told of a failure, or perhaps not
  stray_error,         ///< an error stanza that answers nothing of ours
  foreign_stanza,      ///< an iq, presence or error that is not between us and somebody else
  malformed_stanza,    ///< an iq, presence or error that cannot be read
  typing_to_sip,       ///< a typing notice to a SIP user whose client knows them
  typing_to_xmpp,      ///< a chat state to an XMPP user whose client knows them
  late_notice,         ///< a message of ours to a SIP user whose text failed after the 2xx
  report_sent,         ///< a disposition notification to a SIP user who asked for it
  report_retried,      ///< one that was sent again
  report_lost,         ///< one that the SIP side did not take
  receipt_sent,        ///< a receipt or marker to an XMPP user who asked for it
  late_failure,        ///< a SIP user's report of failure after the 2xx, told as an error
  report_unmatched,    ///< a disposition notification from a SIP user that nobody waits for
  form_refused,        ///< a MESSAGE in CPIM that was refused for its form, and sent again as plain text
};
inline constexpr std::size_t aside_count = 16;

/// Why a typing notice was not sent, or came to nothing.
enum class typing_drop : std::uint8_t {
  rate,         ///< its sender sends too many
  loop,         ///< it was here before
  sender_full,  ///< its sender types to too many people
  domain_full,  ///< too many people of its sender's domain type
  full,         ///< too many people type
  memory,       ///< messages need what is left
  link,         ///< the XMPP server is not there, or does not read
  busy,         ///< what was pending before it took too long
  withdrawn,    ///< its receiver's client, or the domain, does not take it any more
  failed,       ///< the SIP side refused it or did not answer
};
inline constexpr std::size_t typing_drop_count = 10;
std::string_view to_string(typing_drop d);

/// Counts messages: each that came in once, and once by outcome and cause. Causes are our own words and SIP
/// codes, so their number is bounded.
class counters {
 public:
  void came_in(direction d) { ++received_[static_cast<std::size_t>(d)]; }
  /// `domain`: the served domain's XMPP name.
  void count(direction d, outcome o, std::string_view cause, std::string_view domain);
  void count(aside a) { ++asides_[static_cast<std::size_t>(a)]; }
  void count(typing_drop d) { ++typing_drops_[static_cast<std::size_t>(d)]; }
  void count_losses(direction d, std::uint64_t n) { losses_[static_cast<std::size_t>(d)] += n; }

  struct key {
    direction dir;
    outcome what;
    std::string cause;
    friend auto operator<=>(const key&, const key&) = default;
  };
  const std::map<key, std::uint64_t, std::less<>>& messages() const { return messages_; }

  /// Of one served domain, by direction and outcome.
  using of_domain = std::array<std::array<std::uint64_t, outcome_count>, 2>;
  /// From now on these have counts of their own; all others count as "other", so that no peer makes series.
  void serve(const std::vector<std::string>& domains);
  const std::map<std::string, of_domain, std::less<>>& domains() const { return domains_; }
  std::uint64_t total(direction d, outcome o) const;
  std::uint64_t losses(direction d) const { return losses_[static_cast<std::size_t>(d)]; }
  std::uint64_t received(direction d) const { return received_[static_cast<std::size_t>(d)]; }
  std::uint64_t total(typing_drop d) const { return typing_drops_[static_cast<std::size_t>(d)]; }
  std::uint64_t total(aside a) const { return asides_[static_cast<std::size_t>(a)]; }

 private:
  std::map<key, std::uint64_t, std::less<>> messages_;
  std::map<std::string, of_domain, std::less<>> domains_ = {{"other", {}}};
  std::uint64_t losses_[2] = {};
  std::uint64_t received_[2] = {};
  std::uint64_t asides_[aside_count] = {};
  std::uint64_t typing_drops_[typing_drop_count] = {};
};

/// For the lookup without building a string.
struct counter_view {
  direction dir;
  outcome what;
  std::string_view cause;
  friend auto operator<=>(const counters::key& a, const counter_view& b) {
    if (const auto c = a.dir <=> b.dir; std::is_neq(c)) return c;
    if (const auto c = a.what <=> b.what; std::is_neq(c)) return c;
    return std::string_view(a.cause) <=> b.cause;
  }
};

}  // namespace stox::gateway
