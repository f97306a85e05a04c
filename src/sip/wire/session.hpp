#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "sip/wire/headers.hpp"

/// Headers of sessions, routing, identity and preferences: RFC 4028, 3262, 3327, 3608, 7044, 3326, 3323, 8224
/// and the rest of RFC 3261.
namespace stox::sip {

/// Session-Expires, RFC 4028 §4.
enum class refresher : std::uint8_t { uac, uas };
struct session_expires_value {
  std::uint32_t seconds = 0;
  std::optional<sip::refresher> refresher;
  param_list params;  ///< others
  friend bool operator==(const session_expires_value&, const session_expires_value&) = default;
};
result<session_expires_value> parse_session_expires(std::string_view value);
std::string write(const session_expires_value& s);

/// Min-SE, RFC 4028 §5: seconds; its parameters mean nothing yet and are not kept.
result<std::uint32_t> parse_min_se(std::string_view value);

/// RSeq, RFC 3262 §7.1: 1..2^32-1.
result<std::uint32_t> parse_rseq(std::string_view value);

/// RAck, RFC 3262 §7.2.
struct rack_value {
  std::uint32_t rseq = 0;
  sip::cseq cseq;
  friend bool operator==(const rack_value&, const rack_value&) = default;
};
result<rack_value> parse_rack(std::string_view value);
std::string write(const rack_value& r);

/// Timestamp, RFC 3261 §20.38: decimal numbers of seconds, kept as text, since a response repeats them
/// exactly.
struct timestamp_value {
  std::string seconds;
  std::optional<std::string> delay;
  friend bool operator==(const timestamp_value&, const timestamp_value&) = default;
};
result<timestamp_value> parse_timestamp(std::string_view value);
std::string write(const timestamp_value& t);

/// All addresses of Route, Record-Route, Path, Service-Route, Contact, P-Asserted-Identity, ... over all
/// fields of that name, in order. One malformed address is an error.
result<std::vector<name_addr>> parse_addresses(const header_list& headers, header which);
std::string write(const std::vector<name_addr>& addresses);

/// One entry of History-Info, RFC 7044 §5.
struct history_entry {
  name_addr address;                 ///< with all its parameters, index among them
  std::vector<std::uint32_t> index;  ///< 1.2.1 is {1, 2, 1}; empty when absent
  friend bool operator==(const history_entry&, const history_entry&) = default;
};
result<history_entry> parse_history_entry(std::string_view element);
std::string write(const history_entry& h);

/// One value of Reason, RFC 3326.
struct reason_value {
  std::string protocol = "SIP";
  std::optional<std::uint16_t> cause;
  std::optional<std::string> text;
  param_list params;  ///< others
  friend bool operator==(const reason_value&, const reason_value&) = default;
};
result<reason_value> parse_reason(std::string_view element);
std::string write(const reason_value& r);

/// Privacy, RFC 3323 §4.2 and RFC 3325 §9.3 ("id"): lower case, in order. Commas are tolerated between the
/// values, since many write them.
struct privacy_value {
  std::vector<std::string> values;
  bool has(std::string_view v) const;
  /// Whether the sender's identity must not be shown to somebody who is not trusted: id, user or header (RFC
  /// 3323 §5, RFC 3325 §7).
  bool hides_identity() const { return has("id") || has("user") || has("header"); }
  friend bool operator==(const privacy_value&, const privacy_value&) = default;
};
result<privacy_value> parse_privacy(std::string_view value);
std::string write(const privacy_value& p);

/// Identity, RFC 8224 §4.1. What it says is checked elsewhere.
struct identity_value {
  std::string digest;  ///< the PASSporT, full or compact
  sip::uri info;
  std::optional<std::string> algorithm, type;  ///< alg, ppt; without quotes
  param_list params;                           ///< others
  friend bool operator==(const identity_value&, const identity_value&) = default;
};
result<identity_value> parse_identity(std::string_view value);
std::string write(const identity_value& i);

/// One value of Call-Info, Alert-Info or Error-Info: a URI of any scheme in <>.
struct info_value {
  sip::uri uri;
  param_list params;
  std::optional<std::string> purpose() const;
  friend bool operator==(const info_value&, const info_value&) = default;
};
result<info_value> parse_info(std::string_view element);
std::string write(const info_value& i);

/// q values are counted in thousandths: 1000 when absent.
inline constexpr unsigned full_weight = 1000;

/// One range of Accept.
struct accept_range {
  media_type type;  ///< "*" where anything goes; without q
  unsigned weight = full_weight;
  friend bool operator==(const accept_range&, const accept_range&) = default;
};
result<accept_range> parse_accept_range(std::string_view element);
std::string write(const accept_range& a);
/// RFC 3261 §20.1: the weight that the message's Accept gives a type; 1000 for every type when there is no
/// Accept, 0 for one that is not accepted. The most specific range counts; malformed ones are passed over.
unsigned acceptance(const header_list& headers, std::string_view type, std::string_view subtype);

/// One element of Accept-Encoding or Accept-Language: a token or "*".
struct weighted_token {
  std::string value;  ///< lower case
  unsigned weight = full_weight;
  param_list params;  ///< others
  friend bool operator==(const weighted_token&, const weighted_token&) = default;
};
result<weighted_token> parse_weighted_token(std::string_view element);
std::string write(const weighted_token& w);

/// One element of Content-Language, RFC 3261 §20.13: a language tag as received.
result<std::string> parse_language_tag(std::string_view element);

/// Priority, RFC 3261 §20.26: lower case.
result<std::string> parse_priority(std::string_view value);

/// Organization, Subject, Server, User-Agent: UTF-8 text of the peer, cleaned (clean_text) and bounded.
std::string parse_text(std::string_view value, std::size_t limit = 256);

/// MIME-Version, RFC 3261 §20.24: "1.0"; major and minor.
struct mime_version_value {
  std::uint32_t major_part = 1, minor_part = 0;
  friend bool operator==(const mime_version_value&, const mime_version_value&) = default;
};
result<mime_version_value> parse_mime_version(std::string_view value);
std::string write(const mime_version_value& m);

/// All tokens of Allow, Supported, Require, Unsupported, Allow-Events, Content-Encoding, ... over all fields
/// of that name, as received. Errors: bad_header for an element that is no token.
result<std::vector<std::string>> parse_tokens(const header_list& headers, header which);
/// Joined by ", "; what is no token is left out.
std::string write_tokens(const std::vector<std::string>& tokens);
/// Without case. (Methods in Allow differ by case: compare those with parse_tokens.)
bool has_token(const header_list& headers, header which, std::string_view token);

}  // namespace stox::sip
