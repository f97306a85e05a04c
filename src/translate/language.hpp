#pragma once

#include <string_view>
#include <vector>

#include "xmpp/wire/stanza.hpp"

namespace stox::translate {

/// Whether `tag` has the shape of a language tag (RFC 3066 §2.1, which RFC 3261 §25.1 copies): nothing else
/// goes into a header or an xml:lang.
bool is_language_tag(std::string_view tag);

/// The text to send where only one can go: the first that is not empty in `lang`, else the first that is not
/// empty; nullptr if none is.
const xmpp::lang_text* choose(const std::vector<xmpp::lang_text>& texts, std::string_view lang);

}  // namespace stox::translate
