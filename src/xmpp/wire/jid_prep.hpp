#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "xmpp/wire/jid.hpp"

/// The parts of a JID, each prepared by itself. ASCII text is handled here; anything else goes to ICU. All
/// results are fixed points: preparing one again gives the same text.
namespace stox::xmpp::prep {

/// RFC 7622 §3.2-3.4: octets of a prepared part.
inline constexpr std::size_t max_part = 1023;

/// Nodeprep (RFC 3920 appendix A). Errors: bad_local, too_long. The result may be empty: some characters map
/// to nothing.
result<std::string> localpart(std::string_view text);
/// Resourceprep (RFC 3920 appendix B). Errors: bad_resource, too_long.
result<std::string> resourcepart(std::string_view text);
/// Whether preparation changed nothing in a localpart but its case and the order of its accents (NFC): nobody
/// else's name was widened, taken apart or rid of invisible characters until it looked like this one.
bool differs_only_in_case(std::string_view text, std::string_view prepared);
/// UTS 46, non-transitional, STD3 rules: U-labels in lower case, without a trailing dot; IP literals in their
/// canonical text. Errors: empty_part, bad_domain, too_long.
result<std::string> domainpart(std::string_view text);
/// The same domain in A-labels.
result<std::string> ascii_domain(std::string_view text);

}  // namespace stox::xmpp::prep
