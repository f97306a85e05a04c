#include <algorithm>

#include "base/text.hpp"
#include "sip/wire/scan.hpp"
#include "sip/wire/session.hpp"

namespace stox::sip {

namespace {

error bad(const char* why) { return {errc::bad_header, why}; }

/// qvalue of RFC 3261 §25.1: 0, 1, or up to three decimals between.
std::optional<unsigned> weight_of(std::string_view s) {
  if (s.empty() || s.size() > 5 || (s[0] != '0' && s[0] != '1') || (s.size() > 1 && s[1] != '.'))
    return std::nullopt;
  unsigned out = s[0] == '1' ? 1000 : 0;
  unsigned place = 100;
  for (const char c : s.substr(std::min<std::size_t>(2, s.size()))) {
    if (!text::is_digit(c)) return std::nullopt;
    out += static_cast<unsigned>(c - '0') * place;
    place /= 10;
  }
  if (out > full_weight) return std::nullopt;
  return out;
}

std::string weight_text(unsigned weight) {
  if (weight >= full_weight) return "1";
  auto out = std::to_string(weight);
  out.insert(0, 3 - std::min<std::size_t>(out.size(), 3), '0');
  while (!out.empty() && out.back() == '0') out.pop_back();
  return out.empty() ? "0" : "0." + out;
}

/// Takes q out of the parameters. False: malformed.
bool take_weight(param_list& params, unsigned& out) {
  const auto at =
      std::find_if(params.begin(), params.end(), [](const param& p) { return text::iequals(p.name, "q"); });
  if (at == params.end()) return true;
  const auto weight = weight_of(at->value.value_or(""));
  if (!weight) return false;
  out = *weight;
  params.erase(at);
  return true;
}

void append_weight(std::string& out, unsigned weight) {
  if (weight != full_weight) out += ";q=" + weight_text(weight);
}

}  // namespace

result<accept_range> parse_accept_range(std::string_view element) {
  auto type = parse_media_type(element);
  if (!type) return std::move(type).error();
  accept_range out{*std::move(type), full_weight};
  if (!take_weight(out.type.params, out.weight)) return bad("Accept: malformed q");
  if (out.type.type == "*" && out.type.subtype != "*") return bad("Accept: malformed range");
  return out;
}

std::string write(const accept_range& a) {
  std::string out;
  write_to(out, a.type);
  append_weight(out, a.weight);
  return out;
}

unsigned acceptance(const header_list& headers, std::string_view type, std::string_view subtype) {
  if (!headers.find(header::accept)) return full_weight;
  int best = -1;
  unsigned out = 0;
  for (const auto element : headers.elements(header::accept)) {
    const auto range = parse_accept_range(element);
    if (!range) continue;
    int specific = -1;
    if (range->type.is("*", "*")) {
      specific = 0;
    } else if (range->type.is(type, "*")) {
      specific = 1;
    } else if (range->type.is(type, subtype)) {
      specific = 2;
    }
    if (specific > best) {
      best = specific;
      out = range->weight;
    }
  }
  return out;
}

result<weighted_token> parse_weighted_token(std::string_view element) {
  scanner in(text::trim(element));
  weighted_token out;
  out.value = text::to_lower(in.token());
  if (out.value.empty()) return bad("not a token");
  if (!in.params(out.params) || (in.skip_blanks(), !in.at_end()))
    return bad("malformed or repeated parameter");
  if (!take_weight(out.params, out.weight)) return bad("malformed q");
  return out;
}

std::string write(const weighted_token& w) {
  auto out = w.value;
  write_params(out, w.params);
  append_weight(out, w.weight);
  return out;
}

result<std::string> parse_language_tag(std::string_view element) {
  // RFC 3261 §25.1: primary-tag *( "-" subtag ), each 1*8; RFC 5646 allows digits in all but the first.
  const auto tag = text::trim(element);
  bool first = true;
  for (const auto part : text::split(tag, '-')) {
    const bool fits = !part.empty() && part.size() <= 8 &&
                      std::all_of(part.begin(), part.end(), first ? text::is_alpha : text::is_alnum);
    if (!fits) return bad("malformed language tag");
    first = false;
  }
  return std::string(tag);
}

result<std::string> parse_priority(std::string_view value) {
  const auto word = text::trim(value);
  if (!chars::all(word, chars::token)) return bad("Priority: not a token");
  return text::to_lower(word);
}

std::string parse_text(std::string_view value, std::size_t limit) {
  return clean_text(text::trim(value), limit);
}

result<mime_version_value> parse_mime_version(std::string_view value) {
  const auto text = text::trim(value);
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return bad("MIME-Version: malformed");
  const auto major_number = text::to_number(text.substr(0, dot), UINT32_MAX);
  const auto minor_number = text::to_number(text.substr(dot + 1), UINT32_MAX);
  if (!major_number || !minor_number) return bad("MIME-Version: malformed");
  return mime_version_value{static_cast<std::uint32_t>(*major_number),
                            static_cast<std::uint32_t>(*minor_number)};
}

std::string write(const mime_version_value& m) {
  return std::to_string(m.major_part) + '.' + std::to_string(m.minor_part);
}

result<std::vector<std::string>> parse_tokens(const header_list& headers, header which) {
  std::vector<std::string> out;
  for (const auto element : headers.elements(which)) {
    if (!chars::all(element, chars::token)) {
      return error{errc::bad_header, std::string(to_string(which)) + ": not a list of tokens"};
    }
    out.emplace_back(element);
  }
  return out;
}

std::string write_tokens(const std::vector<std::string>& tokens) {
  std::string out;
  for (const auto& t : tokens) {
    if (!chars::all(t, chars::token)) continue;
    if (!out.empty()) out += ", ";
    out += t;
  }
  return out;
}

bool has_token(const header_list& headers, header which, std::string_view token) {
  for (const auto element : headers.elements(which)) {
    if (text::iequals(element, token)) return true;
  }
  return false;
}

}  // namespace stox::sip
