#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "gateway/context.hpp"
#include "gateway/open_message.hpp"
#include "gateway/report.hpp"
#include "sip/machine/endpoint.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::gateway {

/// What a report to a SIP user is.
enum class report_kind : std::uint8_t {
  success,  ///< a disposition notification: delivered or displayed
  failure,  ///< one that says that a message failed; if it is lost, nobody was told, which is an incident
  notice,   ///< likewise, as a short text. A copy of it would be read twice
};

/// Reports on their way to SIP users. RFC 3428 §8: each waits in line until no other
/// MESSAGE of its lane is pending, and texts go first, so that a text waits for one report at most. One that
/// did not get through, because he or the way to him is away for now, is sent again a few times, as the same
/// report with the next CSeq: who got an earlier copy can tell. What refuses it ends it. It is kept in memory
/// only: a report that is lost leaves its receiver where RFC 5438 leaves everybody, without one.
class report_queue {
 public:
  static constexpr std::size_t most = 10'000;             ///< beyond them a report is lost
  static constexpr std::size_t most_in_line = 100;        ///< of one lane
  static constexpr std::size_t most_paused = 1000;        ///< beyond them a report is tried once
  static constexpr std::size_t most_paused_of_one = 100;  ///< likewise, for one SIP user

  /// `from`: whose report it is; `user`: whom it is for, on the XMPP side's name of him; `a`: the message of
  /// which it tells `what`, for the log. It goes when go_on() says so.
  void send(report_kind kind, sip::outgoing out, const xmpp::jid& from, xmpp::jid user, about a,
            std::string_view what, context& c);
  /// Whether the transaction was one of a report.
  bool answered(const sip::response_received& e, context& c);
  bool failed(const sip::request_failed& e, context& c);
  /// Whether the deadline was one of a report.
  bool timed_out(std::uint64_t key);
  /// Those that are concerned are given up.
  void abandon(const work_end& why, context& c);

  bool is_pending(const std::string& lane) const {
    if (lines_.empty()) return false;
    const auto at = lines_.find(lane);
    return at != lines_.end() && at->second.pending;
  }
  /// Nothing but a report can be in the way of those in line there any more.
  void is_free(const std::string& lane) {
    if (!lines_.empty() && lines_.contains(lane)) free_.push_back(lane);
  }
  /// A lane in which something may go that waited; to be asked after each event until there is none.
  std::optional<std::string> next_free();
  /// The next report there, as nothing else is pending in that lane.
  void go_on(const std::string& lane, context& c);

 private:
  enum class stage : std::uint8_t {
    in_line,  ///< until its lane is free
    pending,  ///< sent, and not answered yet
    paused,   ///< until its next try
  };
  struct report {
    report_kind kind{};
    sip::outgoing out;
    xmpp::jid user;
    about names;
    std::string_view what;
    std::string lane;
    stage at = stage::in_line;
    bool was_sent = false;
    std::size_t tries = 0;
    sip::client_tx tx = sip::client_tx::none;
    timer_handle timer;
    charge memory;
  };
  /// The reports of one lane that are not paused.
  struct line {
    bool pending = false;
    std::deque<std::uint64_t> waiting;
  };
  using report_map = std::unordered_map<std::uint64_t, report>;

  void stand_in_line(report_map::iterator at);
  report_map::iterator take(sip::client_tx tx);
  /// Its transaction is over, or nobody waits for it any more.
  void end_transaction(report& r);
  void again(report_map::iterator at, unsigned challenges, std::string_view cause, context& c);
  void pause(report_map::iterator at, std::string_view cause, context& c);
  /// It is not paused any more.
  void wake(const report& r);
  void lose(report_map::iterator at, std::string_view cause, context& c);
  static void note_sent(const report& r, context& c);
  static void note_lost(report_kind kind, about names, std::string_view what, const std::string& domain,
                        std::string_view cause, context& c);

  report_map reports_;
  std::unordered_map<sip::client_tx, std::uint64_t> sent_;
  std::unordered_map<std::string, line> lines_;
  std::vector<std::string> free_;
  std::size_t paused_ = 0;
  std::unordered_map<std::string, std::size_t> paused_for_;  ///< by the bare JID of the SIP user
};

}  // namespace stox::gateway
