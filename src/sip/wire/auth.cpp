#include "sip/wire/auth.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "crypto/hash.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/scan.hpp"

namespace stox::sip {

namespace {

error bad(const char* why) { return {errc::bad_header, why}; }

/// auth-param *( COMMA auth-param ) to the end of the value.
bool take_auth_params(scanner& in, param_list& out) {
  do {
    if (!in.one_param(out) || !out.back().value) return false;
  } while (in.take(','));
  in.skip_blanks();
  return in.at_end();
}

bool is_token68(std::string_view s) {
  const auto padding = std::min(s.find('='), s.size());
  for (const char c : s.substr(0, padding)) {
    if (!text::is_alnum(c) && std::string_view("-._~+/").find(c) == std::string_view::npos) return false;
  }
  return padding > 0 && s.find_first_not_of('=', padding) == std::string_view::npos;
}

std::optional<std::string> text_of(const param_list& params, std::string_view name) {
  return unquoted_param(params, name);
}

/// A flag of the form stale=true; anything else is false (RFC 7616 §3.3).
bool flag_of(const param_list& params, std::string_view name) {
  const auto value = text_of(params, name);
  return value && text::iequals(*value, "true");
}

/// nc-value = 8LHEX. Absent: nullopt; malformed: false.
bool nonce_count_of(const param_list& params, std::optional<std::uint32_t>& out) {
  const auto value = text_of(params, "nc");
  if (!value) return true;
  std::uint32_t number = 0;
  const auto [end, status] = std::from_chars(value->data(), value->data() + value->size(), number, 16);
  if (value->size() != 8 || status != std::errc{} || end != value->data() + 8) return false;
  out = number;
  return true;
}

/// Absent: ""; no token: false. Quotes, which RFC 3261 §25.1 does not have there, are taken off.
bool token_of(const param_list& params, std::string_view name, std::string& out) {
  const auto value = text_of(params, name);
  if (!value) return true;
  out = *value;
  return out.empty() || chars::all(out, chars::token);
}

bool qop_of(const param_list& params, std::string& out) {
  if (!token_of(params, "qop", out)) return false;
  out = text::to_lower(out);
  return true;
}

bool algorithm_of(const param_list& params, std::string& name, std::optional<digest_algorithm>& algorithm) {
  if (!token_of(params, "algorithm", name)) return false;
  algorithm = name.empty() ? digest_algorithm::md5 : parse_digest_algorithm(name);
  return true;
}

/// RFC 5987 §3.2.1 as RFC 7616 §3.4 uses it: UTF-8'lang'percent-encoded.
std::optional<std::string> extended_text(std::string_view value) {
  if (!text::istarts_with(value, "UTF-8'")) return std::nullopt;
  const auto second = value.find('\'', 6);
  if (second == std::string_view::npos) return std::nullopt;
  auto out = text::percent_decode(value.substr(second + 1));
  if (!out || !text::is_utf8(*out)) return std::nullopt;
  return out;
}

/// Writes name=value pairs with commas between them.
class param_writer {
 public:
  explicit param_writer(std::string start) : out_(std::move(start)) {}
  void quoted(std::string_view name, const std::optional<std::string>& value) {
    if (value) put(name, quote(*value));
  }
  /// A token; what is none is left out rather than written wrongly.
  void token(std::string_view name, std::string_view value) {
    if (chars::all(value, chars::token)) put(name, value);
  }
  std::string take() { return std::move(out_); }

