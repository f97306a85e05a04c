#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stox::payload {

/// 7bit, 8bit, binary, quoted-printable, base64, any case; empty means none.
bool is_known_transfer(std::string_view encoding);

/// Undoes a Content-Transfer-Encoding, RFC 2045 §6. Line ends and characters outside base64's alphabet are
/// passed over (§6.8). nullopt: an encoding that is not known, or text that is not of it.
std::optional<std::string> decode_transfer(std::string_view text, std::string_view encoding);

}  // namespace stox::payload
