#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "sip/wire/errc.hpp"

namespace stox::sip {

/// `;name=value` or `;name`, as URIs and headers carry it. Kept as received (escapes, quotes); names compare
/// without case.
struct param {
  std::string name;
  std::optional<std::string> value;
  friend bool operator==(const param&, const param&) = default;
};
using param_list = std::vector<param>;

/// The parameter of that name, or nullptr.
const param* find_param(const param_list& params, std::string_view name);

/// A URI as SIP headers hold it, RFC 3261 §19.1 and §25.1. For sip: and sips: all parts are filled; for any
/// other scheme (tel:, im:, pres:, urn:, http:, ...) only `scheme` and `opaque` are, and the text is kept as
/// it came.
struct uri {
  std::string scheme;                   ///< lower case
  std::optional<std::string> user;      ///< still escaped, as received; absent in sip:host
  std::optional<std::string> password;  ///< still escaped
  std::string host;                     ///< lower case; IPv6 in brackets
  std::optional<std::uint16_t> port;
  param_list params;
  std::string headers;  ///< what follows "?", without it
  std::string opaque;   ///< other schemes: everything after "scheme:"

  bool is_sip() const { return scheme == "sip" || scheme == "sips"; }
  const param* find(std::string_view name) const { return find_param(params, name); }
  friend bool operator==(const uri&, const uri&) = default;
};

/// Parses a whole string as a URI. Errors: bad_uri.
result<uri> parse_uri(std::string_view text);
std::string write(const uri& u);
void write_to(std::string& out, const uri& u);

/// Equality of RFC 3261 §19.1.4: escapes decoded, host without case, order of parameters free; user, ttl,
/// method, maddr, transport (and lr's peers) must match when one side has them; other parameters only when
/// both have them. `gr` compares as RFC 5627 §4.1 asks.
bool equivalent(const uri& a, const uri& b);

/// May the byte stand unescaped in a user part / in a URI parameter (RFC 3261 §25.1: unreserved +
/// user-unreserved; paramchar)?
bool is_user_char(char c);
bool is_param_char(char c);

}  // namespace stox::sip
