#include "gateway/late_failure.hpp"

#include <utility>

#include "base/text.hpp"
#include "gateway/disposition.hpp"
#include "gateway/report.hpp"
#include "translate/failure_notice.hpp"

namespace stox::gateway {

namespace {

constexpr auto pause_between = std::chrono::minutes(10);

bool is_number(const sip::uri& u) {
  const auto* user = u.find("user");
  return u.scheme == "tel" || (user != nullptr && user->value && text::iequals(*user->value, "phone"));
}

bool notify(const xmpp::message& error, pair_state& pair, std::string beginning, report_queue& queue,
            context& c) {
  const auto host = c.domains().addresses.domain_to_sip(error.to->domain);
  const auto now = c.now().steady;
  if (!host || !c.domains().rules_of(*host).late_notices) return false;
  if (pair.noticed && now - *pair.noticed < pause_between) return false;
  translate::failure_notice_context how;
  how.beginning = std::move(beginning);
  how.sip_user = pair.sip_user;
  how.call_id = c.ids().next(id_kind::call_id);
  how.from_tag = c.ids().next(id_kind::tag);
  auto made = translate::failure_notice(error, how, c.domains().addresses);
  if (!made) return false;
  pair.noticed = now;
  queue.send(report_kind::notice, c.route(*std::move(made), *host), {{}, error.to->domain, {}},
             error.to->bare(),
             {pair.name, how.call_id, error.id, error.to->to_string(), error.from.to_string()},
             xmpp::to_string(error.error->condition), c);
  return true;
}

}  // namespace

late_failure tell_late_failure(const xmpp::message& error, conversations& talk, report_queue& reports,
                               context& c) {
  // RFC 6120 §8.3.2: a warning only; the stanza was processed.
  if (!error.to || !error.error || error.error->type == xmpp::error_type::continue_)
    return late_failure::unknown;
  auto* pair = talk.find_pair(error.from.bare_text(), error.to->bare_text(), c.now().steady);
  auto failed = pair != nullptr ? pair->texts.take_failed(error.id) : std::nullopt;
  if (take_late_failure(error, reports, c)) return late_failure::told;
  if (!failed) return late_failure::unknown;
  const bool told = failed->owed && notify(error, *pair, std::move(failed->beginning), reports, c);
  return told ? late_failure::told : late_failure::untold;
}

bool takes_notices(const sip::request_received& e, const sip::uri& sender, bool asks) {
  return !asks && !is_number(sender) && !is_number(e.head.from.uri);
}

}  // namespace stox::gateway
