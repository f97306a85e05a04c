#include "sip/wire/uri.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "sip/wire/chars.hpp"
#include "sip/wire/scan.hpp"

namespace stox::sip {

const param* find_param(const param_list& params, std::string_view name) {
  for (const auto& p : params) {
    if (text::iequals(p.name, name)) return &p;
  }
  return nullptr;
}

bool is_user_char(char c) { return chars::is(c, chars::user); }
bool is_param_char(char c) { return chars::is(c, chars::param); }

namespace {

error bad(const char* why) { return {errc::bad_uri, why}; }

int hex_value(char c) { return text::is_digit(c) ? c - '0' : text::lower(c) - 'a' + 10; }

/// RFC 3261 §19.1.4: an escape equals its character unless that one is reserved (RFC 2396 §2.2). "%" itself
/// stays escaped, or
/// "%2541" would come out as "%41".
std::string normal(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '%' || s.size() - i < 3 || !chars::is(s[i + 1], chars::hex) ||
        !chars::is(s[i + 2], chars::hex)) {
      out += s[i];
      continue;
    }
    const char c = static_cast<char>(hex_value(s[i + 1]) * 16 + hex_value(s[i + 2]));
    if (std::string_view(";/?:@&=+$,%").find(c) == std::string_view::npos) {
      out += c;
    } else {
      text::percent_encode(out, std::string_view(&c, 1), [](char) { return false; });
    }
    i += 2;
  }
  return out;
}

bool same_name(std::string_view a, std::string_view b) {
  if (text::iequals(a, b)) return true;
  if (a.find('%') == std::string_view::npos && b.find('%') == std::string_view::npos) return false;
  return text::iequals(normal(a), normal(b));
}

/// uri-parameters: *( ";" pname [ "=" pvalue ] ), no blanks. RFC 3261 §19.1.1: no name twice.
const char* take_params(std::string_view text, param_list& out) {
  while (!text.empty()) {
    text.remove_prefix(1);  // the ';'
    const auto length = std::min(text.find(';'), text.size());
    const auto whole = text.substr(0, length);
    text.remove_prefix(length);
    const auto equals = whole.find('=');
    const auto name = whole.substr(0, equals);
    if (name.empty() || !chars::all_or_escaped(name, chars::param)) return "malformed parameter name";
    if (out.size() == max_params) return "too many parameters";
    for (const auto& p : out) {
      if (same_name(p.name, name)) return "parameter given twice";
    }
    auto& p = out.emplace_back();
    p.name = name;
    if (equals == std::string_view::npos) continue;
    const auto value = whole.substr(equals + 1);
    if (value.empty() || !chars::all_or_escaped(value, chars::param)) return "malformed parameter value";
    p.value = std::string(value);
  }
  return nullptr;
}

bool are_headers(std::string_view text) {
  for (;;) {
    const auto length = std::min(text.find('&'), text.size());
    const auto one = text.substr(0, length);
    const auto equals = one.find('=');
    if (equals == std::string_view::npos || equals == 0) return false;
    if (!chars::all_or_escaped(one.substr(0, equals), chars::hnv)) return false;
    if (!chars::all_or_escaped(one.substr(equals + 1), chars::hnv)) return false;
    if (length == text.size()) return true;
    text.remove_prefix(length + 1);
  }
}

std::optional<error> read_sip_uri(std::string_view rest, uri& u) {
  // "@" stands unescaped nowhere else in a SIP URI, so the first one ends the userinfo.
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    const auto info = rest.substr(0, at);
    const auto colon = info.find(':');
    const auto name = info.substr(0, colon);
    if (name.empty()) return bad("empty user");
    if (!chars::all_or_escaped(name, chars::user)) return bad("illegal character in the user");
    u.user = std::string(name);
    if (colon != std::string_view::npos) {
      const auto password = info.substr(colon + 1);
      if (!chars::all_or_escaped(password, chars::password)) return bad("illegal character in the password");
      u.password = std::string(password);
    }
    rest.remove_prefix(at + 1);
  }
  scanner in(rest);
  if (!in.host(u.host)) return bad("malformed host");
  if (!in.port(u.port, false)) return bad("malformed port");
  rest = in.rest();
  const auto question = rest.find('?');
  const auto params = rest.substr(0, question);
  if (!params.empty()) {
    if (params.front() != ';') return bad("malformed host or port");
    if (const char* why = take_params(params, u.params)) return bad(why);
  }
  if (question != std::string_view::npos) {
    const auto headers = rest.substr(question + 1);
    if (!are_headers(headers)) return bad("malformed headers");
    u.headers = headers;
  }
  return std::nullopt;
}

}  // namespace

