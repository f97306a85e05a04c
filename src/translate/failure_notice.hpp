#pragma once

#include <optional>
#include <string>

#include "sip/wire/message.hpp"
#include "translate/address.hpp"
#include "xmpp/wire/stanza.hpp"

namespace stox::translate {

struct failure_notice_context {
  std::string beginning;  ///< of the text that was not delivered
  std::string sip_user;   ///< the sender's user part as he wrote it (escaped); empty: the JID's form
  std::string call_id, from_tag;
  bool assert_identity = true;
};

/// A short MESSAGE from the gateway's own address of that domain, to whom the stanza error is addressed: his
/// text, which was accepted, did not arrive after all. nullopt: he has no SIP form.
std::optional<sip::request> failure_notice(const xmpp::message& error, const failure_notice_context& c,
                                           const address_map& addresses);

}  // namespace stox::translate
