#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/byte_account.hpp"
#include "gateway/context.hpp"
#include "gateway/conversation.hpp"
#include "gateway/lane.hpp"
#include "gateway/open_message.hpp"
#include "gateway/rate_limit.hpp"
#include "gateway/report.hpp"
#include "gateway/report_queue.hpp"
#include "sip/machine/endpoint.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/xep/extras.hpp"

namespace stox::gateway {

/// XMPP message -> SIP MESSAGE. At most one MESSAGE is pending per (sender, Request-URI) pair, RFC 3428 §8;
/// the rest waits in order in that pair's lane, where the one that is pending may be a report. A time-out, a
/// transport error or 480 says that the peer is away: then the whole lane fails at once. A 2xx has no
/// counterpart in XMPP; every other end becomes an error stanza with the original id.
class pager_to_sip {
 public:
  /// All outlive it.
  pager_to_sip(conversations& talk, rate_limit& rates, report_queue& reports)
      : talk_(talk), rates_(rates), reports_(reports) {}

  /// `x`: what read_extras gave; the message is content::text.
  void handle(const xmpp::message& m, const xmpp::extras& x, context& c);
  /// Answers with an error before anything was sent on; `a`: what is known beyond the stanza itself; `noted`:
  /// whether the log says so.
  void refuse(const xmpp::message& m, const xmpp::stanza_error& e, std::string_view cause, about a,
              context& c, bool noted = true);
  void answered(const sip::response_received& e, context& c);
  void failed(const sip::request_failed& e, context& c);
  /// Fails what is open and concerned: its limit has come.
  void abandon(const work_end& why, context& c);
  std::size_t open() const { return open_.size() + waiting_; }
  bool is_open(std::string_view domain) const;
  /// Whether a text or a report is pending in that lane.
  bool is_busy(const std::string& key) const { return lanes_.contains(key) || reports_.is_pending(key); }
  /// The report that was pending in that lane is over: the next text there. Whether one is pending now.
  bool go_on(const std::string& key, context& c);
  std::vector<open_message> open_messages(std::string_view domain, std::size_t limit) const;

 private:
  /// What the sender wants to hear of his message, and how it can be said otherwise.
  struct wish {
    bool received = false, displayed = false;
    std::string report_id;               ///< that reports will name; empty: none is expected
    std::optional<sip::outgoing> plain;  ///< the plain form of a message that goes in CPIM
  };
  /// What is needed to tell the sender.
  struct origin {
    xmpp::message_type type{};
    xmpp::jid from, to;
    std::string id, conversation, call_id;
    wall_time begun;
    bool falls_back = false;      ///< where its device is gone it goes to the user
    std::unique_ptr<wish> asked;  ///< nullptr: he wants to hear nothing
  };
  struct queued {
    sip::outgoing out;
    origin sender;
    std::size_t kept = 0;  ///< bytes of the charge that stay when the request has gone to the endpoint
    charge memory;
  };
  struct lane {
    std::optional<origin> pending;       ///< nullopt: a report is, and something waits
    std::optional<sip::outgoing> again;  ///< the pending one, if it falls back
    charge memory;
    std::list<queued> waiting;  ///< a list: most lanes never have any, and an empty deque is not small
  };
  using lane_map = std::unordered_map<std::string, lane>;
  /// A lane with its key. Nodes of the map stay where they are.
  using place = lane_map::value_type;
  /// Lets a map of texts be asked with a part of another text.
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };

  /// Who talks: bare JIDs, and the Call-ID that the thread maps to.
  struct parties {
    std::string jid, aor, thread;
  };

  void accept(const xmpp::message& m, const xmpp::extras& x, std::string hop_mark, context& c);
  /// Refuses what has been here before, or what comes too often with the same text.
  void break_loop(const xmpp::message& m, const xmpp::stanza_error& e, std::string_view cause, about a,
                  context& c);
  pair_state& remember(const xmpp::message& m, const xmpp::extras& x, const parties& t,
                       pair_state* known_pair, thread_state* known, thread_state made, steady_time now);
  /// Whether it has an id that only this message can have, and had it before.
  static bool came_before(const recent_texts& texts, const xmpp::message& m, const xmpp::extras& x,
                          steady_time now);
  /// What later messages may quote, and what may come a second time.
  void remember_text(const xmpp::message& m, const xmpp::extras& x, pair_state& pair, steady_time now);
  /// Empty, or why there is no place for one more of this sender.
  std::string_view full(const std::string& jid, unsigned places, const std::string& key, const tenant& rules,
                        context& c) const;
  void take_in(const std::string& jid, const std::string& key, queued q, context& c);
  void tell(const origin& o, const xmpp::stanza_error& e, outcome what, std::string_view cause, context& c);
  void start(place& at, queued&& q, context& c);
  /// After the pending one ended: the next, or the lane goes.
  void next(place& at, context& c);
  void start_next(place& at, context& c);
  lane_map::iterator end_lane(lane_map::iterator at);
  static const origin& first_of(const lane& l) { return l.pending ? *l.pending : l.waiting.front().sender; }
  void fail_lane(place& at, const xmpp::stanza_error& e, std::string_view cause, context& c);
  /// Whether the answer says that the device that was addressed is not there and has not got it.
  static bool device_is_gone(std::uint16_t status);
  /// Sends what is in the lane of a device to its user instead. The pending one has had its answer.
  void to_user(place& at, std::uint16_t status, context& c);
  /// nullptr: nothing is asked, or nothing can be answered for want of an id.
  static std::unique_ptr<wish> wish_of(const xmpp::message& m, const xmpp::extras& x, const std::string& host,
                                       context& c);
  /// An approximation that is charged before the request is written: what the containers hold.
  static std::size_t size_of(const sip::request& r);
  static std::size_t weight_of(const wish* w);
  static bool is_rich(const origin& o) { return o.asked != nullptr && o.asked->plain.has_value(); }
  /// Learns from the final answer. True: it refused the form of the pending message, which was sent again.
  bool heard_form(place& at, const sip::response_received& e, context& c);
  /// Whether the message goes in CPIM and asks for reports: where his client is known to take both, or
  /// nothing is known and the domain's rules say so.
  static bool asks_in_cpim(const xmpp::jid& to, const tenant& rules, context& c);
  static void await_reports(origin& o, context& c);
  static receipt_key report_key(const origin& o);
  /// The pending message in its plain form, once, at once.
  void say_plainly(place& at, std::string_view why, context& c);
  /// Of a message that waits: it will go in its plain form.
  static void make_plain(queued& q, context& c);
  static void note_plain(const origin& o, std::string_view why, context& c);
  /// `n` messages of the lane's sender ended.
  void release(const std::string& key, std::size_t n);
  static about about_of(const origin& o);

  conversations& talk_;
  rate_limit& rates_;
  report_queue& reports_;
  lane_map lanes_;  ///< only those with a text that is pending or waits
  std::unordered_map<sip::client_tx, place*> open_;
  /// Open and waiting messages of each sender's bare JID: he could else fill the gateway by writing to ever
  /// new addresses.
  std::unordered_map<std::string, std::size_t, text_hash, std::equal_to<>> senders_;
  std::size_t waiting_ = 0;  ///< over all lanes
};

}  // namespace stox::gateway
