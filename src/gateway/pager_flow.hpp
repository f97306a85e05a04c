#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/context.hpp"
#include "gateway/conversation.hpp"
#include "gateway/pager_to_sip.hpp"
#include "gateway/pager_to_xmpp.hpp"
#include "gateway/rate_limit.hpp"
#include "gateway/report_queue.hpp"
#include "gateway/typing_to_sip.hpp"
#include "gateway/typing_to_xmpp.hpp"
#include "sip/machine/endpoint.hpp"
#include "xmpp/machine/component.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/xep/extras.hpp"

namespace stox::gateway {

/// Pager-mode messages, RFC 7572, both ways. Lives as long as the engine; sees typed events, acts through the
/// context.
class pager_flow {
 public:
  /// Both outlive it.
  pager_flow(byte_account& memory, id_source& ids)
      : talk_(memory, ids),
        rates_(memory, ids),
        to_xmpp_(talk_, rates_, typing_to_xmpp_, reports_),
        to_sip_(talk_, rates_, reports_),
        typing_to_sip_(talk_, to_sip_, reports_) {}

  void handle(sip::request_received& e, context& c) {
    c.counts().came_in(direction::to_xmpp);
    to_xmpp_.handle(e, c);
  }
  void handle(const sip::response_received& e, context& c) {
    if (!typing_to_sip_.answered(e, c) && !reports_.answered(e, c)) to_sip_.answered(e, c);
    use_free_lanes(c);
  }
  void handle(const sip::request_failed& e, context& c) {
    if (!typing_to_sip_.failed(e, c) && !reports_.failed(e, c)) to_sip_.failed(e, c);
    use_free_lanes(c);
  }
  void handle(const xmpp::message& m, context& c);
  void handle(const xmpp::stanza_sent& e, context& c) { to_xmpp_.sent(e.ref, c); }
  void handle(const xmpp::stanza_confirmed& e, context& c) { to_xmpp_.confirmed(e.ref, c); }
  void handle(const xmpp::stanza_lost& e, context& c) { to_xmpp_.lost(e, c); }
  void link_up(std::string_view domain, context& c) { to_xmpp_.link_up(domain, c); }
  void handle_timeout(std::uint64_t key, context& c);
  /// Forgets conversations that are long over; called about once a minute.
  void tidy(context& c) { talk_.expire(c.now().steady); }
  /// Ends open work with an error to its sender.
  void abandon(const work_end& why, context& c);
  std::size_t open() const { return to_xmpp_.open() + to_sip_.open(); }
  /// Whether something of that served domain (XMPP name) is open. Looks through all that is open.
  bool is_open(std::string_view domain) const { return to_xmpp_.is_open(domain) || to_sip_.is_open(domain); }
  /// The oldest ones, of one served domain or (empty) of all.
  std::vector<open_message> open_messages(std::string_view domain, std::size_t limit) const;
  std::size_t conversations_known() const { return talk_.size(); }
  std::size_t memory_used() const { return talk_.memory_used(); }  ///< by what is remembered
  std::size_t rates_memory() const { return rates_.memory_used(); }

 private:
  void take(const xmpp::message& m, context& c);
  /// What an event has freed, RFC 3428 §8: texts first, then reports.
  void use_free_lanes(context& c);
  void written(const xmpp::message& m, context& c);

  void late_error(const xmpp::message& m, context& c);
  void stray_error(const xmpp::message& m, context& c);
  void notice(const xmpp::message& m, const xmpp::extras& x, context& c);

  conversations talk_;
  rate_limit rates_;
  typing_to_xmpp typing_to_xmpp_;
  report_queue reports_;
  pager_to_xmpp to_xmpp_;
  pager_to_sip to_sip_;
  typing_to_sip typing_to_sip_;
};

}  // namespace stox::gateway
