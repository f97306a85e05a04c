#include "translate/receipt.hpp"

#include <algorithm>
#include <utility>

#include "payload/cpim.hpp"
#include "sip/wire/headers.hpp"
#include "translate/error.hpp"
#include "translate/message_head.hpp"
#include "xmpp/wire/xep/markers.hpp"
#include "xmpp/wire/xep/receipts.hpp"

namespace stox::translate::receipt {

namespace {

constexpr std::string_view receipts_ns = "urn:xmpp:receipts";
constexpr std::string_view markers_ns = "urn:xmpp:chat-markers:0";
constexpr std::size_t most = 4, longest_id = 256;

}  // namespace

void ask(xmpp::message& m, const payload::imdn_request& wanted) {
  if (wanted.message_id.empty()) return;
  if (wanted.positive_delivery) m.payloads.emplace_back("request", std::string(receipts_ns));
  if (wanted.display) m.payloads.emplace_back("markable", std::string(markers_ns));
}

std::vector<report> reports_of(const xmpp::message& m) {
  std::vector<report> out;
  for (const auto& p : m.payloads) {
    const bool receipt = p.is("received", receipts_ns);
    const bool displayed = p.is("displayed", markers_ns) || p.is("acknowledged", markers_ns);
    if (!receipt && !displayed && !p.is("received", markers_ns)) continue;
    const auto* id = p.attr("id");
    if (id == nullptr || id->empty() || id->size() > longest_id || out.size() == most) continue;
    report r{*id, displayed};
    if (std::find(out.begin(), out.end(), r) == out.end()) out.push_back(std::move(r));
  }
  return out;
}

std::optional<sip::request> to_sip(const xmpp::jid& from, const imdn_context& c,
                                   const address_map& addresses) {
  const auto speaker = addresses.to_sip(from.bare(), false);
  auto target = sip::parse_uri(c.to);
  if (!speaker || !target) return std::nullopt;
  const auto hop = first_hop(c.route);
  auto uri = sip::write(hop ? *hop : *target);
  target->params.clear();
  const auto own = angled(*speaker);
  auto r =
      begin_message({own, c.from_tag, angled(*target), c.call_id, c.assert_identity ? own : std::string()});
  r.uri = std::move(uri);
  r.headers.add(sip::header::content_type, "message/cpim");

  payload::imdn document{c.message_id, c.date_time, sip::write(*speaker), c.original_to, c.kind, c.status};
  // §11.1.2: it is mandatory, and says when the message was sent.
  if (document.date_time.empty()) document.date_time = c.now;
  const auto body = payload::write(document);
  payload::cpim m;
  m.from.push_back({{}, sip::write(*speaker)});
  m.to.push_back({{}, sip::write(*target)});
  m.date_time = c.now;
  // §7.2.1: a report has a Message-ID of its own, and asks for none (§7.2).
  payload::add_to(m, {c.own_id, false, false, false, false});
  for (const auto& value : c.route)
    m.extensions.push_back({std::string(payload::imdn_header_ns), "IMDN-Route", value});
  m.content = "Content-Type: message/imdn+xml\r\nContent-Disposition: notification\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body;
  r.body = payload::write(m);
  return r;
}

std::optional<sip::uri> first_hop(const std::vector<std::string>& route) {
  if (route.empty()) return std::nullopt;
  auto address = sip::parse_name_addr(route.front());
  if (!address || address->uri.scheme != "sip" || !address->uri.headers.empty()) return std::nullopt;
  return std::move(address->uri);
}

sip::request in_cpim(sip::request plain, const std::string& from, const std::string& to,
                     const payload::imdn_request& wanted, std::string date_time) {
  payload::cpim m;
  m.from.push_back({{}, from});
  m.to.push_back({{}, to});
  m.date_time = std::move(date_time);
  payload::add_to(m, wanted);
  const auto type = plain.headers.find(sip::header::content_type);
  m.content.append("Content-Type: ").append(type.value_or("text/plain")).append("\r\n");
  // Here for who unwraps it; for others it stays in the header (RFC 7572 §4).
  if (const auto language = plain.headers.find(sip::header::content_language))
    m.content.append("Content-Language: ").append(*language).append("\r\n");
  m.content += "\r\n" + plain.body;
  plain.headers.set(sip::header::content_type, "message/cpim");
  plain.body = payload::write(m);
  return plain;
}

xmpp::message to_xmpp(const reported& m, bool displayed, std::string own_id) {
  xmpp::message out;
  out.type = m.type;
  out.from = m.to;
  out.to = m.from;
  out.id = std::move(own_id);
  out.payloads.push_back(displayed ? xmpp::write(xmpp::marker{xmpp::marker::kind::displayed, m.id})
                                   : xmpp::receipts::write_received(m.id));
  return out;
}

std::string failure_of(const reported& m, const address_map& addresses) {
  // What is known is that it did not arrive; that is what 480 says of a message.
  auto e = translate::to_xmpp(480, {}, std::nullopt, addresses);
  e.text = "The SIP side reports that the message was not delivered";
  xmpp::message original;
  original.type = m.type;
  original.from = m.from;
  original.to = m.to;
  original.id = m.id;
  return xmpp::write_error_reply(xmpp::stanza(std::move(original)), e).value_or(std::string());
}

}  // namespace stox::translate::receipt
