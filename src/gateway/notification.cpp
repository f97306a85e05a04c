#include "gateway/notification.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "gateway/learn.hpp"
#include "gateway/report.hpp"
#include "payload/cpim.hpp"
#include "payload/imdn.hpp"
#include "translate/receipt.hpp"

namespace stox::gateway {

namespace {

constexpr std::size_t max_logged_id = 128;  ///< bytes; it is the peer's, and ours are much shorter

/// Nothing: they can all not be read.
using reports = std::vector<payload::imdn>;

/// §8.3: several are aggregated in a multipart. One that has a text is a message.
std::optional<reports> reports_of(const payload::content_type& type, std::string_view body) {
  if (type.is("message", "imdn+xml")) return payload::find_imdns(type, body);
  if (type.type != "multipart") return std::nullopt;
  auto all = payload::find_imdns(type, body);
  if (all.empty() || payload::read_text(type, body)) return std::nullopt;
  return all;
}

/// §9: an IMDN is known by its content. What is broken around it is left to whoever reads messages.
std::optional<reports> reports_in(const payload::content_type& type, std::string_view body) {
  if (!type.is("message", "cpim")) return reports_of(type, body);
  const auto m = payload::parse_cpim(body);
  if (!m || !payload::is_understood(*m)) return std::nullopt;
  const auto inner = payload::parse_entity(m->content);
  return inner ? reports_of(inner->type, inner->body) : std::nullopt;
}

/// RFC 5438 §5.1: "forbidden" and "error" do not say that a message failed, only that nobody will tell.
std::optional<receipt_kind> kind_of(const payload::imdn& d) {
  switch (d.status) {
    case payload::imdn_status::delivered: return receipt_kind::delivered;
    case payload::imdn_status::failed: return receipt_kind::failed;
    case payload::imdn_status::displayed: return receipt_kind::displayed;
    case payload::imdn_status::processed:
    case payload::imdn_status::stored:
    case payload::imdn_status::forbidden:
    case payload::imdn_status::error: return std::nullopt;
  }
  return std::nullopt;
}

xmpp::message_type type_of(std::string_view word) {
  for (const auto t : {xmpp::message_type::chat, xmpp::message_type::headline})
    if (word == xmpp::to_string(t)) return t;
  return xmpp::message_type::normal;
}

sip::reply answer(std::uint16_t status, std::string reason) {
  sip::reply r;
  r.status = status;
  r.reason = std::move(reason);
  return r;
}

}  // namespace

void tell_sender(const receipt_row& asked, receipt_kind what, conversations& talk, context& c) {
  const auto from = xmpp::jid::parse(asked.reply_to), to = xmpp::jid::parse(asked.key.aor);
  if (!from || !to) return;
  const about a{{}, asked.call_id, asked.original_id, asked.reply_to, asked.key.aor};
  if (c.logs(log_level::info))
    note(c, log_level::info, "message.to_sip.reported", a, {{"what", std::string(to_string(what))}});
  const translate::receipt::reported m{*from, *to, asked.original_id, type_of(asked.type)};
  if (what != receipt_kind::failed) {
    const auto stanza =
        translate::receipt::to_xmpp(m, what == receipt_kind::displayed, c.ids().next(id_kind::stanza));
    if (c.send_or_queue(asked.domain, from->domain, xmpp::write(stanza)))
      c.counts().count(aside::receipt_sent);
    return;
  }
  c.counts().count(aside::late_failure);
  if (auto* pair = talk.find_pair(asked.key.jid, asked.key.aor, c.now().steady); pair != nullptr)
    pair->texts.forget(direction::to_sip, asked.original_id);
  if (!c.send_or_queue(asked.domain, from->domain, translate::receipt::failure_of(m, c.domains().addresses)))
    sender_unreachable(c, a, asked.domain, "late_failure");
}

std::optional<sip::reply> take_notifications(const payload::content_type& type, const std::string& body,
                                             const xmpp::jid& sender, const xmpp::jid& target,
                                             conversations& talk, context& c) {
  const auto all = reports_in(type, body);
  if (!all) return std::nullopt;
  if (all->empty()) return answer(400, "Bad IMDN");
  // Also inside CPIM, whose own type says nothing of it.
  learn({{{feature::imdn, true, learned_by::received}}, {}}, sender, c);
  for (const auto& d : *all) {
    const receipt_key key{true, target.bare_text(), sender.bare_text(), d.message_id};
    const auto what = kind_of(d);
    const auto asked = what ? c.receipts().take(key, *what, c.now(), c) : std::nullopt;
    if (asked) {
      tell_sender(*asked, *what, talk, c);
      continue;
    }
    c.counts().count(aside::report_unmatched);
    // Anybody can send them, as many as he likes: never above debug.
    if (c.logs(log_level::debug)) {
      note(c, log_level::debug, "message.to_sip.report_unmatched", {{}, {}, {}, key.aor, key.jid},
           {{"what", what ? std::string(to_string(*what)) : std::string("of no use")},
            {"message_id", std::string(text::utf8_prefix(d.message_id, max_logged_id))}});
    }
  }
  return answer(200, {});
}

}  // namespace stox::gateway
