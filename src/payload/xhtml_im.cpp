#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "payload/html.hpp"
#include "payload/html_references.hpp"
#include "payload/html_tokens.hpp"

/// html_to_xhtml_im.
namespace stox::payload {

namespace {

constexpr std::string_view wrapper_ns = "http://jabber.org/protocol/xhtml-im";
constexpr std::string_view xhtml_ns = "http://www.w3.org/1999/xhtml";
constexpr std::size_t deepest = 16;  ///< elements in elements; what is deeper stands flat in the last one
constexpr std::size_t most_nodes = 1024;  ///< elements and texts

/// What HTML has and what it becomes in the profile of XEP-0071 §7.8.
struct inline_form {
  std::string_view html, xhtml, style;
};
constexpr auto inline_forms = std::to_array<inline_form>({
    {"a", "a", ""},
    {"b", "strong", ""},
    {"cite", "cite", ""},
    {"del", "span", "text-decoration: line-through"},
    {"em", "em", ""},
    {"font", "span", ""},
    {"i", "em", ""},
    {"ins", "span", "text-decoration: underline"},
    {"s", "span", "text-decoration: line-through"},
    {"span", "span", ""},
    {"strike", "span", "text-decoration: line-through"},
    {"strong", "strong", ""},
    {"u", "span", "text-decoration: underline"},
});
constexpr auto paragraphs = std::to_array<std::string_view>({"p", "div", "h1", "h2", "h3", "h4", "h5", "h6",
                                                             "pre", "address", "section", "article", "header",
                                                             "footer", "table", "tr", "dl", "dt", "dd"});

/// The properties of XEP-0071 §7.6.1, each with a value of words and numbers: no url(), no expression().
std::string safe_style(std::string_view style) {
  static constexpr auto properties = std::to_array<std::string_view>(
      {"background-color", "color", "font-family", "font-size", "font-style", "font-weight", "margin-left",
       "margin-right", "text-align", "text-decoration"});
  std::string out;
  for (const auto declaration : text::split(style, ';')) {
    const auto colon = declaration.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = text::to_lower(text::trim(declaration.substr(0, colon)));
    const auto value = text::trim(declaration.substr(colon + 1));
    if (std::find(properties.begin(), properties.end(), name) == properties.end()) continue;
    const bool plain =
        !value.empty() && value.size() <= 64 && std::all_of(value.begin(), value.end(), [](char c) {
          return text::is_alnum(c) || std::string_view(" #%.,-").find(c) != std::string_view::npos;
        });
    if (!plain || out.size() > 256) continue;
    out += out.empty() ? "" : "; ";
    out += name;
    out.append(": ").append(value);
  }
  return out;
}

class builder {
 public:
  builder() { open_.emplace_back("body", std::string(xhtml_ns)); }

  std::optional<xml::element> run(std::string_view html) {
    html_tokens tokens(html);
    while (const auto token = tokens.next()) {
      if (const auto* t = std::get_if<html_tag>(&*token)) {
        apply(*t);
      } else {
        std::string decoded;
        decode_references(decoded, std::get<std::string_view>(*token));
        text(std::move(decoded));
      }
      if (nodes_ > most_nodes) return std::nullopt;
    }
    while (open_.size() > 1) close();
    if (!has_text_) return std::nullopt;
    xml::element wrapper("html", std::string(wrapper_ns));
    wrapper.add(std::move(open_.back()));
    return wrapper;
  }

 private:
  static bool is_list(const xml::element& e) { return e.name == "ul" || e.name == "ol"; }
  /// Body, quotes, lists and items hold blocks; what else is open is a paragraph or stands in a line.
  static bool holds_blocks(const xml::element& e) {
    return is_list(e) || e.name == "body" || e.name == "blockquote" || e.name == "li";
  }
  const xml::element& current() const { return open_.back(); }

  xml::element& open(std::string_view name) {
    ++nodes_;
    return open_.emplace_back(std::string(name), std::string(xhtml_ns));
  }

