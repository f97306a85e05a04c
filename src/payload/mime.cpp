#include "payload/mime.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "payload/charset.hpp"
#include "payload/header_block.hpp"
#include "payload/html.hpp"
#include "payload/transfer_encoding.hpp"

namespace stox::payload {

namespace {

/// RFC 2045 §5.1: any character but controls, blanks and tspecials.
bool is_token(std::string_view s) {
  constexpr std::string_view specials = "()<>@,;:\\\"/[]?=";
  return !s.empty() && std::all_of(s.begin(), s.end(), [&](char c) {
    return c > 0x20 && c < 0x7f && specials.find(c) == std::string_view::npos;
  });
}

content_type opaque() { return {"application", "octet-stream", {}}; }

/// Takes a parameter's value, a token or a quoted string, and what is left of its place off the front.
std::optional<std::string> take_value(std::string_view& s) {
  std::string out;
  if (!s.starts_with('"')) {
    const auto end = std::min(s.find(';'), s.size());
    out = text::trim(s.substr(0, end));
    s.remove_prefix(end);
    return out;
  }
  std::size_t i = 1;
  for (; i < s.size() && s[i] != '"'; ++i) {
    if (s[i] == '\\' && i + 1 < s.size()) ++i;
    out += s[i];
  }
  if (i == s.size()) return std::nullopt;
  s.remove_prefix(std::min(s.find(';', i), s.size()));
  return out;
}

/// RFC 2046 §5.1.1: a line that is the delimiter: "--" boundary, for the last one "--" again, blanks.
enum class delimiter : std::uint8_t { none, next, last };
delimiter delimiter_of(std::string_view line, std::string_view boundary) {
  if (!line.starts_with("--") || !line.substr(2).starts_with(boundary)) return delimiter::none;
  auto rest = line.substr(2 + boundary.size());
  const bool last = rest.starts_with("--");
  if (last) rest.remove_prefix(2);
  if (!text::trim(rest).empty()) return delimiter::none;
  return last ? delimiter::last : delimiter::next;
}

/// The line end in front of a delimiter belongs to the delimiter.
std::string_view without_line_end(std::string_view part) {
  if (part.ends_with('\n')) part.remove_suffix(1);
  if (part.ends_with('\r')) part.remove_suffix(1);
  return part;
}

/// How to read.
struct reading {
  const limits& bounds;
  html_form html;
};

/// The text of one entity that holds text itself; empty: it holds none.
result<readable> own_text(const content_type& type, std::string_view body, const reading& how) {
  const bool html = type.is("text", "html");
  readable out;
  if (!html && !type.is("text", "plain")) return out;
  auto utf8 = to_utf8(body, type.param("charset"));
  if (!utf8) {
    return error(errc::bad_charset, is_known_charset(type.param("charset")) ? "the text is not of its charset"
                                                                            : "a charset that is not known");
  }
  if (!html) {
    out.text = *std::move(utf8);
    return out;
  }
  out.text = html_to_text(*utf8);
  if (how.html == html_form::kept) out.html = *std::move(utf8);
  return out;
}

struct finding {
  readable what;
  bool plain = false;
  error why = errc::no_text;
};

bool is_multipart(const content_type& type) { return type.type == "multipart"; }

result<finding> find_text(const content_type& type, std::string_view body, const reading& how,
                          std::size_t depth);

/// Names what is not shown.
void leave_out(std::vector<std::string>& names, const std::string& name) {
  constexpr std::size_t most = 16;
  if (names.size() < most) names.push_back("part " + name);
}

result<finding> find_in_parts(const content_type& type, std::string_view body, const reading& how,
                              std::size_t depth) {
  if (depth == how.bounds.depth) return error(errc::too_deep, "multiparts in multiparts");
  auto parts = parse_multipart(type, body, how.bounds);
  if (!parts) return parts.error();
  std::optional<finding> best;
  std::string best_name;
  finding none;
  std::vector<std::string> left_out;
  std::string other_html;  // RFC 2046 §5.1.4: of alternatives each says the same
  for (const auto& part : *parts) {
    // RFC 2183 §2.2: a file is not what the sender says.
    auto found = part.disposition == "attachment" ? result<finding>(finding{})
                                                  : find_text(part.type, part.body, how, depth + 1);
    if (!found && found.error().code == make_error_code(errc::too_deep)) return found.error();
    if (!found) none.why = found.error();
    if (!found || found->what.text.empty()) {
      leave_out(left_out, part.type.name());
      continue;
    }
    if (found->what.languages.empty()) found->what.languages = part.languages;
    const bool better = !best || (found->plain && !best->plain);
    if (better && best) std::swap(*best, *found);
    auto name = part.type.name();
    if (better) std::swap(best_name, name);
    if (!best) {
      best = *std::move(found);
      continue;
    }
    if (type.subtype == "alternative" && other_html.empty() && !found->what.html.empty()) {
      other_html = std::move(found->what.html);
    } else {
      leave_out(left_out, name);
    }
  }
  if (!best) {
    none.what.left_out = std::move(left_out);
    return none;
  }
  if (best->what.html.empty()) best->what.html = std::move(other_html);
  for (auto& name : left_out) best->what.left_out.push_back(std::move(name));
  return *std::move(best);
}

result<finding> find_text(const content_type& type, std::string_view body, const reading& how,
                          std::size_t depth) {
  if (is_multipart(type)) return find_in_parts(type, body, how, depth);
  auto own = own_text(type, body, how);
  if (!own) return own.error();
  finding out;
  out.what = *std::move(own);
  out.plain = type.is("text", "plain");
  return out;
}

}  // namespace

std::string_view content_type::param(std::string_view name) const {
  const auto at =
      std::find_if(params.begin(), params.end(), [&](const parameter& p) { return p.name == name; });
  return at == params.end() ? std::string_view() : std::string_view(at->value);
}

result<content_type> parse_content_type(std::string_view value) {
  const auto end = std::min(value.find(';'), value.size());
  const auto name = text::trim(value.substr(0, end));
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return error(errc::malformed, "Content-Type");
  const auto type = text::trim(name.substr(0, slash)), subtype = text::trim(name.substr(slash + 1));
  if (!is_token(type) || !is_token(subtype)) return error(errc::malformed, "Content-Type");
  content_type out{text::to_lower(type), text::to_lower(subtype), {}};
  auto rest = value.substr(end);
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const auto equals = rest.find_first_of("=;");
    if (equals == std::string_view::npos || rest[equals] == ';') {
      // "text/plain;" and ";;" are seen; a word without a value says nothing that is known.
      rest.remove_prefix(std::min(equals, rest.size()));
      continue;
    }
    const auto word = text::trim(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
    auto given = take_value(rest);
    if (!is_token(word) || !given) return error(errc::malformed, "Content-Type");
    out.params.push_back({text::to_lower(word), *std::move(given)});
  }
  return out;
}

namespace {

/// `type`: what it is where no field says so.
result<entity> parse_entity_of(content_type type, std::string_view text, const limits& l) {
  const auto head = read_header_block(text, l);
  if (!head) return head.error();
  entity out;
  out.type = std::move(type);
  if (const auto* value = head->find("Content-Type")) {
    auto given = parse_content_type(*value);
    if (!given) return given.error();
    out.type = *std::move(given);
  }
  if (const auto* value = head->find("Content-Language")) out.languages = *value;
  if (const auto* value = head->find("Content-Disposition"))
    out.disposition = text::to_lower(text::trim(std::string_view(*value).substr(0, value->find(';'))));
  const auto* encoding = head->find("Content-Transfer-Encoding");
  const auto name = encoding == nullptr ? std::string_view() : std::string_view(*encoding);
  if (!is_known_transfer(name)) {
    out.type = opaque();
    out.body = head->rest;
    return out;
  }
  auto body = decode_transfer(head->rest, name);
  if (!body) return error(errc::malformed, "Content-Transfer-Encoding");
  out.body = *std::move(body);
  return out;
}

}  // namespace

result<entity> parse_entity(std::string_view text, const limits& l) { return parse_entity_of({}, text, l); }

result<std::vector<entity>> parse_multipart(const content_type& type, std::string_view body,
                                            const limits& l) {
  const auto boundary = type.param("boundary");
  // RFC 2046 §5.1.1: 1 to 70 characters.
  if (boundary.empty() || boundary.size() > 70) return error(errc::malformed, "boundary");
  std::vector<std::string_view> texts;
  constexpr auto none = std::string_view::npos;
  auto begin = none;  // of the part that is open
  for (std::size_t at = 0; at < body.size();) {
    const auto end = std::min(body.find('\n', at), body.size());
    auto line = body.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto kind = delimiter_of(line, boundary);
    if (kind != delimiter::none) {
      if (begin != none) texts.push_back(without_line_end(body.substr(begin, at - begin)));
      begin = none;
      if (kind == delimiter::last) break;
      begin = std::min(end + 1, body.size());
    }
    if (texts.size() > l.parts) return error(errc::too_large, "too many parts");
    at = end + 1;
  }
  if (begin != none) texts.push_back(body.substr(begin));
  if (texts.size() > l.parts) return error(errc::too_large, "too many parts");
  if (texts.empty()) return error(errc::malformed, "a multipart without parts");
  // RFC 2046 §5.1.5.
  const auto otherwise = type.subtype == "digest" ? content_type{"message", "rfc822", {}} : content_type{};
  std::vector<entity> parts;
  parts.reserve(texts.size());
  for (const auto part : texts) {
    auto parsed = parse_entity_of(otherwise, part, l);
    parts.push_back(parsed ? *std::move(parsed) : entity{opaque(), {}, {}, std::string(part)});
  }
  return parts;
}

bool is_readable(const content_type& type) {
  return type.is("text", "plain") || type.is("text", "html") || is_multipart(type);
}

result<readable> read_text(const content_type& type, std::string_view body, const limits& l, html_form html) {
  auto found = find_text(type, body, {l, html}, 0);
  if (!found) return found.error();
  if (found->what.text.empty()) return found->why;
  return std::move(found->what);
}

}  // namespace stox::payload
