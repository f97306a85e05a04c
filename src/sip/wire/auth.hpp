#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/redacted.hpp"
#include "sip/wire/digest.hpp"
#include "sip/wire/message.hpp"
#include "sip/wire/uri.hpp"

/// Headers of authentication: RFC 3261 §20.7, §20.27, §20.28, §20.44, §22, with RFC 7616 and RFC 8760. Each
/// field holds one value; a message with several realms or algorithms has several fields.
namespace stox::sip {

/// A challenge or credentials of any scheme.
struct auth_value {
  std::string scheme;   ///< as received; compare without case
  std::string token68;  ///< "Basic dXNlcg==": then there are no parameters
  param_list params;    ///< values as received, quotes included
  bool is(std::string_view name) const;
  friend bool operator==(const auth_value&, const auth_value&) = default;
};
result<auth_value> parse_auth(std::string_view value);
std::string write(const auth_value& v);

/// Digest of WWW-Authenticate and Proxy-Authenticate.
struct digest_challenge {
  std::string realm, nonce;
  std::optional<std::string> opaque, domain;
  std::string algorithm_name;  ///< as received; empty when absent
  std::optional<digest_algorithm>
      algorithm;  ///< MD5 when absent (RFC 7616 §3.3); nullopt: one that we do not know
  bool stale = false;
  std::vector<std::string> qop;  ///< lower case; empty: RFC 2069's form
  bool userhash = false;
  bool offers(std::string_view q) const;
  friend bool operator==(const digest_challenge&, const digest_challenge&) = default;
};
/// Errors: bad_header, also when the scheme is another one.
result<digest_challenge> parse_digest_challenge(std::string_view value);
std::string write(const digest_challenge& c);

/// What a client answers: for each realm the topmost challenge whose algorithm and qop it knows (RFC 8760
/// §2.4).
std::vector<digest_challenge> usable_challenges(const header_list& headers, header which);

/// Digest of Authorization and Proxy-Authorization.
struct digest_credentials {
  std::string username;  ///< decoded when it came as username* (RFC 7616 §3.4); the hash when userhash
  std::string realm, nonce, uri, response;
  std::string algorithm_name;
  std::optional<digest_algorithm> algorithm;
  std::optional<std::string> cnonce, opaque;
  std::string qop;                           ///< lower case; empty: RFC 2069's form
  std::optional<std::uint32_t> nonce_count;  ///< required with qop, as cnonce is
  bool userhash = false;
  friend bool operator==(const digest_credentials&, const digest_credentials&) = default;
};
result<digest_credentials> parse_digest_credentials(std::string_view value);
std::string write(const digest_credentials& c);

/// A user of a realm, as it is configured.
struct digest_account {
  std::string realm;
  std::string username;  ///< UTF-8
  redacted password;
  friend bool operator==(const digest_account&, const digest_account&) = default;
};
/// The credentials that answer a challenge of the account's realm (RFC 3261 §22.4, RFC 7616 §3.4). `uri`: the
/// Request-URI as it is written. The challenge's algorithm is known and it offers auth, auth-int or no qop.
digest_credentials respond(const digest_challenge& c, const digest_account& who, std::string_view method,
                           std::string_view uri, std::string_view body, std::uint32_t nonce_count,
                           std::string_view cnonce);

/// nc as it is written and hashed: eight lower-case hex digits.
std::string nonce_count_text(std::uint32_t n);

/// Whether the response fits the secret (digest_secret of the user that is named). False for an algorithm
/// that we do not know. Takes the same time wherever a wrong response differs.
bool matches(const digest_credentials& c, std::string_view secret, std::string_view method,
             std::string_view body);

/// Authentication-Info, RFC 7616 §3.5.
struct authentication_info {
  std::optional<std::string> next_nonce, rspauth, cnonce;
  std::string qop;
  std::optional<std::uint32_t> nonce_count;
  friend bool operator==(const authentication_info&, const authentication_info&) = default;
};
result<authentication_info> parse_authentication_info(std::string_view value);
std::string write(const authentication_info& a);

}  // namespace stox::sip
