#include <utility>

#include "base/date_time.hpp"
#include "base/text.hpp"
#include "gateway/learn.hpp"
#include "gateway/pager_to_xmpp.hpp"

// What pager_to_xmpp learns of a sender's client, and reports of messages in either direction.
namespace stox::gateway {

namespace {

constexpr std::size_t longest_time = 64, longest_call_id = 256;  ///< bytes that a receipt keeps

}  // namespace

/// Also from a message that is refused for what is in it: what its sender's client takes does not depend on
/// that. Not from whom nobody wants to hear, nor above his rate: each lesson may be a row of the store.
void pager_to_xmpp::learn_client(const arrival& a, context& c) {
  learn(lessons_of(a.e.request, a.type ? *a.type : payload::content_type{}), a.sender, c);
}

void pager_to_xmpp::await_reports(const pending& p, translate::pager::to_xmpp_result& made,
                                  std::string reply_to, context& c) {
  const auto& w = made.wanted;
  // Who asks for them knows what they are.
  if (w.wants_any()) learn({{{feature::imdn, true, learned_by::received}}, {}}, p.from, c);
  receipt_row asked;
  asked.key = key_of(p);
  asked.delivered = w.positive_delivery;
  asked.failed = w.negative_delivery;
  asked.displayed = w.display;
  asked.original_id = w.message_id;
  asked.reply_to = std::move(reply_to);
  asked.date_time = std::move(made.date_time);
  // RFC 5438 §11.1.2: when the message was sent; else this is as near as we know it. A row is kept for a day.
  if (asked.date_time.size() > longest_time || !parse_date_time(asked.date_time))
    asked.date_time = write_date_time(p.begun);
  asked.call_id = text::utf8_prefix(p.call_id, longest_call_id);  // for the log
  for (const auto& hop : made.path.route) asked.route += (asked.route.empty() ? "" : "\n") + hop;
  asked.original_to = std::move(made.path.original_to);
  asked.domain = p.from.domain;
  c.receipts().open(std::move(asked), c.now(), c);
}

void pager_to_xmpp::answer_notification(const sip::request_received& e, const sip::reply& r, context& c) {
  if (r.status >= 300) return refuse(e, r, "report", {}, c);
  c.respond(e.tx, r);
  const auto served = c.domains().addresses.domain_to_xmpp(e.head.from.uri.host);
  c.counts().count(direction::to_xmpp, outcome::ignored, "report", served ? *served : std::string());
}

}  // namespace stox::gateway
