#pragma once

#include <optional>
#include <string>
#include <vector>

#include "payload/imdn.hpp"
#include "sip/wire/message.hpp"
#include "sip/wire/uri.hpp"
#include "translate/address.hpp"
#include "xmpp/wire/stanza.hpp"

/// Receipts and markers (XEP-0184, XEP-0333) for disposition notifications (RFC 5438), and back.
namespace stox::translate::receipt {

/// Asks the XMPP client for what the SIP sender wants to hear: <request/> for positive-delivery, <markable/>
/// for display. Nothing is asked where the message has no Message-ID to report about.
void ask(xmpp::message& m, const payload::imdn_request& wanted);

/// What a client says of a message that it got.
struct report {
  std::string id;  ///< of that message
  bool displayed = false;
  friend bool operator==(const report&, const report&) = default;
};
/// <received/> of XEP-0184; <received/>, <displayed/> and <acknowledged/> of XEP-0333. At most a few: a
/// message that reports has one.
std::vector<report> reports_of(const xmpp::message& m);

struct imdn_context {
  std::string to;          ///< the URI to which it goes, as the sender of the message spelled it
  std::string message_id;  ///< that he gave his message
  std::string date_time;   ///< its DateTime, as it stood; may be empty
  std::string own_id;      ///< Message-ID of the report
  std::string call_id, from_tag;
  std::string now;  ///< RFC 3339
  payload::imdn_kind kind = payload::imdn_kind::delivery;
  payload::imdn_status status = payload::imdn_status::delivered;
  bool assert_identity = true;
};
/// A MESSAGE with the report in CPIM, RFC 5438 §7.2.1, from the address to which the message went: a user,
/// not his device, or some clients do not know what it is about. nullopt: an address without SIP form.
std::optional<sip::request> to_sip(const xmpp::jid& from, const imdn_context& c,
                                   const address_map& addresses);

}  // namespace stox::translate::receipt
