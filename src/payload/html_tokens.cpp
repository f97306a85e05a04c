#include "payload/html_tokens.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "payload/html_references.hpp"

namespace stox::payload {

bool is_html_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

std::string safe_address(std::string_view href) {
  static constexpr std::array<std::string_view, 8> schemes{"http", "https", "mailto", "sip",
                                                           "sips", "tel",   "xmpp",   "im"};
  href = text::trim(href);
  const auto scheme = href.substr(0, href.find(':'));
  const bool known = scheme.size() < href.size() &&
                     std::any_of(schemes.begin(), schemes.end(),
                                 [&](std::string_view s) { return text::iequals(s, scheme); });
  std::string out;
  if (known)
    text::percent_encode(out, href, [](char c) { return c != ' ' && c != '"' && c != '<' && c != '>'; });
  return out;
}

std::optional<html_token> html_tokens::next() {
  while (!rest_.empty()) {
    const auto open = std::min(rest_.find('<'), rest_.size());
    if (open > 0) {
      const auto text = rest_.substr(0, open);
      rest_.remove_prefix(open);
      return text;
    }
    if (auto token = markup()) return token;
  }
  return std::nullopt;
}

/// What begins with "<"; nullopt: nothing that a reader would see.
std::optional<html_token> html_tokens::markup() {
  if (rest_.starts_with("<!--")) {
    skip_behind("-->", 2);  // "<!-->" is a whole comment
    return std::nullopt;
  }
  const auto next = rest_.size() > 1 ? rest_[1] : '\0';
  if (next == '!' || next == '?') {
    skip_behind(">", 0);
    return std::nullopt;
  }
  if (!text::is_alpha(next) && next != '/') {  // "a < b" is text
    const auto text = rest_.substr(0, 1);
    rest_.remove_prefix(1);
    return text;
  }
  auto tag = take_tag();
  if (!tag.closing && (tag.name == "script" || tag.name == "style" || tag.name == "title")) {
    skip_element(tag.name);
    return std::nullopt;
  }
  return tag;
}

void html_tokens::skip_behind(std::string_view end, std::size_t from) {
  const auto at = rest_.find(end, from);
  rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + end.size());
}

/// Up to the end tag of that name and behind it. Without one, all the rest: then nothing is searched twice.
void html_tokens::skip_element(std::string_view name) {
  for (auto at = rest_.find("</"); at != std::string_view::npos; at = rest_.find("</", at + 2)) {
    const auto behind = rest_.substr(at + 2);
    // "</titles>" does not end a title.
    if (!text::istarts_with(behind, name)) continue;
    if (behind.size() > name.size() && text::is_alnum(behind[name.size()])) continue;
    return skip_behind(">", at);
  }
  rest_ = {};
}

html_tag html_tokens::take_tag() {
  html_tag t;
  std::size_t i = 1;
  if (rest_[i] == '/') {
    t.closing = true;
    ++i;
  }
  const auto ends_name = [](char c) { return is_html_blank(c) || c == '/' || c == '>'; };
  const auto name_begin = i;
  while (i < rest_.size() && !ends_name(rest_[i])) ++i;
  t.name = text::to_lower(rest_.substr(name_begin, i - name_begin));
  while (i < rest_.size() && rest_[i] != '>') {
    if (ends_name(rest_[i])) {
      ++i;
      continue;
    }
    const auto begin = i++;
    while (i < rest_.size() && rest_[i] != '=' && !ends_name(rest_[i])) ++i;
    const auto name = rest_.substr(begin, i - begin);
    while (i < rest_.size() && is_html_blank(rest_[i])) ++i;
    std::string_view value;
    if (i < rest_.size() && rest_[i] == '=') value = take_value(++i);
    // Of two attributes of a name HTML takes the first.
    const auto take = [&](std::string_view wanted, std::string& into) {
      if (into.empty() && text::iequals(name, wanted)) decode_references(into, value);
    };
    take("href", t.href);
    take("alt", t.alt);
    take("style", t.style);
  }
  rest_.remove_prefix(std::min(i + 1, rest_.size()));
  return t;
}

std::string_view html_tokens::take_value(std::size_t& i) const {
  while (i < rest_.size() && is_html_blank(rest_[i])) ++i;
  if (i == rest_.size()) return {};
  const char quote = rest_[i];
  if (quote == '"' || quote == '\'') {
    const auto end = std::min(rest_.find(quote, i + 1), rest_.size());
    const auto value = rest_.substr(i + 1, end - i - 1);
    i = std::min(end + 1, rest_.size());
    return value;
  }
  const auto begin = i;
  while (i < rest_.size() && rest_[i] != '>' && !is_html_blank(rest_[i])) ++i;
  return rest_.substr(begin, i - begin);
}

}  // namespace stox::payload
