#include "gateway/disposition.hpp"

#include <utility>

#include "base/date_time.hpp"
#include "gateway/report.hpp"
#include "sip/wire/uri.hpp"
#include "translate/receipt.hpp"

namespace stox::gateway {

namespace {

struct disposition {
  payload::imdn_kind kind;
  payload::imdn_status status;
};
disposition disposition_of(receipt_kind what) {
  switch (what) {
    case receipt_kind::delivered: return {payload::imdn_kind::delivery, payload::imdn_status::delivered};
    case receipt_kind::failed: return {payload::imdn_kind::delivery, payload::imdn_status::failed};
    case receipt_kind::displayed: return {payload::imdn_kind::display, payload::imdn_status::displayed};
  }
  return {};
}

/// Sent once: RFC 5438 §14 wants no report of a report, and nothing is lost that a user wrote.
void send(const receipt_row& asked, receipt_kind what, const xmpp::jid& from, context& c) {
  const auto [kind, status] = disposition_of(what);
  translate::receipt::imdn_context how;
  how.to = asked.reply_to;
  how.message_id = asked.original_id;
  how.date_time = asked.date_time;
  how.own_id = c.ids().next(id_kind::stanza);
  how.call_id = c.ids().next(id_kind::call_id);
  how.from_tag = c.ids().next(id_kind::tag);
  how.now = write_date_time(c.now().wall);
  how.kind = kind;
  how.status = status;
  auto made = translate::receipt::to_sip(from, how, c.domains().addresses);
  const auto target = made ? sip::parse_uri(made->uri) : error();
  if (!made || !target) return;
  c.counts().count(aside::report_sent);
  if (c.logs(log_level::info)) {
    note(c, log_level::info, "message.to_xmpp.reported",
         {{}, asked.call_id, asked.key.id, from.to_string(), asked.reply_to},
         {{"what", what == receipt_kind::failed      ? "failed"
                   : what == receipt_kind::displayed ? "displayed"
                                                     : "delivered"}});
  }
  c.request(c.route(*std::move(made), target->host));
}

}  // namespace

bool take_reports(const xmpp::message& m, context& c) {
  const auto reports = translate::receipt::reports_of(m);
  for (const auto& r : reports) {
    const auto what = r.displayed ? receipt_kind::displayed : receipt_kind::delivered;
    const receipt_key key{false, m.from.bare_text(), m.to->bare_text(), r.id};
    if (const auto asked = c.receipts().take(key, what, c.now(), c)) send(*asked, what, m.from, c);
  }
  return !reports.empty();
}

bool take_late_failure(const xmpp::message& error, context& c) {
  if (!error.to || !error.error) return false;
  // RFC 6120 §8.3.2: a warning only; the stanza was processed.
  if (error.error->type == xmpp::error_type::continue_) return true;
  const receipt_key key{false, error.from.bare_text(), error.to->bare_text(), error.id};
  const auto asked = c.receipts().take(key, receipt_kind::failed, c.now(), c);
  if (asked) send(*asked, receipt_kind::failed, error.from, c);
  return asked.has_value();
}

}  // namespace stox::gateway
