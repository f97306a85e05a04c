#include "translate/quote.hpp"

#include <unicode/uchar.h>

#include <algorithm>
#include <optional>

#include "base/text.hpp"
#include "translate/code_points.hpp"
#include "xmpp/wire/jid.hpp"
#include "xmpp/wire/xep/encryption.hpp"

namespace stox::translate {

namespace {

constexpr std::size_t max_read = std::size_t{16} << 10;  ///< bytes; a MESSAGE has 1300

struct quote_size {
  std::size_t lines, line;  ///< code points in a line
};
constexpr quote_size of_an_answer{3, 100}, of_a_forward{6, 200};

constexpr bool ends_a_line(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

std::string clean(std::string_view s, char line_end) {
  s = text::utf8_prefix(s, max_read);
  std::string out;
  out.reserve(s.size());
  for_each_code_point(s, [&](char32_t c, std::string_view bytes) {
    if (ends_a_line(c)) {
      out += line_end;
    } else if (u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_BIDI_CONTROL) == 0) {
      out += bytes;
    }
  });
  return out;
}

std::string quote(std::string_view raw, quote_size max, bool with_quotes) {
  std::string out;
  std::size_t lines = 0;
  const auto cleaned = clean(raw, '\n');
  for (const auto part : text::split(cleaned, '\n')) {
    auto line = text::trim(part);
    if (!with_quotes) {
      if (line.starts_with('>')) line = text::trim(line.substr(1));
      if (line.starts_with('>')) continue;
    }
    if (line.empty()) continue;
    if (lines == max.lines) return out += " ...";
    if (lines++ > 0) out += '\n';
    const auto end = text::code_point_at(line, max.line);
    out += "> ";
    out += line.substr(0, end.value_or(line.size()));
    if (end && *end < line.size()) out += "...";
  }
  return out;
}

const xml::element* child_named(const xml::element& e, std::string_view name) {
  const auto all = e.elements();
  const auto at = std::find_if(all.begin(), all.end(), [name](const auto* c) { return c->name == name; });
  return at == all.end() ? nullptr : *at;
}

}  // namespace

std::string quoted_line(std::string_view s) { return clean(s, ' '); }

std::string short_quote(std::string_view fallback) { return quote(fallback, of_an_answer, false); }

bool forwards_encrypted(const xml::element& e) {
  const auto* message = child_named(e, "message");
  if (message == nullptr) return false;
  std::optional<xmpp::encryption> sealed;
  for (const auto* child : message->elements()) xmpp::read_encryption(*child, sealed);
  return sealed && sealed->content;
}

std::string forwarded_quote(const xml::element& e) {
  const auto* message = child_named(e, "message");
  if (message == nullptr) return {};
  const bool sealed = forwards_encrypted(e);
  const auto* body = child_named(*message, "body");
  const auto words = sealed || body == nullptr ? std::string() : quote(body->text(), of_a_forward, true);
  if (words.empty() && !sealed) return {};
  const auto* from = message->attr("from");
  const auto author = from != nullptr ? xmpp::jid::parse(*from) : xmpp::jid::parse({});
  const auto head = author ? "Forwarded from " + quoted_line(author->bare_text()) : "Forwarded message";
  return head + (sealed ? ": an encrypted message" : ":\n" + words);
}

}  // namespace stox::translate
