#include "payload/html.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "payload/utf8.hpp"

namespace stox::payload {

namespace {

struct tag {
  std::string name;  ///< lower case
  bool closing = false;
  std::string href, alt;  ///< decoded
};

std::optional<std::uint32_t> named_reference(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::uint32_t>, 24> names{{
      {"amp", '&'},      {"lt", '<'},       {"gt", '>'},        {"quot", '"'},     {"apos", '\''},
      {"nbsp", 0xa0},    {"copy", 0xa9},    {"reg", 0xae},      {"deg", 0xb0},     {"middot", 0xb7},
      {"auml", 0xe4},    {"ouml", 0xf6},    {"uuml", 0xfc},     {"szlig", 0xdf},   {"eacute", 0xe9},
      {"ndash", 0x2013}, {"mdash", 0x2014}, {"lsquo", 0x2018},  {"rsquo", 0x2019}, {"ldquo", 0x201c},
      {"rdquo", 0x201d}, {"bull", 0x2022},  {"hellip", 0x2026}, {"euro", 0x20ac},
  }};
  const auto at = std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.first == name; });
  if (at == names.end()) return std::nullopt;
  return at->second;
}

std::optional<std::uint32_t> reference(std::string_view name) {
  if (!name.starts_with('#')) return named_reference(name);
  name.remove_prefix(1);
  if (name.starts_with('x') || name.starts_with('X')) return hex_number(name.substr(1));
  const auto value = text::to_number(name, 0x10ffff);
  if (!value) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

/// Appends `s` with its references decoded; one that is not known stays as it is written. Controls become
/// blanks.
void decode_to(std::string& out, std::string_view s) {
  constexpr std::size_t longest = 10;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '&') {
      const auto end = s.substr(i, longest).find(';');
      const auto code = end == std::string_view::npos ? std::nullopt : reference(s.substr(i + 1, end - 1));
      if (code) {
        append_utf8(out, *code < 0x20 || *code == 0x7f ? ' ' : *code);
        i += end;
        continue;
      }
    }
    out += static_cast<unsigned char>(s[i]) < 0x20 ? ' ' : s[i];
  }
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

/// What may be shown as an address: nothing that a program would run.
bool is_safe_address(std::string_view href) {
  static constexpr std::array<std::string_view, 8> schemes{"http", "https", "mailto", "sip",
                                                           "sips", "tel",   "xmpp",   "im"};
  const auto scheme = href.substr(0, href.find(':'));
  return scheme.size() < href.size() &&
         std::any_of(schemes.begin(), schemes.end(), [&](auto s) { return text::iequals(s, scheme); });
}

class plain_text {
 public:
  std::string run(std::string_view html) {
    out_.reserve(html.size());
    while (!html.empty()) {
      const auto open = std::min(html.find('<'), html.size());
      text(html.substr(0, open));
      html.remove_prefix(open);
      if (!html.empty()) markup(html);
    }
    while (!out_.empty() && is_blank(out_.back())) out_.pop_back();
    return std::move(out_);
  }

 private:
  /// Text between tags: runs of blanks are one, but for <pre>.
  void text(std::string_view s) {
    std::string decoded;
    if (pre_ == 0) {
      decode_to(decoded, s);
    } else {
      for (const auto line : text::split(s, '\n')) {
        if (line.data() != s.data()) new_line();
        decode_to(decoded = {}, line);
        append_raw(decoded);
      }
      return;
    }
    for (const char c : decoded) {
      if (is_blank(c)) {
        blank_ = !at_line_start();
      } else {
        put_blank();
        begin_line();
        out_ += c;
      }
    }
  }

  void append_raw(std::string_view s) {
    if (s.empty()) return;
    put_blank();
    begin_line();
    out_ += s;
  }

  /// One tag, comment or declaration off the front of `html`, which begins with "<".
  void markup(std::string_view& html) {
    if (html.starts_with("<!--")) {
      const auto end = html.find("-->", 4);
      return html.remove_prefix(end == std::string_view::npos ? html.size() : end + 3);
    }
    const auto next = html.size() > 1 ? html[1] : '\0';
    if (next == '!' || next == '?') {
      const auto end = html.find('>');
      return html.remove_prefix(end == std::string_view::npos ? html.size() : end + 1);
    }
    if (!text::is_alpha(next) && next != '/') {  // "a < b" is text
      append_raw("<");
      return html.remove_prefix(1);
    }
    const auto t = take_tag(html);
    if (!t.closing && (t.name == "script" || t.name == "style" || t.name == "head" || t.name == "title"))
      return skip_to_end(html, t.name);
    apply(t);
  }

