#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "payload/is_composing.hpp"
#include "payload/mime.hpp"
#include "sip/wire/message.hpp"
#include "translate/address.hpp"
#include "translate/loss.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/xep/chat_states.hpp"

/// Typing notices: chat states (XEP-0085) for isComposing documents (RFC 3994), and back, by RFC 7573 §6
/// Tables 3 and 4, but for idle: it becomes paused, as who stops typing is called by XEP-0085 §3
/// (docs/decisions/0031).
namespace stox::translate::composing {

/// Whether SIP calls it "active"; every other state is idle there.
constexpr bool is_active(xmpp::chat_state s) { return s == xmpp::chat_state::composing; }

/// What the flow adds to a notice.
struct sip_context {
  std::string call_id, from_tag;
  std::string gr;             ///< the SIP device meant, as a resource (unescaped); empty: his AOR
  std::string sip_user;       ///< the user part as its owner wrote it last (escaped); empty: the JID's form
  std::uint32_t refresh = 0;  ///< seconds until the next one, while somebody types
  bool assert_identity = true;
  std::string hop_mark = {};
};

/// A MESSAGE with the state. It has a Call-ID of its own, so that it can never be taken for a text. nullopt:
/// an address without SIP form.
std::optional<translated<sip::request>> to_sip(const xmpp::message& m, xmpp::chat_state s,
                                               const sip_context& c, const address_map& addresses);

/// The notice that a body of that type holds, itself or within CPIM. nullopt: it holds something else.
std::optional<result<payload::is_composing>> read(const payload::content_type& type, const std::string& body);

/// A stanza with <composing/> or <paused/>, not to be stored (XEP-0334). `thread`: of the conversation; may
/// be empty.
translated<xmpp::message> to_xmpp(const payload::is_composing& c, const std::string& id, xmpp::jid from,
                                  xmpp::jid to, const std::string& thread, const std::string& hop_mark);

}  // namespace stox::translate::composing
