#include "gateway/router.hpp"

#include <variant>

#include "base/overloaded.hpp"

namespace stox::gateway {

void router::handle(sip::event& e, context& c) {
  std::visit(overloaded{
                 [&](sip::request_received& r) {
                   if (r.request.method == sip::method::message) return pager_.handle(r, c);
                   // Admission lets only served methods pass; one without a flow is a gap in ours, not the
                   // sender's fault.
                   c.respond(r.tx, {501, "", {}, ""});
                 },
                 [&](sip::request_cancelled& r) {
                   c.respond(r.tx, {487, "", {}, ""});
                 },
                 [&](sip::response_received& r) { pager_.handle(r, c); },
                 [&](sip::request_failed& r) { pager_.handle(r, c); },
             },
             e);
}

void router::handle(xmpp::component_event& e, std::string_view domain, context& c) {
  std::visit(overloaded{
                 [&](xmpp::link_up&) { pager_.link_up(domain, c); },
                 [](xmpp::link_down&) { /* each stanza's fate came by stanza_lost before */ },
                 [&](xmpp::stanza_received& r) { stanza(r.value, domain, c); },
                 [&](xmpp::stanza_sent& r) { pager_.handle(r, c); },
                 [&](xmpp::stanza_confirmed& r) { pager_.handle(r, c); },
                 [&](xmpp::stanza_lost& r) { pager_.handle(r, c); },
             },
             e);
}

void router::stanza(const xml::element& e, std::string_view domain, context& c) {
  auto parsed = xmpp::parse_stanza(e);
  if (!parsed) {
    const bool address = parsed.error().code == make_error_code(xmpp::stanza_errc::bad_address);
    const xmpp::stanza_error why{xmpp::error_type::modify,
                                 address ? xmpp::condition::jid_malformed : xmpp::condition::bad_request,
                                 parsed.error().detail,
                                 {}};
    if (c.logs(log_level::info)) {
      c.log({log_level::info,
             "xmpp.malformed",
             {},
             {{"domain", std::string(domain)}, {"why", parsed.error().to_string()}}});
    }
    if (const auto reply = xmpp::write_error_reply(e, why)) c.send_or_queue(domain, *reply);
    c.counts().count(direction::to_sip, outcome::refused, "malformed");
    return;
  }
  // XEP-0114: a server gives a component only what is addressed to its domain, from somebody else's. Anything
  // else is a spoof or a loop; answering it would only feed the loop.
  const auto addressed = [&](const xmpp::jid& from, const std::optional<xmpp::jid>& to) {
    if (to && to->domain == domain && from.domain != domain && !c.domains().serves_xmpp(from.domain))
      return true;
    c.counts().count(direction::to_sip, outcome::ignored, "foreign_domain");
    return false;
  };
  std::visit(overloaded{
                 [&](const xmpp::message& m) {
                   if (addressed(m.from, m.to)) pager_.handle(m, c);
                 },
                 [&](const xmpp::iq& i) {
                   if (addressed(i.from, i.to)) service_.handle(i, c);
                 },
                 [&](const xmpp::presence& p) {
                   if (addressed(p.from, p.to)) service_.handle(p, c);
                 },
             },
             *parsed);
}

void router::handle_timeout(const timer_key& key, context& c) { pager_.handle_timeout(key.id, c); }

}  // namespace stox::gateway
