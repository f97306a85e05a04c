#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/context.hpp"
#include "gateway/pager_flow.hpp"
#include "gateway/service_flow.hpp"
#include "sip/machine/endpoint.hpp"
#include "xmpp/machine/component.hpp"

namespace stox::gateway {

/// Gives every event to the flow that it is for; the one place that knows all flows. What no flow takes is
/// answered here.
class router {
 public:
  /// Both outlive it.
  router(byte_account& memory, id_source& ids) : pager_(memory, ids) {}

  void handle(sip::event& e, context& c);
  /// `domain`: the served XMPP name of the link that the event comes from.
  void handle(xmpp::component_event& e, std::string_view domain, context& c);
  void handle_timeout(const timer_key& key, context& c);
  void tidy(context& c) { pager_.tidy(c); }
  void abandon(const work_end& why, context& c) { pager_.abandon(why, c); }
  std::size_t open() const { return pager_.open(); }
  bool is_open(std::string_view domain) const { return pager_.is_open(domain); }
  std::vector<open_message> open_messages(std::string_view domain, std::size_t limit) const {
    return pager_.open_messages(domain, limit);
  }
  std::size_t memory_used() const { return pager_.memory_used(); }
  std::size_t rates_memory() const { return pager_.rates_memory(); }
  std::size_t conversations_known() const { return pager_.conversations_known(); }

 private:
  void stanza(const xml::element& e, std::string_view domain, context& c);
  static void refused(const xmpp::stanza_refused& r, std::string_view domain, context& c);
  static void malformed(const xml::element& e, const error& why, std::string_view domain, context& c);
  static void answer_unread(const xml::element& e, const xmpp::stanza_error& refusal, const error& why,
                            std::string_view domain, context& c);
  static bool addressed(const xmpp::jid& from, const std::optional<xmpp::jid>& to, std::string_view domain,
                        const context& c);
  static void unheard(const std::string& text, std::string_view domain, context& c);

  pager_flow pager_;
  service_flow service_;
};

}  // namespace stox::gateway
