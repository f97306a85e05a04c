#include "translate/failure_notice.hpp"

#include <algorithm>

#include "translate/message_head.hpp"

namespace stox::translate {

namespace {

/// "recipient unavailable". Not the error's own text: we speak here, and anybody's server could put words in
/// our mouth.
std::string reason_of(const xmpp::stanza_error& e) {
  std::string out(to_string(e.condition));
  std::replace(out.begin(), out.end(), '-', ' ');
  return out;
}

}  // namespace

std::optional<sip::request> failure_notice(const xmpp::message& error, const failure_notice_context& c,
                                           const address_map& addresses) {
  using sip::header;
  if (!error.to || error.to->local.empty() || !error.error) return std::nullopt;
  const xmpp::jid gateway{{}, error.to->domain, {}};
  const auto own = addresses.to_sip(gateway, false);
  auto target = addresses.to_sip(error.to->bare(), false);
  if (!own || !target) return std::nullopt;
  if (!c.sip_user.empty()) target->user = c.sip_user;
  const auto from = angled(*own);
  auto r =
      begin_message({from, c.from_tag, angled(*target), c.call_id, c.assert_identity ? from : std::string()});
  r.uri = sip::write(*target);
  r.headers.add(header::content_language, "en");
  r.headers.add(header::content_type, "text/plain;charset=UTF-8");
  r.body = "Not delivered to " + error.from.bare_text() + ": \"" + c.beginning + "\" (" +
           reason_of(*error.error) + ")";
  return r;
}

}  // namespace stox::translate
