#include "sip/wire/session.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "sip/wire/scan.hpp"

namespace stox::sip {

namespace {

error bad(const char* why) { return {errc::bad_header, why}; }

bool take_params_to_end(scanner& in, param_list& out) {
  if (!in.params(out)) return false;
  in.skip_blanks();
  return in.at_end();
}

/// Takes the parameter out of the list.
std::optional<param> extract(param_list& params, std::string_view name) {
  const auto at = std::find_if(params.begin(), params.end(),
                               [name](const param& p) { return text::iequals(p.name, name); });
  if (at == params.end()) return std::nullopt;
  auto out = std::move(*at);
  params.erase(at);
  return out;
}

std::optional<std::uint32_t> number_of(std::string_view s) {
  const auto number = text::to_number(s, UINT32_MAX);
  if (!number) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

}  // namespace

result<session_expires_value> parse_session_expires(std::string_view value) {
  scanner in(text::trim(value));
  session_expires_value out;
  const auto seconds = number_of(in.token());
  if (!seconds) return bad("Session-Expires: not a number of seconds");
  out.seconds = *seconds;
  if (!take_params_to_end(in, out.params)) return bad("Session-Expires: malformed or repeated parameter");
  if (const auto who = extract(out.params, "refresher")) {
    const auto role = who->value.value_or("");
    if (text::iequals(role, "uac")) {
      out.refresher = refresher::uac;
    } else if (text::iequals(role, "uas")) {
      out.refresher = refresher::uas;
    } else {
      return bad("Session-Expires: refresher is neither uac nor uas");
    }
  }
  return out;
}

std::string write(const session_expires_value& s) {
  auto out = std::to_string(s.seconds);
  if (s.refresher) out += *s.refresher == refresher::uac ? ";refresher=uac" : ";refresher=uas";
  write_params(out, s.params);
  return out;
}

result<std::uint32_t> parse_min_se(std::string_view value) {
  scanner in(text::trim(value));
  const auto seconds = number_of(in.token());
  param_list params;
  if (!seconds || !take_params_to_end(in, params)) return bad("Min-SE: not a number of seconds");
  return *seconds;
}

result<std::uint32_t> parse_rseq(std::string_view value) {
  const auto number = number_of(text::trim(value));
  if (!number || *number == 0) return bad("RSeq: not a number from 1");
  return *number;
}

result<rack_value> parse_rack(std::string_view value) {
  scanner in(text::trim(value));
  const auto rseq = parse_rseq(in.token());
  if (!rseq || !in.skip_blanks()) return bad("RAck: malformed response number");
  auto of = parse_cseq(in.rest());
  if (!of) return bad("RAck: malformed CSeq");
  return rack_value{*rseq, *std::move(of)};
}

std::string write(const rack_value& r) { return std::to_string(r.rseq) + ' ' + write(r.cseq); }

namespace {
/// *(DIGIT) [ "." *(DIGIT) ], with a digit before the dot when `whole`.
bool is_decimal(std::string_view s, bool whole) {
  const auto dot = std::min(s.find('.'), s.size());
  const auto digits = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), text::is_digit);
  };
  if (whole && dot == 0) return false;
  return !s.empty() && s != "." && digits(s.substr(0, dot)) && digits(s.substr(std::min(dot + 1, s.size())));
}
}  // namespace

result<timestamp_value> parse_timestamp(std::string_view value) {
  scanner in(text::trim(value));
  timestamp_value out;
  out.seconds = in.token();
  if (!is_decimal(out.seconds, true)) return bad("Timestamp: malformed");
  if (in.at_end()) return out;
  if (!in.skip_blanks()) return bad("Timestamp: malformed");
  out.delay = std::string(in.token());
  if (!is_decimal(*out.delay, false) || !in.at_end()) return bad("Timestamp: malformed delay");
  return out;
}

std::string write(const timestamp_value& t) { return t.delay ? t.seconds + ' ' + *t.delay : t.seconds; }

result<std::vector<name_addr>> parse_addresses(const header_list& headers, header which) {
  std::vector<name_addr> out;
  for (const auto element : headers.elements(which)) {
    auto address = parse_name_addr(element);
    if (!address) {
      auto why = std::move(address).error();
      why.detail = std::string(to_string(which)) + ": " + why.detail;
      return why;
    }
    out.push_back(*std::move(address));
  }
  return out;
}

std::string write(const std::vector<name_addr>& addresses) {
  std::string out;
  for (const auto& a : addresses) {
    if (!out.empty()) out += ", ";
    write_to(out, a);
  }
  return out;
}

result<history_entry> parse_history_entry(std::string_view element) {
  auto address = parse_name_addr(element);
  if (!address) return std::move(address).error();
  history_entry out{*std::move(address), {}};
  const auto* p = find_param(out.address.params, "index");
  if (p == nullptr) return out;
  if (!p->value) return bad("History-Info: malformed index");
  for (const auto part : text::split(*p->value, '.')) {
    const auto number = number_of(part);
    if (!number) return bad("History-Info: malformed index");
    out.index.push_back(*number);
  }
  return out;
}

