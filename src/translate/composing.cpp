#include "translate/composing.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "payload/cpim.hpp"
#include "payload/imdn.hpp"
#include "sip/wire/headers.hpp"
#include "translate/loop.hpp"
#include "translate/message_head.hpp"
#include "translate/payload_loss.hpp"
#include "xmpp/wire/xep/hints.hpp"

namespace stox::translate::composing {

namespace {

constexpr std::string_view media_type = "application/im-iscomposing+xml";

std::vector<loss> losses_of(const xmpp::message& m, xmpp::chat_state s, const sip_context& c) {
  loss_list losses;
  if (!m.id.empty()) losses.add("message@id", "nothing answers a typing notice");
  if (m.type == xmpp::message_type::normal) losses.add("message@type", "SIP has no types of messages");
  if (c.gr.empty() && !m.to->resource.empty()) losses.add("message@to", "sent to the address of record");
  if (m.thread && !m.thread->empty())
    losses.add("message/thread", "a typing notice has a Call-ID of its own");
  if (m.thread_parent) losses.add("message/thread@parent", "no counterpart in a MESSAGE");
  for (const auto& p : m.payloads) {
    if (p.is("no-store", xmpp::hints::ns)) continue;  // a notice is stored by nobody
    const auto state = xmpp::parse_chat_state(p);
    if (!state) {
      add_payload_loss(losses, p, {});
    } else if (s != xmpp::chat_state::composing && s != xmpp::chat_state::paused) {
      losses.add("message/" + std::string(to_string(*state)), "SIP knows active and idle");
    }
  }
  return losses.take();
}

bool is_notice(const payload::content_type& type) { return type.is("application", "im-iscomposing+xml"); }

/// Whether it is worth the time to take the CPIM apart: nearly all of it holds text.
bool may_hold_notice(const std::string& body) {
  static constexpr std::string_view name = "iscomposing";
  return std::search(body.begin(), body.end(), name.begin(), name.end(),
                     [](char a, char b) { return text::lower(a) == b; }) != body.end();
}

}  // namespace

std::optional<translated<sip::request>> to_sip(const xmpp::message& m, xmpp::chat_state s,
                                               const sip_context& c, const address_map& addresses) {
  using sip::header;
  if (!m.to) return std::nullopt;
  const auto from = addresses.to_sip(m.from, true);
  auto callee = m.to->bare();
  auto aor = addresses.to_sip(callee, false);
  if (!from || !aor) return std::nullopt;
  // RFC 3261 §19.1.4: a user part is case-sensitive, a localpart is not.
  if (!c.sip_user.empty()) aor->user = c.sip_user;

  translated<sip::request> out;
  auto& r = out.value;
  auto user = *from;
  user.params.clear();
  r = begin_message(
      {angled(*from), c.from_tag, angled(*aor), c.call_id, c.assert_identity ? angled(user) : std::string()});
  r.headers.add(header::content_type, std::string(media_type));
  if (!c.hop_mark.empty()) r.headers.add_other(std::string(hop_header), c.hop_mark);
  payload::is_composing state;
  state.active = is_active(s);
  state.content_type = "text/plain";
  // RFC 3994 §3.2: no refresh messages are sent in "idle" state.
  if (state.active && c.refresh > 0) state.refresh = c.refresh;
  r.body = payload::write(state);
  if (!c.gr.empty()) {
    callee.resource = c.gr;
    aor = addresses.to_sip(callee, true);
    if (!aor) return std::nullopt;
    if (!c.sip_user.empty()) aor->user = c.sip_user;
  }
  r.uri = sip::write(*aor);
  out.losses = losses_of(m, s, c);
  return out;
}

std::optional<result<payload::is_composing>> read(const payload::content_type& type,
                                                  const std::string& body) {
  if (is_notice(type)) return payload::parse_is_composing(body);
  if (!type.is("message", "cpim") || !may_hold_notice(body)) return std::nullopt;
  // What is broken in the CPIM itself is told by who reads it for its text.
  const auto m = payload::parse_cpim(body);
  if (!m || !payload::is_understood(*m)) return std::nullopt;
  const auto inner = payload::parse_entity(m->content);
  if (!inner || !is_notice(inner->type)) return std::nullopt;
  return payload::parse_is_composing(inner->body);
}

translated<xmpp::message> to_xmpp(const payload::is_composing& c, const std::string& id, xmpp::jid from,
                                  xmpp::jid to, const std::string& thread, const std::string& hop_mark) {
  translated<xmpp::message> out;
  auto& m = out.value;
  m.from = std::move(from);
  m.to = std::move(to);
  m.id = id;
  // XEP-0085 §5.4: notices belong to chats. §5.7: they name the thread where there is one.
  m.type = xmpp::message_type::chat;
  if (!thread.empty()) m.thread = thread;
  m.payloads.push_back(xmpp::write(c.active ? xmpp::chat_state::composing : xmpp::chat_state::paused));
  m.payloads.emplace_back("no-store", std::string(xmpp::hints::ns));
  if (!hop_mark.empty()) m.payloads.push_back(shim_of(hop_mark));
  loss_list losses;
  if (!c.content_type.empty() && !text::istarts_with(c.content_type, "text"))
    losses.add("isComposing contenttype", "a chat state does not say what is composed");
  if (!c.last_active.empty()) losses.add("isComposing lastactive", "a chat state has no time");
  out.losses = losses.take();
  return out;
}

}  // namespace stox::translate::composing
