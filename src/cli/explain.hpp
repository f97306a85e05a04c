#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/net_address.hpp"
#include "cli/errc.hpp"
#include "settings/settings.hpp"

namespace stox::cli {

/// Runs one SIP message or stanza through an engine in virtual time whose ids count (z9hG4bK-1, t-1, ...) and
/// whose peers take everything, and prints what goes in and out in the sections of a golden file, what was
/// dropped ("LOSS what: why") and the log. `from`: the SIP peer; by default one of sip.trusted_peers.
result<std::string> explain(std::string_view input, settings::all settings,
                            const std::optional<socket_address>& from);

}  // namespace stox::cli
