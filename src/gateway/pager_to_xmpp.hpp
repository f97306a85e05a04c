#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "gateway/context.hpp"
#include "gateway/conversation.hpp"
#include "gateway/open_message.hpp"
#include "gateway/rate_limit.hpp"
#include "gateway/report.hpp"
#include "gateway/report_queue.hpp"
#include "gateway/typing_to_xmpp.hpp"
#include "payload/is_composing.hpp"
#include "payload/mime.hpp"
#include "sip/machine/endpoint.hpp"
#include "translate/error.hpp"
#include "translate/pager.hpp"
#include "xmpp/machine/component.hpp"
#include "xmpp/wire/stanza.hpp"

namespace stox::gateway {

/// SIP MESSAGE -> XMPP message. A MESSAGE gets its 2xx only when its stanza was written (stanza_sent),
/// sip.accept_wait has passed without a stanza error, and - unless that wait is 0 - the server has confirmed
/// by the fence that it processed the stanza; or as soon as the receiver's client acknowledged it. So a 2xx
/// is never followed by a loss that we could have known of; a link that breaks in between gives the sender an
/// error, counted as in_doubt.
class pager_to_xmpp {
 public:
  /// All outlive it.
  pager_to_xmpp(conversations& talk, rate_limit& rates, typing_to_xmpp& typing, report_queue& reports)
      : talk_(talk), rates_(rates), typing_(typing), reports_(reports) {}

  void handle(sip::request_received& e, context& c);
  void sent(xmpp::stanza_ref ref, context& c);
  void confirmed(xmpp::stanza_ref ref, context& c);
  void lost(const xmpp::stanza_lost& e, context& c);
  /// An error stanza: true when it answers one of ours.
  bool failed(const xmpp::message& error, context& c);
  /// `from`'s client says that it has the message with that id: one that is still open has its 2xx now, for
  /// no report of it may come before that (RFC 5438 §12.1.3.1).
  void arrived(const xmpp::jid& from, const xmpp::jid& to, const std::string& id, context& c);
  void link_up(std::string_view domain, context& c);
  void timed_out(std::uint64_t key, context& c);
  /// Answers what is open and concerned with an error: its limit has come.
  void abandon(const work_end& why, context& c);
  std::size_t open() const { return open_.size(); }
  bool is_open(std::string_view domain) const;
  std::vector<open_message> open_messages(std::string_view domain, std::size_t limit) const;

 private:
  enum class stage : std::uint8_t {
    held,        ///< the link is down; nothing was written
    writing,     ///< handed to the link, not yet taken by the kernel
    waiting,     ///< taken; a stanza error may come until accept_wait is over
    confirming,  ///< accept_wait is over, the fence has not answered yet
    answered,    ///< the sender has his 2xx; kept until the fence answers, to count what a broken link leaves
                 ///< in doubt
  };
  struct pending {
    sip::server_tx tx{};
    stage at = stage::held;
    bool confirmed = false;
    bool locked = false;  ///< sent to the resource that spoke last, where the user was meant
    xmpp::jid from, to;
    std::string id, call_id, conversation;
    std::string stanza;  ///< while held, or while it may have to go to the bare JID
    wall_time begun;
    timer_handle timer;
    std::size_t kept = 0;  ///< bytes of the charge that stay when the stanza has left
    charge memory;
  };

  /// A MESSAGE of a sender who is known, and what is read of it once for all who look at it.
  struct arrival {
    sip::request_received& e;
    sip::uri from;  ///< whom it is authorised for, with the device that he shows
    std::string display;
    xmpp::jid sender;  ///< `from`, without the device where no resource can hold it
    xmpp::jid target;
    result<payload::content_type> type;  ///< of the body
  };

  /// `noted`: whether the log says so.
  void refuse(const sip::request_received& e, const sip::reply& r, std::string_view cause,
              const std::string& conversation, context& c, bool noted = true);
  /// Refuses what has been here before, or what comes too often with the same text.
  void break_loop(const sip::request_received& e, const sip::reply& r, std::string_view cause,
                  const std::string& conversation, context& c);
  void accept(arrival& a, std::string hop_mark, context& c);
  /// A typing notice, answered at once whether or not anybody is to see it.
  void typed(arrival& a, const result<payload::is_composing>& notice, const std::string& hop_mark,
             context& c);
  static void learn_client(const arrival& a, context& c);
  /// A disposition notification is no message: it has its answer, and nothing goes on.
  void answer_notification(const sip::request_received& e, const sip::reply& r, context& c);
  static void await_reports(const pending& p, translate::pager::to_xmpp_result& made, std::string reply_to,
                            context& c);
  /// The sender's device: of this request, else of an earlier one of the same two.
  static std::string learn_device(sip::uri& speaker, const std::string& spelled, const pair_state* pair);
  /// `known`: what the look-up gave, nothing having been remembered since.
  pair_state& remember(pair_state* known, const std::string& jid, const std::string& aor,
                       const std::string& body, const std::string& spelled, const std::string& device,
                       bool shown, steady_time now);
  void write_or_hold(xmpp::stanza_ref ref, pending& p, std::string stanza, context& c);
  /// Whether the resource that was chosen has not got it, so that it can go to the bare JID.
  static bool did_not_arrive(const pending& p, const xmpp::message& error);
  /// Sends it again, to the bare JID; its SIP transaction stays open. `ref` is void then.
  bool try_user(xmpp::stanza_ref ref, context& c);
  void answer_ok(xmpp::stanza_ref ref, pending& p, context& c);
  void answer_error(xmpp::stanza_ref ref, pending& p, const sip::reply& r, outcome what,
                    std::string_view cause, context& c);
  static void doubt_after_answer(const pending& p, std::string_view cause, context& c);
  void erase(xmpp::stanza_ref ref, context& c);
  void abandon(xmpp::stanza_ref ref, pending& p, const work_end& why, context& c);
  static about about_of(const pending& p);
  static receipt_key key_of(const pending& p);
  static std::string_view name_of(stage s);

  conversations& talk_;
  rate_limit& rates_;
  typing_to_xmpp& typing_;
  report_queue& reports_;
  std::unordered_map<xmpp::stanza_ref, pending> open_;
  std::unordered_map<std::string, xmpp::stanza_ref> by_id_;
  std::deque<xmpp::stanza_ref> held_;  ///< in order of arrival
};

}  // namespace stox::gateway