result<uri> parse_uri(std::string_view text) {
  result<uri> out(boost::system::in_place_value);
  if (auto why = read(text, *out)) out = *std::move(why);
  return out;
}

std::optional<error> read(std::string_view text, uri& u) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return bad("no scheme");
  const auto scheme = text.substr(0, colon);
  if (!text::is_alpha(scheme.front())) return bad("malformed scheme");
  for (const char c : scheme) {
    if (!text::is_alnum(c) && c != '+' && c != '-' && c != '.') return bad("malformed scheme");
  }
  u.scheme = text::to_lower(scheme);
  const auto rest = text.substr(colon + 1);
  if (u.is_sip()) return read_sip_uri(rest, u);
  if (rest.empty() || !chars::all_or_escaped(rest, chars::uric)) return bad("illegal character");
  u.opaque = rest;
  return std::nullopt;
}

void write_to(std::string& out, const uri& u) {
  out += u.scheme;
  out += ':';
  if (!u.is_sip()) {
    out += u.opaque;
    return;
  }
  if (u.user) {
    out += *u.user;
    if (u.password) {
      out += ':';
      out += *u.password;
    }
    out += '@';
  }
  out += u.host;
  if (u.port) {
    out += ':';
    out += std::to_string(*u.port);
  }
  for (const auto& p : u.params) {
    out += ';';
    out += p.name;
    if (p.value) {
      out += '=';
      out += *p.value;
    }
  }
  if (!u.headers.empty()) {
    out += '?';
    out += u.headers;
  }
}

std::string write(const uri& u) {
  std::string out;
  write_to(out, u);
  return out;
}

namespace {

bool same(std::string_view a, std::string_view b) { return a == b || normal(a) == normal(b); }
bool same_without_case(std::string_view a, std::string_view b) {
  return text::iequals(a, b) || text::iequals(normal(a), normal(b));
}
bool same_optional(const std::optional<std::string>& a, const std::optional<std::string>& b) {
  return a.has_value() == b.has_value() && (!a || same(*a, *b));
}

/// A parameter name in the form that is compared.
std::string key(const param& p) { return text::to_lower(normal(p.name)); }

/// Whether every parameter of `a` agrees with `b`.
bool params_agree(const param_list& a, const param_list& b) {
  for (const auto& p : a) {
    const auto name = key(p);
    const auto other = std::find_if(b.begin(), b.end(), [&](const param& q) { return key(q) == name; });
    if (other != b.end()) {
      if (p.value.has_value() != other->value.has_value()) return false;
      if (p.value && !same_without_case(*p.value, *other->value)) return false;
    } else if (name == "user" || name == "ttl" || name == "method" || name == "maddr" ||
               name == "transport") {
      return false;
    }
  }
  return true;
}

/// The header components in an order of their own: names without case, values as they are.
std::vector<std::pair<std::string, std::string>> sorted_headers(std::string_view headers) {
  std::vector<std::pair<std::string, std::string>> out;
  if (headers.empty()) return out;
  for (const auto one : text::split(headers, '&')) {
    const auto equals = std::min(one.find('='), one.size());
    const auto value = equals == one.size() ? std::string_view() : one.substr(equals + 1);
    out.emplace_back(text::to_lower(normal(one.substr(0, equals))), normal(value));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

bool equivalent(const uri& a, const uri& b) {
  if (a.scheme != b.scheme) return false;
  // RFC 3261 compares only SIP and SIPS URIs; for others equal text is all that can be said.
  if (!a.is_sip()) return a.opaque == b.opaque;
  return same_optional(a.user, b.user) && same_optional(a.password, b.password) &&
         text::iequals(a.host, b.host) && a.port == b.port && params_agree(a.params, b.params) &&
         params_agree(b.params, a.params) && sorted_headers(a.headers) == sorted_headers(b.headers);
}

}  // namespace stox::sip
