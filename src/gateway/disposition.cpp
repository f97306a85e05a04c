#include "gateway/disposition.hpp"

#include <string>
#include <utility>
#include <vector>

#include "base/date_time.hpp"
#include "base/text.hpp"
#include "gateway/pager_to_xmpp.hpp"
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

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  for (const auto line : text::split(text, '\n')) out.emplace_back(line);
  return out;
}

/// RFC 5438 §14 wants no report of a report, and nothing is lost that a user wrote. Whether it has a SIP
/// form.
bool send(const receipt_row& asked, receipt_kind what, const xmpp::jid& from, report_queue& queue,
          context& c) {
  const auto [kind, status] = disposition_of(what);
  translate::receipt::imdn_context how;
  how.to = asked.reply_to;
  how.message_id = asked.original_id;
  how.date_time = asked.date_time;
  how.route = lines_of(asked.route);
  how.original_to = asked.original_to;
  how.own_id = c.ids().next(id_kind::stanza);
  how.call_id = c.ids().next(id_kind::call_id);
  how.from_tag = c.ids().next(id_kind::tag);
  how.now = write_date_time(c.now().wall);
  how.kind = kind;
  how.status = status;
  auto made = translate::receipt::to_sip(from, how, c.domains().addresses);
  // By the way to the sender's domain, whatever the first hop is: a field within a message must not make us
  // write to others (RFC 5438 §14).
  const auto sender = sip::parse_uri(asked.reply_to);
  auto user = xmpp::jid::parse(asked.key.aor);
  if (!made || !sender || !user) return false;
  queue.send(what == receipt_kind::failed ? report_kind::failure : report_kind::success,
             c.route(*std::move(made), sender->host), from, *std::move(user),
             {{}, asked.call_id, asked.key.id, from.to_string(), asked.reply_to}, to_string(what), c);
  return true;
}

}  // namespace

bool take_reports(const xmpp::message& m, conversations& talk, pager_to_xmpp& texts, report_queue& queue,
                  context& c) {
  const auto reports = translate::receipt::reports_of(m);
  if (reports.empty()) return false;
  const auto jid = m.from.bare_text(), aor = m.to->bare_text();
  auto* pair = talk.find_pair(jid, aor, c.now().steady);
  const auto report = [&](const std::string& id, receipt_kind what) {
    texts.arrived(m.from, *m.to, id, c);
    // What arrived is no news if it fails after all: a second resource did not want it.
    if (pair != nullptr) pair->texts.take_failed(id);
    if (const auto asked = c.receipts().take({false, jid, aor, id}, what, c.now(), c))
      send(*asked, what, m.from, queue, c);
  };
  for (const auto& r : reports) {
    // XEP-0333 §4.2: who displays several messages at once names the last one.
    if (r.displayed && pair != nullptr) {
      for (const auto& id : pair->texts.ids_before(direction::to_xmpp, r.id))
        report(id, receipt_kind::displayed);
    }
    report(r.id, r.displayed ? receipt_kind::displayed : receipt_kind::delivered);
  }
  return true;
}

bool take_late_failure(const xmpp::message& error, report_queue& queue, context& c) {
  if (!error.to || !error.error) return false;
  // RFC 6120 §8.3.2: a warning only; the stanza was processed.
  if (error.error->type == xmpp::error_type::continue_) return true;
  const receipt_key key{false, error.from.bare_text(), error.to->bare_text(), error.id};
  const auto asked = c.receipts().take(key, receipt_kind::failed, c.now(), c);
  return asked && send(*asked, receipt_kind::failed, error.from, queue, c);
}

}  // namespace stox::gateway
