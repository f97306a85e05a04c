#include "gateway/pager_flow.hpp"

namespace stox::gateway {

void pager_flow::handle(const xmpp::message& m, context& c) {
  switch (m.type) {
    case xmpp::message_type::error:
      // RFC 6120 §8.3.1: never an answer to an error.
      if (!to_xmpp_.failed(m, c)) c.counts().count(aside::stray_error);
      return;
    case xmpp::message_type::groupchat: {
      // Rooms are not users: nobody here is an occupant of one.
      const xmpp::stanza_error e{
          xmpp::error_type::cancel, xmpp::condition::service_unavailable, "Not a chat room", {}};
      return to_sip_.refuse(m, e, "groupchat", {}, c);
    }
    case xmpp::message_type::normal:
    case xmpp::message_type::chat:
    case xmpp::message_type::headline:
      // Chat states, receipts and markers stand alone: no text, no answer due. A subject alone is text, and
      // the translator refuses it aloud.
      if (m.bodies.empty() && m.subjects.empty()) {
        return c.counts().count(direction::to_sip, outcome::ignored, "no_body");
      }
      return to_sip_.handle(m, c);
  }
}

void pager_flow::abandon(context& c) {
  to_xmpp_.abandon(c);
  to_sip_.abandon(c);
}

}  // namespace stox::gateway
