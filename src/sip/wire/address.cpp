#include <algorithm>

#include "base/text.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/scan.hpp"

namespace stox::sip {

namespace {
error bad(const char* why) { return {errc::bad_header, why}; }

std::string upper(std::string_view s) {
  std::string out(s);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

constexpr std::string_view magic_cookie = "z9hG4bK";
}  // namespace

std::string_view via::branch() const {
  const auto* p = find_param(params, "branch");
  return p != nullptr && p->value ? std::string_view(*p->value) : std::string_view();
}

bool via::has_magic_cookie() const {
  const auto b = branch();
  return b.size() > magic_cookie.size() && b.substr(0, magic_cookie.size()) == magic_cookie;
}

void via::set_param(std::string_view name, std::optional<std::string> value) {
  for (auto& p : params) {
    if (text::iequals(p.name, name)) {
      p.value = std::move(value);
      return;
    }
  }
  params.push_back({std::string(name), std::move(value)});
}

result<via> parse_via(std::string_view element) {
  result<via> out{via()};
  if (auto why = read(element, *out)) out = *std::move(why);
  return out;
}

std::optional<error> read(std::string_view element, via& v) {
  scanner in(text::trim(element));
  const auto name = in.token();
  if (name.empty() || !in.take('/')) return bad("Via: malformed protocol");
  const auto version = in.token();
  if (version.empty() || !in.take('/')) return bad("Via: malformed protocol");
  const auto transport = in.token();
  if (transport.empty() || !in.skip_blanks()) return bad("Via: malformed transport");
  if (!text::iequals(name, "SIP") || version != "2.0") {
    v.protocol = upper(name);
    v.protocol += '/';
    v.protocol += version;
  }
  v.transport = upper(transport);
  if (!in.host(v.host)) return bad("Via: malformed host");
  if (!in.port(v.port, true)) return bad("Via: malformed port");
  v.params.reserve(4);
  if (!in.params(v.params)) return bad("Via: malformed or repeated parameter");
  in.skip_blanks();
  if (!in.at_end()) return bad("Via: malformed");
  return std::nullopt;
}

void write_to(std::string& out, const via& v) {
  out.reserve(out.size() + 96);
  out += v.protocol;
  out += '/';
  out += v.transport;
  out += ' ';
  out += v.host;
  if (v.port) {
    out += ':';
    out += std::to_string(*v.port);
  }
  write_params(out, v.params);
}

std::string_view name_addr::tag() const {
  const auto* p = find_param(params, "tag");
  return p != nullptr && p->value ? std::string_view(*p->value) : std::string_view();
}

namespace {

/// display-name: a quoted-string, or tokens with blanks between them. Unquoted UTF-8 is no token, but phones
/// send it.
bool take_display(scanner& in, std::string& out) {
  if (in.peek() == '"') {
    const auto text = in.quoted();
    if (!text) return false;
    out = unquote(*text);
    return true;
  }
  while (!in.at_end() && in.peek() != '<') {
    const auto rest = in.rest();
    std::size_t n = 0;
    while (n < rest.size() &&
           (chars::is(rest[n], chars::token) || static_cast<unsigned char>(rest[n]) >= 0x80))
      ++n;
    if (n == 0) return false;
    if (!out.empty()) out += ' ';
    out += rest.substr(0, n);
    in.skip(n);
    in.skip_blanks();
  }
  return true;
}

/// Whether the value is an addr-spec without <>: then its parameters are the header's (RFC 3261 §20). The
/// first character that no display name of tokens may hold decides: further back "<" may stand in a quoted
/// parameter.
bool is_bare(std::string_view text) {
  for (const char c : text) {
    if (c == '<' || c == '"') return false;
    if (!chars::is(c, chars::token | chars::blank) && static_cast<unsigned char>(c) < 0x80) return true;
  }
  return true;
}

std::optional<error> read_bare(std::string_view text, name_addr& out) {
  scanner in(text);
  const auto end = std::min(chars::find(text, chars::spec_end), text.size());
  // RFC 3261 §20.10: a URI with a comma, question mark or semicolon needs the <>.
  if (end < text.size() && (text[end] == '?' || text[end] == ',')) {
    return error{errc::bad_uri, "this URI must stand in <>"};
  }
  if (auto why = read(text.substr(0, end), out.uri)) return why;
  in.skip(end);
  if (!in.params(out.params)) return bad("malformed or repeated parameter");
  in.skip_blanks();
  if (!in.at_end()) return bad("malformed after the URI");
  return std::nullopt;
}

}  // namespace

result<name_addr> parse_name_addr(std::string_view element) {
  result<name_addr> out(boost::system::in_place_value);
  if (auto why = read(element, *out)) out = *std::move(why);
  return out;
}

std::optional<error> read(std::string_view element, name_addr& out) {
  const auto text = text::trim(element);
  if (text.empty()) return bad("empty address");
  if (is_bare(text)) return read_bare(text, out);
  scanner in(text);
  if (!take_display(in, out.display)) return bad("malformed display name");
  in.skip_blanks();
  if (in.peek() != '<') return bad("no < after the display name");
  in.skip(1);
  const auto close = in.rest().find('>');
  if (close == std::string_view::npos) return bad("no > after the URI");
  if (auto why = read(in.rest().substr(0, close), out.uri)) return why;
  in.skip(close + 1);
  if (!in.params(out.params)) return bad("malformed or repeated parameter");
  in.skip_blanks();
  if (!in.at_end()) return bad("malformed after the >");
  return std::nullopt;
}

void write_to(std::string& out, const name_addr& a) {
  if (!a.display.empty()) {
    out += quote(a.display);
    out += ' ';
  }
  out += '<';
  write_to(out, a.uri);
  out += '>';
  write_params(out, a.params);
}

result<contact_value> parse_contact(std::string_view element) {
  contact_value out;
  if (text::trim(element) == "*") {
    out.star = true;
    return out;
  }
  auto address = parse_name_addr(element);
  if (!address) return std::move(address).error();
  out.address = *std::move(address);
  return out;
}

}  // namespace stox::sip
