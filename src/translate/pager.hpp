#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "payload/imdn.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/message.hpp"
#include "translate/address.hpp"
#include "translate/error.hpp"
#include "translate/loss.hpp"
#include "translate/sip_content.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/xep/extras.hpp"

namespace stox::translate::pager {

/// What the conversation adds to a MESSAGE: RFC 7572 leaves these to the gateway.
struct sip_context {
  std::string call_id;  ///< from the conversation; holds the thread, see call_id_of
  std::string from_tag;
  std::string gr;  ///< the SIP device meant, as a resource (unescaped), for the Request-URI; empty: his AOR
  std::string
      sip_user;  ///< the user part of the AOR as its owner wrote it last (escaped); empty: the JID's form
  bool assert_identity = true;             ///< add P-Asserted-Identity (only towards trusted peers)
  std::string hop_mark;                    ///< value of our loop header, see loop.hpp; empty: none
  std::optional<std::string> quoted = {};  ///< the beginning of the message that quoted_id (chat_text.hpp)
                                           ///< names, where it is known
  wall_time now = {};
  /// imdn.Message-ID, where the recipient is asked for reports (RFC 5438); empty: he is not.
  std::string message_id = {};
};

/// A MESSAGE, and the same one without CPIM, for who refuses that or where it is too long.
struct to_sip_result : translated<sip::request> {
  std::optional<sip::request> plain;  ///< none: `value` is plain itself
};

/// RFC 7572 §4: subject, language, UTF-8 body. Only messages that are content::text (chat_text.hpp) come
/// here; `x`: what read_extras gave. One body is chosen by language: the stanza's own, else the first; others
/// are named as losses. What payloads say is put into words; a nickname becomes From's display name, a delay
/// Date. The resource goes into From's gr. Lines end in CRLF (RFC 2046 §4.1.1). With a message_id the text is
/// in CPIM, and asks for delivery notifications for <request/>, for display for <markable/>. Errors: the
/// stanza error for the sender (jid-malformed, not-acceptable: no text, or encrypted).
boost::system::result<to_sip_result, xmpp::stanza_error> to_sip(const xmpp::message& m, const xmpp::extras& x,
                                                                const sip_context& c,
                                                                const address_map& addresses);

struct xmpp_context {
  std::string id;  ///< of the new stanza
  xmpp::message_type type = xmpp::message_type::chat;
  std::string resource;  ///< of the recipient, when he spoke from it in this conversation; empty: bare JID
  std::string hop_mark;
  wall_time now = {};
  bool xhtml = false;        ///< HTML keeps its form beside the plain text (XEP-0071)
  bool chat_states = false;  ///< the recipient's client understands them, XEP-0085
};

/// A stanza, and what its SIP sender wants to hear of it (RFC 5438).
struct to_xmpp_result : translated<xmpp::message> {
  payload::imdn_request wanted;
  imdn_path path;         ///< where that goes
  std::string date_time;  ///< of its CPIM, as it stood; may be empty
};

/// RFC 7572 §5, for the content that sip_content.hpp reads. `display`, the sender's display name, becomes
/// <nick/>, and a DateTime or Date in the past <delay/>: requests come only from peers who are trusted for
/// their domain. `from` is the authorised identity (identity.hpp). A `gr` in the Request-URI names the
/// resource; in a normal message only if it is also c.resource. Errors: the SIP answer for the sender (400:
/// no text, or not what its charset says; 404; 415; 416).
boost::system::result<to_xmpp_result, sip_status> to_xmpp(const sip::request& r, const sip::essentials& head,
                                                          const sip::uri& request_uri, const sip::uri& from,
                                                          const std::string& display, const xmpp_context& c,
                                                          const address_map& addresses);
/// The same where the addresses and the body's type were read before; `from` holds the device of `speaker`.
boost::system::result<to_xmpp_result, sip_status> to_xmpp(const sip::request& r, const sip::essentials& head,
                                                          const result<payload::content_type>& type,
                                                          const sip::uri& speaker, xmpp::jid from,
                                                          xmpp::jid to, const std::string& display,
                                                          const xmpp_context& c);

/// The answer to a request whose Request-URI is no address, `e` of address_map::to_jid.
sip_status no_recipient(const error& e);

/// A thread is free text, a Call-ID is word[@word] (RFC 3261 §25.1): a thread that is a legal Call-ID of at
/// most 128 bytes is kept as it is, any other is written as "th-" + its hex (or, too long, "th5-" + a
/// SHA-256), from which thread_of gives it back where it can.
std::string call_id_of(std::string_view thread);
/// That of one message of the thread; `message` holds characters of a word and tells it from all others.
std::string call_id_of(std::string_view thread, std::string_view message);
/// Of either.
std::string thread_of(std::string_view call_id);

}  // namespace stox::translate::pager
