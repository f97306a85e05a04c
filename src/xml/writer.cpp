#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.hpp"
#include "xml/element.hpp"

namespace stox::xml {

namespace {

constexpr std::string_view xmlns_ns = "http://www.w3.org/2000/xmlns/";
constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// Where escaped text goes, hence which characters cannot stand for themselves.
enum class place : std::uint8_t { text, attribute, anywhere };

constexpr std::uint8_t mark(place p) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(p)); }
constexpr std::uint8_t everywhere = 7;

// Per byte: in which places it needs a look. Bytes from 0x80 do, because they may be bad UTF-8.
constexpr auto looks = [] {
  std::array<std::uint8_t, 256> t{};
  for (std::size_t c = 0; c < 0x20; ++c) t[c] = everywhere;
  for (std::size_t c = 0x80; c < 256; ++c) t[c] = everywhere;
  t['&'] = t['<'] = t['>'] = everywhere;
  // An attribute's value stands in single quotes; a tab or line end in it would become a blank (XML 1.0
  // §3.3.3).
  t['\t'] = t['\n'] = mark(place::attribute);
  t['\''] = mark(place::attribute) | mark(place::anywhere);
  t['"'] = mark(place::anywhere);
  return t;
}();

/// Of ASCII; XML allows DEL.
bool is_printable(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80;
}

std::string_view reference_to(unsigned char c) {
  switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '\'': return "&apos;";
    case '"': return "&quot;";
    case '\t': return "&#9;";
    case '\n': return "&#10;";
    case '\r': return "&#13;";  // as it is, it would be read as a line end (XML 1.0 §2.11)
    default: return replacement;
  }
}

/// The length of the UTF-8 sequence at the front of `s` if it is one character that XML can carry, otherwise
/// 0.
std::size_t character(std::string_view s) {
  const auto lead = static_cast<unsigned char>(s.front());
  const std::size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const auto c = s.substr(0, n);
  if (!text::is_utf8(c)) return 0;
  return c == "\xEF\xBF\xBE" || c == "\xEF\xBF\xBF" ? 0 : n;  // U+FFFE, U+FFFF
}

/// How many bytes at the front of `s` stand for themselves.
std::size_t plain_length(std::string_view s, std::uint8_t here) {
  const auto* const end = std::find_if(
      s.begin(), s.end(), [here](char c) { return (looks[static_cast<unsigned char>(c)] & here) != 0; });
  return static_cast<std::size_t>(end - s.begin());
}

void escape_for(place where, std::string& out, std::string_view s) {
  const auto here = mark(where);
  std::size_t plain = 0;  // start of what can be copied as it is
  for (std::size_t i = 0;;) {
    i += plain_length(s.substr(i), here);
    if (i == s.size()) break;
    const auto c = static_cast<unsigned char>(s[i]);
    const std::size_t n = c < 0x80 ? 0 : character(s.substr(i));
    if (n != 0) {
      i += n;
      continue;
    }
    out.append(s, plain, i - plain);
    out += reference_to(c);
    plain = ++i;
  }
  out.append(s, plain, s.size() - plain);
}

struct code_range {
  char32_t first, last;
};
// XML 1.0 (5th edition) §2.3, beyond ASCII.
constexpr code_range name_start[] = {{0xC0, 0xD6},     {0xD8, 0xF6},     {0xF8, 0x2FF},
                                     {0x370, 0x37D},   {0x37F, 0x1FFF},  {0x200C, 0x200D},
                                     {0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF},
                                     {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF}};
constexpr code_range name_more[] = {{0xB7, 0xB7}, {0x300, 0x36F}, {0x203F, 0x2040}};

char32_t code_point(std::string_view utf8) {
  const auto lead = static_cast<unsigned char>(utf8.front());
  char32_t value = utf8.size() == 1 ? lead : lead & (0x7F >> utf8.size());
  for (const char c : utf8.substr(1)) value = value << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return value;
}

bool may_stand_in_name(std::string_view utf8, bool first) {
  const char c = utf8.front();
  if (utf8.size() == 1) {
    return text::is_alpha(c) || c == '_' || (!first && (text::is_digit(c) || c == '-' || c == '.'));
  }
  const auto holds = [value = code_point(utf8)](code_range r) { return value >= r.first && value <= r.last; };
  return std::any_of(std::begin(name_start), std::end(name_start), holds) ||
         (!first && std::any_of(std::begin(name_more), std::end(name_more), holds));
}

/// A name without a colon, XML Namespaces 1.0 §3.
bool is_name(std::string_view s) {
  if (s.empty()) return false;
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t n = is_printable(s[i]) ? 1 : character(s.substr(i));
    if (n == 0 || !may_stand_in_name(s.substr(i, n), i == 0)) return false;
    i += n;
  }
  return true;
}

/// Whether an attribute can be written at all; xmlns attributes are the writer's own affair.
bool writable(const attribute& a) {
  if (!a.ns.empty()) return is_name(a.name) && a.ns != xmlns_ns && is_xml_text(a.ns);
  if (a.name.starts_with("xml:")) return is_name(std::string_view(a.name).substr(4));
  return a.name != "xmlns" && is_name(a.name);
}

