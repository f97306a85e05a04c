#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The digest of RFC 7616 (in SIP: RFC 3261 §22.4, RFC 8760) as pure functions: nonces and their lifetimes
/// are the caller's.
namespace stox::sip {

enum class digest_algorithm : std::uint8_t {
  md5,
  md5_sess,
  sha256,
  sha256_sess,
  sha512_256,
  sha512_256_sess
};
std::optional<digest_algorithm> parse_digest_algorithm(std::string_view token);  ///< without case
std::string_view to_string(digest_algorithm a);  ///< as headers name it: "SHA-256-sess"
bool is_session(digest_algorithm a);             ///< one of those that end in "-sess"

/// H(username:realm:password): what a user database keeps instead of a password; the same for an algorithm
/// and its -sess. Lower-case hex.
std::string digest_secret(digest_algorithm a, std::string_view username, std::string_view realm,
                          std::string_view password);

/// H(username:realm), which stands in `username` when `userhash=true` (RFC 7616 §3.4.4). Lower-case hex.
std::string digest_userhash(digest_algorithm a, std::string_view username, std::string_view realm);

/// What a response is computed over besides the secret. Texts without quotes.
struct digest_input {
  std::string_view method;  ///< empty for rspauth, RFC 7616 §3.5
  std::string_view uri;     ///< digest-uri, exactly as in the credentials
  std::string_view nonce;
  std::string_view cnonce;
  std::string_view nonce_count;  ///< eight hex digits; not used without qop
  std::string_view qop;          ///< "" (RFC 2069's form), "auth" or "auth-int"
  std::string_view body;         ///< counts for auth-int only
};

/// request-digest (or rspauth) in lower-case hex.
std::string digest_response(digest_algorithm a, std::string_view secret, const digest_input& in);

}  // namespace stox::sip
