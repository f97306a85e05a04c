#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/byte_account.hpp"
#include "gateway/context.hpp"
#include "gateway/conversation.hpp"
#include "sip/machine/endpoint.hpp"
#include "xmpp/wire/stanza.hpp"

namespace stox::gateway {

/// XMPP message -> SIP MESSAGE. At most one MESSAGE is pending per (sender, Request-URI) pair, RFC 3428 §8;
/// the rest waits in order in that pair's lane. A time-out, a transport error or 480 says that the peer is
/// away: then the whole lane fails at once. A 2xx has no counterpart in XMPP; every other end becomes an
/// error stanza with the original id.
class pager_to_sip {
 public:
  explicit pager_to_sip(conversations& talk) : talk_(talk) {}

  void handle(const xmpp::message& m, context& c);
  void answered(const sip::response_received& e, context& c);
  void failed(const sip::request_failed& e, context& c);
  /// Fails everything that is open: the drain limit has come.
  void abandon(context& c);
  std::size_t open() const { return open_.size(); }

 private:
  /// What is needed to tell the sender.
  struct origin {
    xmpp::message_type type{};
    xmpp::jid from, to;
    std::string id, conversation, call_id;
  };
  struct queued {
    sip::outgoing out;
    origin sender;
    charge memory;
  };
  struct lane {
    std::optional<origin> pending;
    charge memory;
    std::deque<queued> waiting;
  };

  void refuse(const xmpp::message& m, const xmpp::stanza_error& e, std::string_view cause, context& c);
  void tell(const origin& o, const xmpp::stanza_error& e, outcome what, std::string_view cause, context& c);
  void start(const std::string& key, lane& l, queued&& q, context& c);
  /// After the pending one ended: the next, or the lane goes.
  void next(const std::string& key, context& c);
  void fail_lane(const std::string& key, const xmpp::stanza_error& e, std::string_view cause, context& c);

  conversations& talk_;
  std::unordered_map<std::string, lane> lanes_;  ///< only those with something pending
  std::unordered_map<sip::client_tx, std::string> open_;
  std::size_t waiting_ = 0;  ///< over all lanes
};

}  // namespace stox::gateway
