#include "gateway/pager_flow.hpp"

#include <algorithm>
#include <utility>

#include "gateway/disposition.hpp"
#include "translate/chat_text.hpp"

namespace stox::gateway {

void pager_flow::handle(const xmpp::message& m, context& c) {
  switch (m.type) {
    case xmpp::message_type::error:
      // RFC 6120 §8.3.1: never an answer to an error.
      if (!to_xmpp_.failed(m, c) && !take_late_failure(m, reports_, c)) c.counts().count(aside::stray_error);
      return;
    case xmpp::message_type::groupchat: {
      // Rooms are not users: nobody here is an occupant of one.
      const xmpp::stanza_error e{
          xmpp::error_type::cancel, xmpp::condition::service_unavailable, "Not a chat room", {}};
      return to_sip_.refuse(m, e, "groupchat", {}, c);
    }
    case xmpp::message_type::normal:
    case xmpp::message_type::chat:
    case xmpp::message_type::headline: return written(m, c);
  }
}

void pager_flow::written(const xmpp::message& m, context& c) {
  using translate::pager::content;
  const auto x = xmpp::read_extras(m);
  const auto ignore = [&](std::string_view why) {
    c.counts().count(direction::to_sip, outcome::ignored, why, m.to->domain);
  };
  switch (translate::pager::content_of(m, x)) {
    // Chat states, receipts and markers stand alone: no text, no answer due.
    case content::notice: return ignore(take_reports(m, reports_, c) ? "report" : "no_body");
    case content::copy: return ignore("copy");
    case content::key_exchange: return ignore("key_exchange");
    case content::text: break;
  }
  if (c.blocks(m.from)) {
    const xmpp::stanza_error e{
        xmpp::error_type::auth, xmpp::condition::forbidden, "Blocked by the operator", {}};
    return to_sip_.refuse(m, e, "blocked", {}, c);
  }
  to_sip_.handle(m, x, c);
}

void pager_flow::abandon(const work_end& why, context& c) {
  to_xmpp_.abandon(why, c);
  to_sip_.abandon(why, c);
  reports_.abandon(why, c);
}

std::vector<open_message> pager_flow::open_messages(std::string_view domain, std::size_t limit) const {
  auto out = to_xmpp_.open_messages(domain, limit);
  for (auto& m : to_sip_.open_messages(domain, limit)) out.push_back(std::move(m));
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.begun < b.begun; });
  if (out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace stox::gateway