  /// Everything up to the end tag of that name. Without one, all the rest: then nothing is searched twice.
  static void skip_to_end(std::string_view& html, std::string_view name) {
    for (std::size_t at = html.find("</"); at != std::string_view::npos; at = html.find("</", at + 2)) {
      const auto behind = html.substr(at + 2);
      // "</header>" does not end <head>.
      const bool longer = behind.size() > name.size() && text::is_alnum(behind[name.size()]);
      if (!text::istarts_with(behind, name) || longer) continue;
      const auto end = html.find('>', at);
      return html.remove_prefix(end == std::string_view::npos ? html.size() : end + 1);
    }
    html.remove_prefix(html.size());
  }

  static tag take_tag(std::string_view& html) {
    tag t;
    std::size_t i = 1;
    if (html[i] == '/') {
      t.closing = true;
      ++i;
    }
    const auto name_begin = i;
    while (i < html.size() && text::is_alnum(html[i])) ++i;
    t.name = text::to_lower(html.substr(name_begin, i - name_begin));
    while (i < html.size() && html[i] != '>') {
      if (is_blank(html[i]) || html[i] == '/') {
        ++i;
        continue;
      }
      const auto begin = i;
      while (i < html.size() && html[i] != '=' && html[i] != '>' && !is_blank(html[i])) ++i;
      const auto name = html.substr(begin, i - begin);
      while (i < html.size() && is_blank(html[i])) ++i;
      std::string_view value;
      if (i < html.size() && html[i] == '=') {
        ++i;
        while (i < html.size() && is_blank(html[i])) ++i;
        value = take_value(html, i);
      }
      if (text::iequals(name, "href")) decode_to(t.href, value);
      if (text::iequals(name, "alt")) decode_to(t.alt, value);
    }
    html.remove_prefix(std::min(i + 1, html.size()));
    return t;
  }

  static std::string_view take_value(std::string_view html, std::size_t& i) {
    if (i == html.size()) return {};
    const char quote = html[i];
    if (quote == '"' || quote == '\'') {
      const auto end = std::min(html.find(quote, i + 1), html.size());
      const auto value = html.substr(i + 1, end - i - 1);
      i = std::min(end + 1, html.size());
      return value;
    }
    const auto begin = i;
    while (i < html.size() && html[i] != '>' && !is_blank(html[i])) ++i;
    return html.substr(begin, i - begin);
  }

  void apply(const tag& t) {
    static constexpr std::array<std::string_view, 21> blocks{
        "p",  "div", "tr", "table", "ul",     "ol",      "dl",     "dt",      "dd",   "h1",  "h2",
        "h3", "h4",  "h5", "h6",    "header", "section", "footer", "article", "body", "html"};
    if (t.name == "br" || t.name == "hr") return new_line();
    if (t.name == "img") return t.alt.empty() ? void() : append_raw(t.alt);
    if (t.name == "a") return link(t);
    if (t.name == "pre") {
      block();
      pre_ = t.closing ? 0 : 1;
      return;
    }
    if (t.name == "blockquote") {
      constexpr unsigned deepest = 8;
      block();
      if (!t.closing && quotes_ < deepest) ++quotes_;
      if (t.closing && quotes_ > 0) --quotes_;
      return;
    }
    if (t.name == "li") {
      block();
      if (!t.closing) append_raw("- ");
      return;
    }
    if (t.name == "td" || t.name == "th") blank_ = !at_line_start();
    if (std::find(blocks.begin(), blocks.end(), t.name) != blocks.end()) block();
  }

  void link(const tag& t) {
    if (!t.closing) {
      href_ = is_safe_address(t.href) ? t.href : std::string();
      link_begin_ = out_.size();
      return;
    }
    if (href_.empty()) return;
    const auto shown = text::trim(std::string_view(out_).substr(std::min(link_begin_, out_.size())));
    const auto bare = std::string_view(href_).substr(href_.find(':') + 1);
    if (shown != href_ && shown != bare) append_raw((shown.empty() ? "<" : " <") + href_ + ">");
    href_.clear();
  }

  bool at_line_start() const { return out_.empty() || out_.back() == '\n'; }
  void put_blank() {
    if (blank_ && !at_line_start()) out_ += ' ';
    blank_ = false;
  }
  void begin_line() {
    if (!at_line_start()) return;
    for (unsigned i = 0; i < quotes_; ++i) out_ += "> ";
  }
  void new_line() {
    blank_ = false;
    // Many empty lines say no more than one.
    if (!out_.empty() && !out_.ends_with("\n\n")) out_ += '\n';
  }
  /// What follows begins on a line of its own.
  void block() {
    blank_ = false;
    if (!at_line_start()) out_ += '\n';
  }

  std::string out_, href_;
  std::size_t link_begin_ = 0;
  unsigned quotes_ = 0;
  int pre_ = 0;
  bool blank_ = false;
};

}  // namespace

std::string html_to_text(std::string_view html) { return plain_text().run(html); }

}  // namespace stox::payload
