#pragma once

#include <string>
#include <string_view>

#include "xmpp/wire/stanza.hpp"

/// Shared by the files that implement stanza.hpp.
namespace stox::xmpp {

/// RFC 6120 §8.3.2: the namespace of error conditions and of their text.
inline constexpr std::string_view stanzas_ns = "urn:ietf:params:xml:ns:xmpp-stanzas";

/// Appends <error/> as it stands in a stanza.
void write_error_to(std::string& out, const stanza_error& e);

}  // namespace stox::xmpp
