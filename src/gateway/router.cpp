#include "gateway/router.hpp"

#include <variant>

#include "base/overloaded.hpp"
#include "gateway/report.hpp"
#include "xml/reader.hpp"
#include "xmpp/wire/stream.hpp"

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
                 [&](xmpp::link_down& r) {
                   // The fate of each stanza with a ref came by stanza_lost before.
                   for (const auto& text : r.unheard) unheard(text, domain, c);
                 },
                 [&](xmpp::stanza_received& r) { stanza(r.value, domain, c); },
                 [&](xmpp::stanza_refused& r) { refused(r, domain, c); },
                 [&](xmpp::stanza_sent& r) { pager_.handle(r, c); },
                 [&](xmpp::stanza_confirmed& r) { pager_.handle(r, c); },
                 [&](xmpp::stanza_lost& r) { pager_.handle(r, c); },
             },
             e);
}

void router::stanza(const xml::element& e, std::string_view domain, context& c) {
  const auto* type = e.attr("type");
  // An error is the answer to a message, not one.
  const bool is_message = e.name == "message" && (type == nullptr || *type != "error");
  if (is_message) c.counts().came_in(direction::to_sip);
  auto parsed = xmpp::parse_stanza(e);
  if (!parsed) {
    malformed(e, parsed.error(), domain, c);
    if (is_message) return c.counts().count(direction::to_sip, outcome::refused, "malformed", domain);
    return c.counts().count(aside::malformed_stanza);
  }
  const bool ours =
      std::visit([&](const auto& value) { return addressed(value.from, value.to, domain, c); }, *parsed);
  if (!ours && is_message)
    return c.counts().count(direction::to_sip, outcome::ignored, "foreign_domain", domain);
  if (!ours) return c.counts().count(aside::foreign_stanza);
  std::visit(overloaded{
                 [&](const xmpp::message& m) { pager_.handle(m, c); },
                 [&](const xmpp::iq& i) { service_.handle(i, c); },
                 [&](const xmpp::presence& p) { service_.handle(p, c); },
             },
             *parsed);
}

void router::malformed(const xml::element& e, const error& why, std::string_view domain, context& c) {
  const bool address = why.code == make_error_code(xmpp::stanza_errc::bad_address);
  const xmpp::stanza_error refusal{xmpp::error_type::modify,
                                   address ? xmpp::condition::jid_malformed : xmpp::condition::bad_request,
                                   why.detail,
                                   {}};
  answer_unread(e, refusal, why, domain, c);
}

/// A stanza that is too deep, or of too many parts: its sender hears it, and the link serves the others.
void router::refused(const xmpp::stanza_refused& r, std::string_view domain, context& c) {
  const auto* type = r.head.attr("type");
  const bool is_message = r.head.name == "message" && (type == nullptr || *type != "error");
  if (is_message) c.counts().came_in(direction::to_sip);
  answer_unread(
      r.head,
      {xmpp::error_type::modify, xmpp::condition::policy_violation, "The stanza has too many parts", {}},
      r.why, domain, c);
  if (is_message) return c.counts().count(direction::to_sip, outcome::refused, "parts", domain);
  c.counts().count(aside::malformed_stanza);
}

void router::answer_unread(const xml::element& e, const xmpp::stanza_error& refusal, const error& why,
                           std::string_view domain, context& c) {
  if (c.logs(log_level::info)) {
    c.log(
        {log_level::info, "xmpp.malformed", {}, {{"domain", std::string(domain)}, {"why", why.to_string()}}});
  }
  const auto reply = xmpp::write_error_reply(e, refusal);
  if (!reply) return;
  // There is a reply only where the sender's address can be read.
  const auto sender = xmpp::jid::parse(*e.attr("from"));
  if (!c.send_or_queue(domain, sender ? sender->domain : std::string(), *reply))
    sender_unreachable(c, {}, domain, "malformed");
}

// XEP-0114: a server gives a component only what is addressed to its domain, from somebody else's. Anything
// else is a spoof or a loop; answering it would only feed the loop.
bool router::addressed(const xmpp::jid& from, const std::optional<xmpp::jid>& to, std::string_view domain,
                       const context& c) {
  return to && to->domain == domain && from.domain != domain && !c.domains().serves_xmpp(from.domain);
}

/// The link ended before the server confirmed an error stanza: its receiver may not know what became of his
/// message.
void router::unheard(const std::string& text, std::string_view domain, context& c) {
  const auto element = xml::parse(text, {}, xmpp::component_ns);
  const auto parsed = element ? xmpp::parse_stanza(*element) : xmpp::stanza_errc::not_a_stanza;
  const auto* m = parsed ? std::get_if<xmpp::message>(&*parsed) : nullptr;
  if (m == nullptr || m->type != xmpp::message_type::error || !m->to) return;
  sender_unreachable(c, {{}, {}, m->id, m->to->to_string(), m->from.to_string()}, domain, "shutdown");
}

void router::handle_timeout(const timer_key& key, context& c) { pager_.handle_timeout(key.id, c); }

}  // namespace stox::gateway
