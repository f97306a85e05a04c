#pragma once

#include <string>

#include "sip/wire/message.hpp"
#include "sip/wire/uri.hpp"

namespace stox::translate {

/// What the header fields say with which every MESSAGE of ours begins.
struct message_head {
  std::string from;  ///< the value of From, without its tag
  std::string from_tag;
  std::string to;
  std::string call_id;
  std::string asserted;  ///< the value of P-Asserted-Identity; empty: it is not sent
};

/// A MESSAGE with these header fields, and without a Request-URI. RFC 3428 §4: no Contact.
sip::request begin_message(message_head h);

/// "<sip:alice@example.com>"
std::string angled(const sip::uri& u);
void add_angled(std::string& out, const sip::uri& u);

}  // namespace stox::translate
