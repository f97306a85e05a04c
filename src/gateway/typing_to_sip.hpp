#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "gateway/context.hpp"
#include "gateway/conversation.hpp"
#include "gateway/open_message.hpp"
#include "gateway/pager_to_sip.hpp"
#include "gateway/report_queue.hpp"
#include "gateway/typing_places.hpp"
#include "sip/machine/endpoint.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/xep/chat_states.hpp"

namespace stox::gateway {

/// Chat states -> typing notices (RFC 3994), only to SIP users whose client showed that it knows them. XMPP
/// clients say "composing" once; the notice is refreshed here as long as it may be true. A notice is a
/// luxury: at most one of a pair is pending, it waits while a text or report of the pair is pending, no text
/// waits for it, it is never sent again, and what becomes of it is told to nobody.
class typing_to_sip {
 public:
  /// All outlive it.
  typing_to_sip(conversations& talk, const pager_to_sip& texts, report_queue& reports)
      : talk_(talk), texts_(texts), reports_(reports) {}

  /// A state that stands alone, of a message of type chat or normal. Whether anything came of it.
  bool handle(const xmpp::message& m, xmpp::chat_state s, context& c);
  /// A text of his goes to that contact: RFC 3994 §3.2, that ends what he typed.
  void text_sent(const xmpp::message& m, context& c);
  /// Whether it was a notice of ours.
  bool answered(const sip::response_received& e, context& c);
  bool failed(const sip::request_failed& e, context& c);
  void timed_out(std::uint64_t number, context& c);
  void abandon(const work_end& why, context& c);
  /// Whether one is pending in that lane.
  bool is_pending(const std::string& lane) const { return lanes_.contains(lane); }
  std::size_t size() const { return typists_.size(); }

 private:
  /// One XMPP user who types to one SIP user, or whose last notice is pending.
  struct typist {
    xmpp::jid from, to;  ///< of his last state
    std::string hop_mark;
    std::uint64_t number = 0;
    bool told = false;           ///< the SIP side was told "active", and nothing else since
    std::optional<bool> wanted;  ///< whether "active" is to be told, as soon as nothing is in the way
    std::optional<sip::client_tx> pending;
    std::string lane;        ///< of the pending one
    bool overtaken = false;  ///< a text went while "active" was pending
    unsigned refreshes = 0;
    unsigned holds = 0;
    timer_handle timer;
    charge memory;
  };
  using typist_map = std::unordered_map<std::string, typist>;
  /// Nodes of the map stay where they are.
  using place = typist_map::value_type;

  place* find(const xmpp::jid& from, const xmpp::jid& to);
  place* make(const xmpp::message& m, context& c);
  void step(place& at, context& c);
  void send(place& at, bool active, context& c);
  void end_transaction(typist& t);
  void drop(place& at, typing_drop why, context& c);
  void erase(place& at, context& c);
  static bool may_send(const typist& t, context& c);

  conversations& talk_;
  const pager_to_sip& texts_;
  report_queue& reports_;
  typist_map typists_;
  typing_places places_;
  std::unordered_map<std::uint64_t, place*> by_number_;
  std::unordered_map<sip::client_tx, place*> open_;
  std::unordered_set<std::string> lanes_;  ///< in which one is pending
  std::uint64_t last_number_ = 0;
};

}  // namespace stox::gateway
