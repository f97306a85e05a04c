#include "payload/html.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "payload/html_references.hpp"
#include "payload/html_tokens.hpp"

namespace stox::payload {

namespace {

class plain_text {
 public:
  std::string run(std::string_view html) {
    out_.reserve(html.size());
    html_tokens tokens(html);
    while (const auto token = tokens.next()) {
      if (const auto* t = std::get_if<html_tag>(&*token)) {
        apply(*t);
      } else {
        text(std::get<std::string_view>(*token));
      }
    }
    end_link();
    while (!out_.empty() && is_html_blank(out_.back())) out_.pop_back();
    return std::move(out_);
  }

 private:
  /// Text between tags: runs of blanks are one, but for <pre>.
  void text(std::string_view s) {
    if (preformatted_) return preformatted(s);
    std::string decoded;
    decode_references(decoded, s);
    for (const char c : decoded) {
      if (is_html_blank(c)) {
        blank_ = !at_line_start();
      } else {
        put(std::string_view(&c, 1));
      }
    }
  }

  void preformatted(std::string_view s) {
    for (auto line : text::split(s, '\n')) {
      if (line.data() != s.data()) new_line();
      if (line.ends_with('\r')) line.remove_suffix(1);
      std::string decoded;
      decode_references(decoded, line);
      put(decoded);
    }
  }

  void put(std::string_view s) {
    if (s.empty()) return;
    if (blank_ && !at_line_start() && out_.back() != ' ') out_ += ' ';
    blank_ = false;
    if (at_line_start())
      for (unsigned i = 0; i < quotes_; ++i) out_ += "> ";
    out_ += s;
  }

  void apply(const html_tag& t) {
    static constexpr std::array<std::string_view, 25> blocks{
        "p",  "div", "tr",   "table", "ul",     "ol",      "dl",        "dt",     "dd",
        "h1", "h2",  "h3",   "h4",    "h5",     "h6",      "address",   "header", "section",
        "li", "pre", "body", "html",  "footer", "article", "blockquote"};
    if (t.name == "br" || t.name == "hr") return new_line();
    if (t.name == "img") return put(t.alt);
    if (t.name == "a") return link(t);
    if (t.name == "td" || t.name == "th") blank_ = !at_line_start();
    if (std::find(blocks.begin(), blocks.end(), t.name) == blocks.end()) return;
    block();
    if (t.name == "li" && !t.closing) put("- ");
    if (t.name == "pre") preformatted_ = !t.closing;
    if (t.name == "blockquote") {
      constexpr unsigned deepest = 8;
      if (!t.closing && quotes_ < deepest) ++quotes_;
      if (t.closing && quotes_ > 0) --quotes_;
    }
  }

  void link(const html_tag& t) {
    end_link();  // HTML has no links in links: the next one ends the one before
    if (t.closing) return;
    href_ = safe_address(t.href);
    // A quote's marks stand in front of the link, and are not its text.
    link_begin_ = out_.size() + (at_line_start() ? std::size_t{2} * quotes_ : 0);
  }

  /// Says where the link leads, unless its text is just that.
  void end_link() {
    if (href_.empty()) return;
    const auto shown = text::trim(std::string_view(out_).substr(std::min(link_begin_, out_.size())));
    const auto bare = std::string_view(href_).substr(href_.find(':') + 1);
    if (shown != href_ && shown != bare) {
      blank_ = !at_line_start();
      put("<" + href_ + ">");
    }
    href_.clear();
  }

  bool at_line_start() const { return out_.empty() || out_.back() == '\n'; }
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
  bool preformatted_ = false, blank_ = false;
};

}  // namespace

std::string html_to_text(std::string_view html) { return plain_text().run(html); }

}  // namespace stox::payload