 private:
  void put(std::string_view name, std::string_view value) {
    out_ += first_ ? "" : ", ";
    first_ = false;
    out_ += name;
    out_ += '=';
    out_ += value;
  }
  std::string out_;
  bool first_ = true;
};

result<param_list> digest_params(std::string_view value) {
  auto parsed = parse_auth(value);
  if (!parsed) return std::move(parsed).error();
  if (!parsed->is("Digest")) return bad("not the Digest scheme");
  return std::move(parsed->params);
}

}  // namespace

bool auth_value::is(std::string_view name) const { return text::iequals(scheme, name); }

result<auth_value> parse_auth(std::string_view value) {
  scanner in(text::trim(value));
  auth_value out;
  out.scheme = in.token();
  if (out.scheme.empty()) return bad("no authentication scheme");
  if (!in.skip_blanks()) {
    if (in.at_end()) return out;
    return bad("malformed authentication scheme");
  }
  if (is_token68(in.rest())) {
    out.token68 = in.rest();
    return out;
  }
  if (!take_auth_params(in, out.params)) return bad("malformed or repeated authentication parameter");
  return out;
}

std::string write(const auth_value& v) {
  auto out = v.scheme;
  if (!v.token68.empty()) return out + ' ' + v.token68;
  char between = ' ';
  for (const auto& p : v.params) {
    out += between;
    if (between == ',') out += ' ';
    between = ',';
    param_list one{p};
    std::string text;
    write_params(text, one);
    out += std::string_view(text).substr(1);  // without its semicolon
  }
  return out;
}

bool digest_challenge::offers(std::string_view q) const {
  return std::find(qop.begin(), qop.end(), q) != qop.end();
}

result<digest_challenge> parse_digest_challenge(std::string_view value) {
  const auto params = digest_params(value);
  if (!params) return params.error();
  digest_challenge out;
  const auto realm = text_of(*params, "realm");
  const auto nonce = text_of(*params, "nonce");
  if (!realm || !nonce) return bad("a challenge without realm or nonce");
  out.realm = *realm;
  out.nonce = *nonce;
  out.opaque = text_of(*params, "opaque");
  out.domain = text_of(*params, "domain");
  if (!algorithm_of(*params, out.algorithm_name, out.algorithm)) return bad("malformed algorithm");
  out.stale = flag_of(*params, "stale");
  out.userhash = flag_of(*params, "userhash");
  if (const auto qops = text_of(*params, "qop")) {
    for (const auto q : text::split(*qops, ',')) {
      if (const auto trimmed = text::trim(q); !trimmed.empty()) out.qop.push_back(text::to_lower(trimmed));
    }
  }
  return out;
}

std::string write(const digest_challenge& c) {
  param_writer out("Digest ");
  out.quoted("realm", c.realm);
  out.quoted("domain", c.domain);
  out.quoted("nonce", c.nonce);
  out.quoted("opaque", c.opaque);
  if (c.stale) out.token("stale", "true");
  out.token("algorithm", c.algorithm_name);
  if (!c.qop.empty()) {
    std::string list;
    for (const auto& q : c.qop) list += (list.empty() ? "" : ",") + q;
    out.quoted("qop", list);
  }
  if (c.userhash) out.token("userhash", "true");
  return out.take();
}

std::vector<digest_challenge> usable_challenges(const header_list& headers, header which) {
  std::vector<digest_challenge> out;
  headers.for_each(which, [&out](std::string_view value) {
    auto c = parse_digest_challenge(value);
    if (!c || !c->algorithm) return;
    if (!c->qop.empty() && !c->offers("auth") && !c->offers("auth-int")) return;
    const auto same_realm = [&](const digest_challenge& other) { return other.realm == c->realm; };
    if (std::none_of(out.begin(), out.end(), same_realm)) out.push_back(*std::move(c));
  });
  return out;
}

result<digest_credentials> parse_digest_credentials(std::string_view value) {
  const auto params = digest_params(value);
  if (!params) return params.error();
  digest_credentials out;
  const auto plain = text_of(*params, "username");
  const auto extended = text_of(*params, "username*");
  if (plain.has_value() == extended.has_value()) return bad("credentials need one of username and username*");
  const auto name = plain ? plain : extended_text(*extended);
  if (!name) return bad("malformed username*");
  out.username = *name;
  const auto realm = text_of(*params, "realm");
  const auto nonce = text_of(*params, "nonce");
  const auto uri = text_of(*params, "uri");
  const auto response = text_of(*params, "response");
  if (!realm || !nonce || !uri || !response) return bad("credentials without realm, nonce, uri or response");
  out.realm = *realm;
  out.nonce = *nonce;
  out.uri = *uri;
  out.response = text::to_lower(*response);
  if (!algorithm_of(*params, out.algorithm_name, out.algorithm)) return bad("malformed algorithm");
  out.cnonce = text_of(*params, "cnonce");
  out.opaque = text_of(*params, "opaque");
  if (!qop_of(*params, out.qop)) return bad("malformed qop");
  if (!nonce_count_of(*params, out.nonce_count)) return bad("malformed nc");
  if (!out.qop.empty() && (!out.nonce_count || !out.cnonce)) return bad("qop without nc or cnonce");
  out.userhash = flag_of(*params, "userhash");
  if (out.userhash && extended) return bad("username* cannot be hashed");
  return out;
}

digest_credentials respond(const digest_challenge& c, const digest_account& who, std::string_view method,
                           std::string_view uri, std::string_view body, std::uint32_t nonce_count,
                           std::string_view cnonce) {
  const auto algorithm = c.algorithm.value_or(digest_algorithm::md5);
  digest_credentials out;
  out.realm = c.realm;
  out.nonce = c.nonce;
  out.opaque = c.opaque;
  out.uri = uri;
  out.algorithm = algorithm;
  out.algorithm_name = c.algorithm_name;
  // RFC 7616 §3.4.4: the hash stands on the wire; what is hashed into the response is the name itself.
  out.userhash = c.userhash;
  out.username = c.userhash ? digest_userhash(algorithm, who.username, c.realm) : who.username;
  if (c.offers("auth")) {
    out.qop = "auth";
  } else if (c.offers("auth-int")) {
    out.qop = "auth-int";
  }
  // RFC 3261 §22.4: neither goes to a server that sent no qop; a -sess secret needs its cnonce all the same.
  if (!out.qop.empty()) out.nonce_count = nonce_count;
  if (!out.qop.empty() || is_session(algorithm)) out.cnonce = cnonce;
  const auto count = nonce_count_text(nonce_count);
  out.response =
      digest_response(algorithm, digest_secret(algorithm, who.username, c.realm, who.password.reveal()),
                      {method, uri, c.nonce, cnonce, count, out.qop, body});
  return out;
}

std::string nonce_count_text(std::uint32_t n) {
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof digits, n, 16).ptr;
  const std::string out(digits, end);
  return std::string(8 - out.size(), '0') + out;
}

