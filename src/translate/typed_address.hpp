#pragma once

#include <string_view>

#include "translate/address.hpp"
#include "xmpp/wire/stanza.hpp"

namespace stox::translate {

/// The bare JID of what a person typed into "add a contact" of a gateway (XEP-0100 §6.3): a URI of sip:, im:,
/// pres: or tel:, "bob@sip.example", a telephone number with "+" in any usual spelling, or the name of a user
/// (an extension too) of `home`, the XMPP domain that was asked. A number written as local ("030/1234") is
/// refused: nobody here knows whose local it is. Errors: jid-malformed with words for the one who typed.
boost::system::result<xmpp::jid, xmpp::stanza_error> typed_address(std::string_view typed,
                                                                   std::string_view home,
                                                                   const address_map& addresses);

}  // namespace stox::translate