bool same_name(const attribute& a, const attribute& b) { return a.name == b.name && a.ns == b.ns; }

void write_attribute(std::string& out, std::string_view prefix, std::string_view name,
                     std::string_view value) {
  out += ' ';
  out += prefix;
  out += name;
  out += "='";
  escape_for(place::attribute, out, value);
  out += '\'';
}

/// `<name xmlns='...' a='...'`, without the closing bracket. Gives the end tag's name and the namespace in
/// force inside.
struct open_tag {
  std::string_view prefix, name, inner_ns;
};
open_tag write_open(std::string& out, const element& e, std::string_view default_ns) {
  open_tag tag{{}, is_name(e.name) ? std::string_view(e.name) : "invalid-name", default_ns};
  // Neither reserved namespace can be declared; one has a prefix that is always in force, no element is in
  // the other.
  if (e.ns == xml_ns) tag.prefix = "xml:";
  out += '<';
  out += tag.prefix;
  out += tag.name;
  if (e.ns != xml_ns && e.ns != xmlns_ns && e.ns != default_ns) {
    tag.inner_ns = e.ns;
    write_attribute(out, {}, "xmlns", e.ns);
  }
  std::size_t prefixes = 0;
  for (auto a = e.attributes.begin(); a != e.attributes.end(); ++a) {
    // A name twice in one tag is not well-formed: the first counts, as it does for attr().
    if (!writable(*a) ||
        std::any_of(e.attributes.begin(), a, [&](const auto& b) { return same_name(*a, b); }))
      continue;
    if (a->ns.empty()) {
      write_attribute(out, {}, a->name, a->value);
    } else if (a->ns == xml_ns) {
      write_attribute(out, "xml:", a->name, a->value);
    } else {
      const std::string prefix = "ns" + std::to_string(++prefixes);
      write_attribute(out, "xmlns:", prefix, a->ns);
      write_attribute(out, prefix + ":", a->name, a->value);
    }
  }
  return tag;
}

void write_end(std::string& out, const open_tag& tag) {
  out += "</";
  out += tag.prefix;
  out += tag.name;
  out += '>';
}

bool is_blank(const std::string& s) { return s.find_first_not_of(" \t\r\n") == std::string::npos; }

void canonical_to(std::string& out, const element& e, std::string_view default_ns, std::size_t depth) {
  const std::string margin(depth * 2, ' ');
  element head(e.name, e.ns);
  head.attributes = e.attributes;
  std::stable_sort(
      head.attributes.begin(), head.attributes.end(),
      [](const attribute& a, const attribute& b) { return a.ns != b.ns ? a.ns < b.ns : a.name < b.name; });
  out += margin;
  const auto tag = write_open(out, head, default_ns);
  const std::string inner_ns(tag.inner_ns);
  const bool mixed =
      std::any_of(e.children.begin(), e.children.end(), [](const node& n) { return n.as_element(); });
  if (e.children.empty()) {
    out += "/>\n";
    return;
  }
  out += '>';
  if (mixed) out += '\n';
  for (const auto& c : e.children) {
    if (const auto* const child = c.as_element()) {
      canonical_to(out, *child, inner_ns, depth + 1);
    } else if (!mixed) {
      escape_for(place::text, out, *c.as_text());
    } else if (!is_blank(*c.as_text())) {
      out += margin + "  ";
      escape_for(place::text, out, *c.as_text());
      out += '\n';
    }
  }
  if (mixed) out += margin;
  write_end(out, tag);
  out += '\n';
}

}  // namespace

void write_to(std::string& out, const element& e, std::string_view default_ns) {
  const auto tag = write_open(out, e, default_ns);
  if (e.children.empty()) {
    out += "/>";
    return;
  }
  out += '>';
  for (const auto& c : e.children) {
    if (const auto* const child = c.as_element()) {
      write_to(out, *child, tag.inner_ns);
    } else {
      escape_for(place::text, out, *c.as_text());
    }
  }
  write_end(out, tag);
}

std::string write(const element& e, std::string_view default_ns) {
  std::string out;
  write_to(out, e, default_ns);
  return out;
}

std::string canonical(const element& e) {
  std::string out;
  canonical_to(out, e, {}, 0);
  return out;
}

void escape_to(std::string& out, std::string_view text) { escape_for(place::anywhere, out, text); }

std::string escape(std::string_view text) {
  std::string out;
  escape_to(out, text);
  return out;
}

bool is_xml_text(std::string_view text) {
  for (std::size_t i = 0;;) {
    const auto rest = text.substr(i);
    i += static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_printable) - rest.begin());
    if (i == text.size()) return true;
    const auto c = static_cast<unsigned char>(text[i]);
    const bool control = c < 0x20 && c != '\t' && c != '\n' && c != '\r';
    const std::size_t n = control ? 0 : c < 0x80 ? 1 : character(text.substr(i));
    if (n == 0) return false;
    i += n;
  }
}

}  // namespace stox::xml
