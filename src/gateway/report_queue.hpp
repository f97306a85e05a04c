#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "gateway/context.hpp"
#include "gateway/open_message.hpp"
#include "gateway/report.hpp"
#include "sip/machine/endpoint.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::gateway {

/// Disposition notifications on their way to SIP users. One that did not get through, because he or the way
/// to him is away for now, is sent again a few times, as the same report with the next CSeq: who got an
/// earlier copy can tell. What refuses it ends it. It is kept in memory only: a report that is lost leaves
/// its receiver where RFC 5438 leaves everybody, without one.
class report_queue {
 public:
  static constexpr std::size_t most = 1000;  ///< beyond them a report is sent once

  /// `user`: whom it is for, on the XMPP side's name of him.
  void send(sip::outgoing out, xmpp::jid user, about a, context& c);
  /// Whether the transaction was one of a report.
  bool answered(const sip::response_received& e, context& c);
  bool failed(const sip::request_failed& e, context& c);
  /// Whether the deadline was one of a report.
  bool timed_out(std::uint64_t key, context& c);
  /// Those that are concerned are given up.
  void abandon(const work_end& why, context& c);

 private:
  struct report {
    sip::outgoing out;
    xmpp::jid user;
    about names;
    std::size_t tries = 0;
    sip::client_tx tx = sip::client_tx::none;  ///< none: it waits
    timer_handle timer;
    charge memory;
  };
  using report_map = std::unordered_map<std::uint64_t, report>;

  void try_now(report_map::iterator at, context& c);
  void again(report_map::iterator at, unsigned challenges, std::string_view cause, context& c);
  void lose(report_map::iterator at, std::string_view cause, context& c);
  report_map::iterator take(sip::client_tx tx);

  report_map reports_;
  std::unordered_map<sip::client_tx, std::uint64_t> sent_;
};

}  // namespace stox::gateway
