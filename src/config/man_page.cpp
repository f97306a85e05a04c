#include "config/man_page.hpp"

#include "base/text.hpp"

namespace stox::config {

namespace {

// "-" alone may be set as a hyphen, which cannot be pasted into a shell again.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else {
      out += c;
    }
  }
  return out;
}

// At a line's beginning "." would be a request.
std::string line_of(std::string_view text) {
  return (text.starts_with('.') ? "\\&" : "") + escaped(text) + "\n";
}

}  // namespace

man_page::man_page(std::string_view name, int section, std::string_view what) {
  // Without a date: the same sources make the same bytes.
  out_ = ".TH \"" + escaped(name) + "\" \"" + std::to_string(section) + "\" \"\" \"Stox " STOX_VERSION "\"\n";
  out_ += ".nh\n.ad l\n";  // keys and flags are not broken
  heading("NAME");
  out_ += escaped(name) + " \\- " + escaped(what) + "\n";
}

void man_page::heading(std::string_view text) { out_ += ".SH " + escaped(text) + "\n"; }
void man_page::subheading(std::string_view text) { out_ += ".SS \"" + escaped(text) + "\"\n"; }
void man_page::paragraph(std::string_view text) { out_ += ".PP\n" + line_of(text); }

void man_page::item(std::string_view tag, std::string_view text) {
  out_ += ".TP\n\\fB" + escaped(tag) + "\\fR\n" + line_of(text);
}

void man_page::lines(std::string_view text) {
  out_ += ".PP\n.nf\n";
  for (const auto line : text::split(text, '\n')) out_ += line_of(line);
  out_ += ".fi\n";
}

}  // namespace stox::config
