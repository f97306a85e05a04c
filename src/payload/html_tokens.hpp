#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// HTML as a row of texts and tags, for this room only. Not a parser of documents: nothing nests here, so
/// nothing can be too deep.
namespace stox::payload {

struct html_tag {
  std::string name;  ///< lower case; empty in "</>"
  bool closing = false;
  std::string href, alt, style;  ///< the attributes that somebody reads, decoded
};
/// A tag, or text as it is written (decode_references).
using html_token = std::variant<html_tag, std::string_view>;

/// Whatever the bytes are, each is looked at a bounded number of times: what has no end takes all the rest.
class html_tokens {
 public:
  explicit html_tokens(std::string_view html) : rest_(html) {}

  /// The next token; comments, declarations, scripts, styles and titles are none. nullopt: the end.
  std::optional<html_token> next();

 private:
  std::optional<html_token> markup();
  html_tag take_tag();
  std::string_view take_value(std::size_t& i) const;
  void skip_behind(std::string_view end, std::size_t from);
  void skip_element(std::string_view name);

  std::string_view rest_;
};

bool is_html_blank(char c);

/// An address that a reader may be shown and may follow: one of http, https, mailto, sip, sips, tel, xmpp and
/// im, with blanks, quotes and angle brackets percent-encoded so that nobody mistakes where it ends. Empty:
/// something else, as what a program would run.
std::string safe_address(std::string_view href);

}  // namespace stox::payload