  /// Takes the innermost element into the one around it; one without content says nothing.
  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    if (!done.children.empty()) open_.back().add(std::move(done));
  }

  void close_lines() {
    while (!holds_blocks(current())) close();
  }

  /// Closes up to the innermost element of that name, if one is open in this line.
  void close_line(std::string_view name) {
    for (auto at = open_.size(); at-- > 0 && !holds_blocks(open_[at]);) {
      if (open_[at].name != name) continue;
      while (open_.size() > at) close();
      return;
    }
  }

  void text(std::string s) {
    const bool blank = std::all_of(s.begin(), s.end(), is_html_blank);
    if (s.empty() || (blank && holds_blocks(current()))) return;
    begin_line();
    has_text_ |= !blank;
    auto& children = open_.back().children;
    if (auto* before = children.empty() ? nullptr : std::get_if<std::string>(&children.back().value)) {
      before->append(s);
      return;
    }
    ++nodes_;
    open_.back().add_text(std::move(s));
  }

  /// Makes room for text: body and quotes hold paragraphs, lists hold items.
  void begin_line() {
    if (is_list(current())) {
      open("li");
    } else if (current().name == "body" || current().name == "blockquote") {
      open("p");
    }
  }

  /// Makes room for a block.
  void begin_block() {
    close_lines();
    if (is_list(current())) open("li");
  }

  void apply(const html_tag& t) {
    if (t.name == "br" || t.name == "hr") {
      begin_line();
      ++nodes_;
      open_.back().add({"br", std::string(xhtml_ns)});
      return;
    }
    if (t.name == "img") return text(t.alt);
    if (t.name == "li") return item(t);
    if (t.name == "blockquote" || t.name == "ul" || t.name == "ol") return block(t);
    if (std::find(paragraphs.begin(), paragraphs.end(), t.name) != paragraphs.end()) {
      close_lines();
      if (t.closing || open_.size() >= deepest) return;
      begin_block();
      style(open("p"), t, {});
      return;
    }
    const auto form = std::find_if(inline_forms.begin(), inline_forms.end(),
                                   [&](const inline_form& f) { return f.html == t.name; });
    if (form != inline_forms.end()) in_line(t, *form);
  }

  void in_line(const html_tag& t, const inline_form& form) {
    if (t.closing || form.xhtml == "a") close_line(form.xhtml);  // no links in links
    if (t.closing || open_.size() >= deepest) return;
    const auto href = safe_address(t.href);
    if (form.xhtml == "a" && href.empty()) return;
    begin_line();
    auto& e = open(form.xhtml);
    if (form.xhtml == "a") e.set("href", href);
    if (form.xhtml != "em" && form.xhtml != "strong") style(e, t, form.style);
  }

  void block(const html_tag& t) {
    close_lines();
    if (!t.closing) {
      if (open_.size() >= deepest) return;
      begin_block();
      style(open(t.name), t, {});
      return;
    }
    const auto at =
        std::find_if(open_.rbegin(), open_.rend(), [&](const auto& e) { return e.name == t.name; });
    if (at == open_.rend()) return;
    const auto left = static_cast<std::size_t>(open_.rend() - at) - 1;
    while (open_.size() > left) close();
  }

  void item(const html_tag& t) {
    close_lines();
    if (current().name == "li") close();
    if (t.closing || !is_list(current()) || open_.size() >= deepest) return;
    style(open("li"), t, {});
  }

  static void style(xml::element& e, const html_tag& t, std::string_view first) {
    auto all = std::string(first);
    if (const auto own = safe_style(t.style); !own.empty()) all += (all.empty() ? "" : "; ") + own;
    if (!all.empty()) e.set("style", all);
  }

  std::vector<xml::element> open_;  ///< the body and in it, one in the other, what is not closed yet
  std::size_t nodes_ = 0;
  bool has_text_ = false;
};

}  // namespace

std::optional<xml::element> html_to_xhtml_im(std::string_view html) { return builder().run(html); }

}  // namespace stox::payload
