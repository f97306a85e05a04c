#include <string>
#include <utility>

#include "gateway/learn.hpp"
#include "gateway/pager_to_sip.hpp"
#include "sip/wire/headers.hpp"
#include "translate/pager.hpp"

// In which form pager_to_sip sends a message whose sender asks for receipts, and what reports of it are
// taken.
namespace stox::gateway {

namespace {

known known_of(const peer_caps* caps, feature f) { return caps != nullptr ? caps->of(f) : known::unknown; }

const peer_caps* caps_of(const xmpp::jid& user, context& c) {
  const auto name = peer_name(user, c.domains());
  return name ? c.peers().find(*name, c.now()) : nullptr;
}

}  // namespace

std::size_t pager_to_sip::size_of(const sip::request& r) {
  return sizeof(sip::outgoing) + r.uri.size() + r.body.size() + r.headers.memory();
}

std::size_t pager_to_sip::weight_of(const wish* w) {
  if (w == nullptr) return 0;
  return sizeof(wish) + w->report_id.size() + (w->plain ? size_of(w->plain->request) : 0);
}

std::unique_ptr<pager_to_sip::wish> pager_to_sip::wish_of(const xmpp::message& m, const xmpp::extras& x,
                                                          const std::string& host, context& c) {
  // XEP-0184 §5.1, XEP-0333: a receipt names the message by its id.
  if (m.id.empty() || !(x.receipt_request || x.markable)) return nullptr;
  auto out = std::make_unique<wish>();
  out->received = x.receipt_request;
  out->displayed = x.markable;
  // RFC 5438 §6.3: nobody can guess it.
  if (asks_in_cpim(*m.to, c.domains().rules_of(host), c)) out->report_id = c.ids().next(id_kind::stanza);
  return out;
}

bool pager_to_sip::asks_in_cpim(const xmpp::jid& to, const tenant& rules, context& c) {
  const auto* caps = caps_of(to, c);
  const auto takes = [&](feature f) {
    switch (known_of(caps, f)) {
      case known::yes: return true;
      case known::no: return false;
      case known::unknown: return rules.first_form == settings::first_form::cpim;
    }
    return false;
  };
  return takes(feature::cpim) && takes(feature::imdn);
}

receipt_key pager_to_sip::report_key(const origin& o) {
  return {true, o.from.bare_text(), o.to.bare_text(), o.asked->report_id};
}

void pager_to_sip::await_reports(origin& o, context& c) {
  if (!o.asked) return;
  auto& w = *o.asked;
  if (!w.plain) {
    // COMPAT(linphone 5.1): reports of every text, and names one without CPIM by its Call-ID.
    const bool may_come = known_of(caps_of(o.to, c), feature::imdn) != known::no;
    w.report_id = may_come ? o.call_id : std::string();
  }
  if (w.report_id.empty()) return;
  receipt_row row;
  row.key = report_key(o);
  row.delivered = w.received;
  row.displayed = w.displayed;
  row.original_id = o.id;
  row.reply_to = o.from.to_string();
  row.call_id = o.call_id;
  row.type = xmpp::to_string(o.type);
  row.domain = o.to.domain;
  c.receipts().open(std::move(row), c.now(), c);
}

bool pager_to_sip::heard_form(place& at, const sip::response_received& e, context& c) {
  const auto& o = *at.second.pending;
  const bool rich = is_rich(o);
  learn_from(e.response, o.to, rich ? std::span<const feature>(imdn_form) : std::span<const feature>(), c);
  if (!rich || !refuses_form(e.response)) return false;
  c.counts().count(aside::form_refused);
  // They go to the same client, which would refuse each of them.
  for (auto& q : at.second.waiting) {
    if (is_rich(q.sender)) make_plain(q, c);
  }
  say_plainly(at, "refused in CPIM", c);
  return true;
}

void pager_to_sip::say_plainly(place& at, std::string_view why, context& c) {
  auto& o = *at.second.pending;
  auto& w = *o.asked;
  c.receipts().close(report_key(o), c);
  auto plain = *std::move(w.plain);
  w.plain.reset();
  // A report of the refused one names that; also some clients drop what has a Call-ID that they know.
  const auto thread = translate::pager::thread_of(o.call_id);
  const auto fresh = c.ids().next(id_kind::call_id);
  o.call_id = thread == o.call_id ? fresh : translate::pager::call_id_of(thread, fresh);
  plain.request.headers.set(sip::header::call_id, o.call_id);
  if (at.second.again) at.second.again = plain;
  note_plain(o, why, c);
  await_reports(o, c);
  open_.emplace(c.request(std::move(plain)), &at);
}

void pager_to_sip::make_plain(queued& q, context& c) {
  auto& o = q.sender;
  c.receipts().close(report_key(o), c);
  q.out = *std::move(o.asked->plain);
  o.asked->plain.reset();
  note_plain(o, "refused in CPIM", c);
  await_reports(o, c);
}

void pager_to_sip::note_plain(const origin& o, std::string_view why, context& c) {
  const auto& w = *o.asked;
  const auto lose = [&](bool asked, std::string_view what) {
    if (!asked) return;
    c.counts().count_losses(direction::to_sip, 1);
    if (c.logs(log_level::debug))
      note(c, log_level::debug, "message.loss", about_of(o),
           {{"what", std::string(what)}, {"why", std::string(why)}});
  };
  lose(w.received, "message/request");
  lose(w.displayed, "message/markable");
  if (c.logs(log_level::info))
    note(c, log_level::info, "message.to_sip.plain", about_of(o), {{"why", std::string(why)}});
}

}  // namespace stox::gateway
