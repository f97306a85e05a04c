#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stox::payload {

/// Whether to_utf8 knows that charset (IANA names and the usual aliases, any case): UTF-8, US-ASCII,
/// ISO-8859-1, UTF-16, UTF-16BE, UTF-16LE. Empty means UTF-8 (RFC 3428 §4).
bool is_known_charset(std::string_view name);

/// The text in UTF-8. UTF-16 begins with a byte order mark, which goes, or is big endian (RFC 2781 §4.3); a
/// mark in front of UTF-8 goes as well (RFC 3629 §6). nullopt: the charset is not known, or the octets are
/// not of it (unpaired surrogates, half a code unit, high octets in US-ASCII).
std::optional<std::string> to_utf8(std::string_view octets, std::string_view charset);

}  // namespace stox::payload