std::string write(const digest_credentials& c) {
  param_writer out("Digest ");
  out.quoted("username", c.username);
  out.quoted("realm", c.realm);
  out.quoted("nonce", c.nonce);
  out.quoted("uri", c.uri);
  out.quoted("response", c.response);
  out.token("algorithm", c.algorithm_name);
  out.quoted("cnonce", c.cnonce);
  out.quoted("opaque", c.opaque);
  out.token("qop", c.qop);
  if (c.nonce_count) out.token("nc", nonce_count_text(*c.nonce_count));
  if (c.userhash) out.token("userhash", "true");
  return out.take();
}

bool matches(const digest_credentials& c, std::string_view secret, std::string_view method,
             std::string_view body) {
  if (!c.algorithm) return false;
  if (!c.qop.empty() && c.qop != "auth" && c.qop != "auth-int") return false;
  const auto count = nonce_count_text(c.nonce_count.value_or(0));
  const auto cnonce = c.cnonce.value_or("");
  const auto expected =
      digest_response(*c.algorithm, secret, {method, c.uri, c.nonce, cnonce, count, c.qop, body});
  return crypto::equal_constant_time(expected, c.response);
}

result<authentication_info> parse_authentication_info(std::string_view value) {
  scanner in(text::trim(value));
  param_list params;
  if (!take_auth_params(in, params)) return bad("malformed or repeated authentication parameter");
  authentication_info out;
  out.next_nonce = text_of(params, "nextnonce");
  out.rspauth = text_of(params, "rspauth");
  out.cnonce = text_of(params, "cnonce");
  if (!qop_of(params, out.qop)) return bad("malformed qop");
  if (!nonce_count_of(params, out.nonce_count)) return bad("malformed nc");
  if (out == authentication_info{}) return bad("no parameter of Authentication-Info");
  return out;
}

std::string write(const authentication_info& a) {
  param_writer out("");
  out.quoted("nextnonce", a.next_nonce);
  out.token("qop", a.qop);
  out.quoted("rspauth", a.rspauth);
  out.quoted("cnonce", a.cnonce);
  if (a.nonce_count) out.token("nc", nonce_count_text(*a.nonce_count));
  return out.take();
}

}  // namespace stox::sip
