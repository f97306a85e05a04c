#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/net_address.hpp"
#include "sip/wire/message.hpp"
#include "sip/wire/uri.hpp"

/// Typed values of header fields: `parse_x(value)` reads one element, `write_to(out, x)` writes it. More of
/// them live in auth.hpp (RFC 3261 §22, RFC 7616/8760), event.hpp (RFC 6665, 3903, 3515, ...) and
/// session.hpp.
namespace stox::sip {

/// Via, RFC 3261 §20.42, RFC 3581.
struct via {
  std::string protocol = "SIP/2.0";
  std::string transport;  ///< upper case: "UDP", "TCP", "TLS", or any token
  std::string host;       ///< lower case; IPv6 in brackets
  std::optional<std::uint16_t> port;
  param_list params;  ///< branch, received, rport, maddr, ttl, ...

  std::string_view branch() const;  ///< "" when absent
  /// RFC 3261 §8.1.1.7; the cookie with nothing after it names no transaction and counts as none (RFC 4475
  /// §3.2.1).
  bool has_magic_cookie() const;
  void set_param(std::string_view name, std::optional<std::string> value);
  friend bool operator==(const via&, const via&) = default;
};
result<via> parse_via(std::string_view element);
void write_to(std::string& out, const via& v);

/// From, To, Contact, Route, Record-Route, Refer-To, P-Asserted-Identity, ...: RFC 3261 §20.10 and its rule
/// that parameters after an addr-spec without <> belong to the header.
struct name_addr {
  std::string display;  ///< unquoted, unescaped
  sip::uri uri;
  param_list params;
  std::string_view tag() const;  ///< "" when absent
  friend bool operator==(const name_addr&, const name_addr&) = default;
};
result<name_addr> parse_name_addr(std::string_view element);
void write_to(std::string& out,
              const name_addr& a);  ///< always with <>; the display name quoted when present

/// Contact may be "*" (RFC 3261 §10.2.2): then `star` is true and the rest empty.
struct contact_value {
  bool star = false;
  name_addr address;
};
result<contact_value> parse_contact(std::string_view element);

/// CSeq, RFC 3261 §20.16: below 2^31 (§8.1.1.5).
struct cseq {
  std::uint32_t number = 0;
  sip::method method = sip::method::unknown;
  std::string method_name;
  friend bool operator==(const cseq&, const cseq&) = default;
};
result<cseq> parse_cseq(std::string_view value);
std::string write(const cseq& c);

result<std::uint32_t> parse_max_forwards(std::string_view value);   ///< 0..255
result<std::uint32_t> parse_delta_seconds(std::string_view value);  ///< Expires, Min-Expires: 0..2^32-1

/// Content-Type, Accept's ranges, Content-Disposition (with `subtype` empty): type and subtype lower case.
struct media_type {
  std::string type, subtype;
  param_list params;
  bool is(std::string_view t, std::string_view s) const { return type == t && subtype == s; }
  std::optional<std::string> param_value(std::string_view name) const;  ///< unquoted
  friend bool operator==(const media_type&, const media_type&) = default;
};
result<media_type> parse_media_type(std::string_view value);
void write_to(std::string& out, const media_type& m);
result<media_type> parse_disposition(std::string_view value);

/// Warning, RFC 3261 §20.43.
struct warning_value {
  std::uint16_t code = 399;
  std::string agent, text;
  friend bool operator==(const warning_value&, const warning_value&) = default;
};
result<warning_value> parse_warning(std::string_view element);
std::string write(const warning_value& w);

/// Retry-After, RFC 3261 §20.33: delta, comment, duration and other parameters.
struct retry_after_value {
  std::uint32_t seconds = 0;
  std::string comment;
  param_list params;
  friend bool operator==(const retry_after_value&, const retry_after_value&) = default;
};
result<retry_after_value> parse_retry_after(std::string_view value);
std::string write(const retry_after_value& r);

/// Date, RFC 3261 §20.17: RFC 1123 form, always GMT. Seconds since 1970.
result<std::int64_t> parse_date(std::string_view value);
std::string write_date(std::int64_t unix_seconds);

/// What every message must have and every layer above needs: parsed once.
struct essentials {
  via top_via;
  name_addr from, to;
  std::string call_id;
  sip::cseq cseq;
  std::optional<std::uint32_t> max_forwards;
};
/// RFC 3261 §8.1.1: To, From, CSeq, Call-ID, Max-Forwards (tolerated when absent, RFC 2543 peers), Via; each
/// once where one is allowed; the CSeq method equals the request's, unless we do not know that method: then
/// 501 is the better answer (RFC 4475 §3.1.2.18); no headers in the Request-URI (§19.1.1). Errors:
/// missing_header, repeated_header, bad_header, bad_uri, bad_method.
result<essentials> check_mandatory(const request& r);

/// What a response is matched by (RFC 3261 §17.1.3, §18.1.2).
struct response_match {
  via top_via;
  sip::cseq cseq;
};
/// The same headers, each once; From, To and Call-ID are our request's and are not read. Errors: as above.
result<response_match> check_mandatory(const response& r);

/// Adds quotes and escapes: RFC 3261 §25.1 quoted-string. CR and LF become spaces: nothing that we write can
/// start a new line.
std::string quote(std::string_view text);
std::string unquote(std::string_view quoted);  ///< takes a token as it is

/// Makes peer text safe for a Reason-Phrase, a Subject or a display name: valid UTF-8, no controls, bounded
/// to `limit` bytes.
std::string clean_text(std::string_view text, std::size_t limit);

}  // namespace stox::sip
