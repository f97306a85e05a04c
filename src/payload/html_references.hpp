#pragma once

#include <string>
#include <string_view>

namespace stox::payload {

/// Appends HTML's `s` with its character references decoded, the named ones of HTML 4 and the numeric ones;
/// one that is not known, or has no semicolon, stays as it is written. Controls become blanks. For this room
/// only.
void decode_references(std::string& out, std::string_view s);

}  // namespace stox::payload
