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
  std::string to;                       ///< the URI to which it goes, as the sender of the message spelled it
  std::string message_id;               ///< that he gave his message
  std::string date_time;                ///< its DateTime, as it stood; may be empty
  std::vector<std::string> route = {};  ///< its IMDN-Record-Routes
  std::string original_to = {};         ///< the URI of its Original-To; may be empty
  std::string own_id;                   ///< Message-ID of the report
  std::string call_id, from_tag;
  std::string now;  ///< RFC 3339
  payload::imdn_kind kind = payload::imdn_kind::delivery;
  payload::imdn_status status = payload::imdn_status::delivered;
  bool assert_identity = true;
};
/// A MESSAGE with the report in CPIM, RFC 5438 §7.2.1, from the address to which the message went: a user,
/// not his device, or some clients do not know what it is about. It is addressed to the first hop of the
/// route, if there is one. nullopt: an address without SIP form.
std::optional<sip::request> to_sip(const xmpp::jid& from, const imdn_context& c,
                                   const address_map& addresses);

/// The URI of the first IMDN-Route; nullopt: there is none, or it is no SIP URI.
std::optional<sip::uri> first_hop(const std::vector<std::string>& route);

/// The same message, a text, in CPIM, asking for what is wanted (RFC 5438 §7.1.1). `from`, `to`: URIs of
/// users. Header fields that say something about the text stay where they are; its language stands beside it,
/// too.
sip::request in_cpim(sip::request plain, const std::string& from, const std::string& to,
                     const payload::imdn_request& wanted, std::string date_time);

/// A message of an XMPP user, of which a SIP user reports.
struct reported {
  xmpp::jid from;  ///< who sent it: his full JID
  xmpp::jid to;    ///< the SIP user
  std::string id;
  xmpp::message_type type{};
};
/// <received/> of XEP-0184, or <displayed/> of XEP-0333. `own_id`: of the new stanza.
xmpp::message to_xmpp(const reported& m, bool displayed, std::string own_id);
/// The error stanza of a message that was not delivered (RFC 5438 §5.1, "failed").
std::string failure_of(const reported& m, const address_map& addresses);

}  // namespace stox::translate::receipt