std::string write(const history_entry& h) {
  auto address = h.address;
  extract(address.params, "index");
  std::string index;
  for (const auto n : h.index) index += (index.empty() ? "" : ".") + std::to_string(n);
  if (!index.empty()) address.params.insert(address.params.begin(), {"index", index});
  std::string out;
  write_to(out, address);
  return out;
}

result<reason_value> parse_reason(std::string_view element) {
  scanner in(text::trim(element));
  reason_value out;
  out.protocol = in.token();
  if (out.protocol.empty()) return bad("Reason: no protocol");
  if (!take_params_to_end(in, out.params)) return bad("Reason: malformed or repeated parameter");
  if (const auto cause = extract(out.params, "cause")) {
    const auto number = text::to_number(cause->value.value_or(""), 65535);
    if (!number) return bad("Reason: malformed cause");
    out.cause = static_cast<std::uint16_t>(*number);
  }
  if (const auto words = extract(out.params, "text")) out.text = unquote(words->value.value_or(""));
  return out;
}

std::string write(const reason_value& r) {
  auto out = r.protocol;
  if (r.cause) out += ";cause=" + std::to_string(*r.cause);
  if (r.text) out += ";text=" + quote(*r.text);
  write_params(out, r.params);
  return out;
}

bool privacy_value::has(std::string_view v) const {
  return std::find(values.begin(), values.end(), v) != values.end();
}

result<privacy_value> parse_privacy(std::string_view value) {
  scanner in(text::trim(value));
  privacy_value out;
  do {
    const auto word = in.token();
    if (word.empty()) return bad("Privacy: not a list of tokens");
    if (out.values.size() == max_params) return bad("Privacy: too many values");
    if (auto lowered = text::to_lower(word); !out.has(lowered)) out.values.push_back(std::move(lowered));
  } while (in.take(';') || in.take(','));
  if (!in.at_end()) return bad("Privacy: not a list of tokens");
  return out;
}

std::string write(const privacy_value& p) {
  std::string out;
  for (const auto& v : p.values) {
    if (!out.empty()) out += ';';
    out += v;
  }
  return out;
}

namespace {

/// LAQUOT absoluteURI RAQUOT.
result<uri> take_uri_in_angles(scanner& in) {
  if (in.peek() != '<') return bad("no < before the URI");
  const auto close = in.rest().find('>');
  if (close == std::string_view::npos) return bad("no > after the URI");
  auto out = parse_uri(in.rest().substr(1, close - 1));
  in.skip(close + 1);
  return out;
}

bool is_passport(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) {
    // base64 and, as RFC 8225 encodes it, base64url
    return text::is_alnum(c) || c == '+' || c == '/' || c == '=' || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

result<identity_value> parse_identity(std::string_view value) {
  const auto text = text::trim(value);
  scanner in(text);
  identity_value out;
  out.digest = text::trim(text.substr(0, text.find(';')));
  if (!is_passport(out.digest)) return bad("Identity: malformed digest");
  in.skip(std::min(text.find(';'), text.size()));
  bool has_info = false;
  while (in.take(';')) {
    scanner ahead = in;
    if (has_info || !text::iequals(ahead.token(), "info")) {
      if (!in.one_param(out.params)) return bad("Identity: malformed or repeated parameter");
      continue;
    }
    in = ahead;
    if (!in.take('=')) return bad("Identity: malformed info");
    auto info = take_uri_in_angles(in);
    if (!info) return std::move(info).error();
    out.info = *std::move(info);
    has_info = true;
  }
  in.skip_blanks();
  if (!has_info || !in.at_end()) return bad("Identity: no info, or malformed");
  if (const auto p = extract(out.params, "alg")) out.algorithm = unquote(p->value.value_or(""));
  if (const auto p = extract(out.params, "ppt")) out.type = unquote(p->value.value_or(""));
  return out;
}

std::string write(const identity_value& i) {
  auto out = i.digest;
  out += ";info=<";
  write_to(out, i.info);
  out += '>';
  param_list params;
  if (i.algorithm) params.push_back({"alg", *i.algorithm});
  if (i.type) params.push_back({"ppt", *i.type});
  write_params(out, params);
  write_params(out, i.params);
  return out;
}

std::optional<std::string> info_value::purpose() const { return unquoted_param(params, "purpose"); }

result<info_value> parse_info(std::string_view element) {
  scanner in(text::trim(element));
  auto uri = take_uri_in_angles(in);
  if (!uri) return std::move(uri).error();
  info_value out{*std::move(uri), {}};
  if (!take_params_to_end(in, out.params)) return bad("malformed or repeated parameter");
  return out;
}

std::string write(const info_value& i) {
  std::string out = "<";
  write_to(out, i.uri);
  out += '>';
  write_params(out, i.params);
  return out;
}

}  // namespace stox::sip
