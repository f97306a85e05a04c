#include "gateway/pager_flow.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "gateway/chat_states.hpp"
#include "gateway/disposition.hpp"
#include "gateway/late_failure.hpp"
#include "gateway/lock.hpp"
#include "gateway/report.hpp"
#include "gateway/timer_keys.hpp"
#include "translate/chat_text.hpp"

namespace stox::gateway {

namespace {

constexpr std::size_t max_logged = 128;  ///< bytes of a name or id that is the peer's
std::string cut(std::string_view t) { return std::string(text::utf8_prefix(t, max_logged)); }

}  // namespace

void pager_flow::handle(const xmpp::message& m, context& c) {
  take(m, c);
  use_free_lanes(c);
}

void pager_flow::use_free_lanes(context& c) {
  while (const auto lane = reports_.next_free()) {
    if (!to_sip_.go_on(*lane, c) && !typing_to_sip_.is_pending(*lane)) reports_.go_on(*lane, c);
  }
}

void pager_flow::take(const xmpp::message& m, context& c) {
  switch (m.type) {
    case xmpp::message_type::error:
      follow_error(m, talk_, c.now().steady);
      // RFC 6120 §8.3.1: never an answer to an error.
      if (!to_xmpp_.failed(m, c)) late_error(m, c);
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

/// Nothing of ours is open to which it could be the answer.
void pager_flow::late_error(const xmpp::message& m, context& c) {
  switch (tell_late_failure(m, talk_, reports_, c)) {
    case late_failure::unknown: return stray_error(m, c);
    case late_failure::told: return c.counts().count(aside::late_error);
    case late_failure::untold: break;
  }
  c.counts().count(aside::late_error);
  static constexpr std::string_view event = "message.to_xmpp.late_error";
  const auto condition = xmpp::to_string(m.error->condition);
  const about a{{}, {}, m.id, m.to->to_string(), m.from.to_string()};
  if (c.logs(log_level::warning))
    note(c, log_level::warning, event, a, {{"condition", std::string(condition)}});
  raise(c, event, a, m.to->domain, condition);
}

/// It answers nothing that is remembered. Anybody can send them, as many as he likes.
void pager_flow::stray_error(const xmpp::message& m, context& c) {
  c.counts().count(aside::stray_error);
  if (!m.error || !m.to || !c.logs(log_level::info) || c.blocks(m.from)) return;
  const auto now = c.now().steady;
  if (!tells_refusal(rates_, "stray_error", m.from.domain, now) ||
      !tells_refusal(rates_, "stray_error", {}, now))
    return;
  note(c, log_level::info, "message.to_xmpp.stray_error",
       {{}, {}, cut(m.id), m.to->to_string(), m.from.to_string()},
       {{"condition", std::string(xmpp::to_string(m.error->condition))}});
}

void pager_flow::written(const xmpp::message& m, context& c) {
  using translate::pager::content;
  const auto x = xmpp::read_extras(m);
  const auto ignore = [&](std::string_view why) {
    c.counts().count(direction::to_sip, outcome::ignored, why, m.to->domain);
  };
  const auto what = translate::pager::content_of(m, x);
  switch (what) {
    case content::notice: return notice(m, x, c);
    case content::copy: return ignore("copy");
    case content::key_exchange: return ignore("key_exchange");
    case content::offer:
    case content::text: break;
  }
  if (c.blocks(m.from)) {
    const xmpp::stanza_error e{
        xmpp::error_type::auth, xmpp::condition::forbidden, "Blocked by the operator", {}};
    return to_sip_.refuse(m, e, "blocked", {}, c);
  }
  if (what == content::offer) {
    const xmpp::stanza_error e{xmpp::error_type::cancel,
                               xmpp::condition::service_unavailable,
                               "Calls and invitations to rooms do not cross this gateway",
                               {}};
    return to_sip_.refuse(m, e, "offer", {}, c);
  }
  // A client may report of one message with the next one.
  take_reports(m, talk_, to_xmpp_, reports_, c);
  const auto open = to_sip_.open();
  to_sip_.handle(m, x, c);
  const bool goes = to_sip_.open() > open;
  if (goes) {
    typing_to_sip_.text_sent(m, c);
  } else {
    // He stopped typing all the same.
    typing_to_sip_.handle(m, xmpp::chat_state::active, c);
  }
}

/// Chat states, receipts and markers stand alone: no text, no answer due.
void pager_flow::notice(const xmpp::message& m, const xmpp::extras& x, context& c) {
  const auto ignore = [&](std::string_view why) {
    c.counts().count(direction::to_sip, outcome::ignored, why, m.to->domain);
  };
  if (c.blocks(m.from)) return ignore("blocked");
  const bool report = take_reports(m, talk_, to_xmpp_, reports_, c);
  bool typing = false;
  if (x.state && m.type != xmpp::message_type::headline) {
    if (allows_typing(rates_, m.from.bare_text(), m.to->bare_text(), c.settings().limits, c.now().steady)) {
      if (auto* pair = talk_.find_pair(m.from.bare_text(), m.to->bare_text(), c.now().steady);
          pair != nullptr)
        learn_states(m, x, *pair, c);
      follow_state(m, *x.state, talk_, c.now().steady);
      typing = typing_to_sip_.handle(m, *x.state, c);
    } else {
      c.counts().count(typing_drop::rate);
    }
  }
  ignore(report ? "report" : typing ? "typing" : "no_body");
  if (x.unknown.empty() || !c.logs(log_level::debug)) return;
  note(c, log_level::debug, "message.to_sip.ignored",
       {{}, {}, cut(m.id), m.from.to_string(), m.to->to_string()},
       {{"payload", cut(x.unknown.front()->name)}});
}

void pager_flow::handle_timeout(std::uint64_t key, context& c) {
  switch (space_of(key)) {
    case timer_space::pager_to_xmpp:
      if (!reports_.timed_out(key)) to_xmpp_.timed_out(key, c);
      break;
    case timer_space::typing_to_sip: typing_to_sip_.timed_out(number_of(key), c); break;
    case timer_space::typing_to_xmpp: typing_to_xmpp_.timed_out(number_of(key), c); break;
  }
  use_free_lanes(c);
}

void pager_flow::abandon(const work_end& why, context& c) {
  to_xmpp_.abandon(why, c);
  to_sip_.abandon(why, c);
  typing_to_xmpp_.abandon(why, c);
  typing_to_sip_.abandon(why, c);
  reports_.abandon(why, c);
  use_free_lanes(c);
}

std::vector<open_message> pager_flow::open_messages(std::string_view domain, std::size_t limit) const {
  auto out = to_xmpp_.open_messages(domain, limit);
  for (auto& m : to_sip_.open_messages(domain, limit)) out.push_back(std::move(m));
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.begun < b.begun; });
  if (out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace stox::gateway
