#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "sip/wire/chars.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/uri.hpp"

/// What the accessors of header values share: a cursor over one unfolded value.
namespace stox::sip {

/// More parameters than that in one value or URI are refused: no peer needs them, and each costs us far more
/// than its bytes.
inline constexpr std::size_t max_params = 64;

class scanner {
 public:
  explicit scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  std::string_view rest() const { return text_.substr(at_); }
  void skip(std::size_t n) { at_ += n; }
  /// SWS; tells whether there was any.
  bool skip_blanks() {
    const auto from = at_;
    while (!at_end() && chars::is(text_[at_], chars::blank)) ++at_;
    return at_ != from;
  }
  /// Takes `c`, with blanks around it (RFC 3261 §25.1: SLASH, EQUAL, SEMI, COMMA, COLON and the like).
  bool take(char c) {
    const auto from = at_;
    skip_blanks();
    if (peek() != c || at_end()) {
      at_ = from;
      return false;
    }
    ++at_;
    skip_blanks();
    return true;
  }
  /// The longest run of the class, maybe empty.
  std::string_view run(unsigned classes) {
    const auto from = at_;
    while (!at_end() && chars::is(text_[at_], classes)) ++at_;
    return text_.substr(from, at_ - from);
  }
  std::string_view token() { return run(chars::token); }
  /// A quoted-string with its quotes; nullopt (and no move) when there is none or it does not end.
  std::optional<std::string_view> quoted();
  /// A comment with its parentheses, nested ones inside.
  std::optional<std::string_view> comment();
  /// host of RFC 3261 §25.1, appended to `out` in lower case; IPv6 with brackets. False when there is none.
  bool host(std::string& out);
  /// ":" port, if it is there; false when what follows the colon is no port.
  bool port(std::optional<std::uint16_t>& out, bool blanks_allowed);
  /// *( SEMI generic-param ): false on a malformed or repeated one.
  bool params(param_list& out);
  /// One generic-param, without its SEMI.
  bool one_param(param_list& out);

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

/// The parsers of uri.hpp and headers.hpp, filling a value in its place: each message has many of them, and
/// moving one is dear. `out` must be new; what is wrong, if anything.
std::optional<error> read(std::string_view text, uri& out);
std::optional<error> read(std::string_view element, via& out);
std::optional<error> read(std::string_view element, name_addr& out);

/// Appends ";name=value" for each; a value that is neither a token-like word nor a quoted-string is quoted,
/// so that no value can end its parameter.
void write_params(std::string& out, const param_list& params);

/// The value of the parameter with quotes taken off; nullopt when absent or without value.
std::optional<std::string> unquoted_param(const param_list& params, std::string_view name);

/// Splits a comma-separated list as RFC 3261 §7.3.1 has it: quotes, <> and comments hide commas. Empty
/// elements are left out.
template <class Visit>
void for_each_element(std::string_view value, Visit visit);

/// The length of the first element of the list.
std::size_t element_length(std::string_view value);

template <class Visit>
void for_each_element(std::string_view value, Visit visit) {
  const auto blank = [](char c) { return chars::is(c, chars::blank); };
  for (;;) {
    const auto length = element_length(value);
    auto element = value.substr(0, length);
    while (!element.empty() && blank(element.front())) element.remove_prefix(1);
    while (!element.empty() && blank(element.back())) element.remove_suffix(1);
    if (!element.empty()) visit(element);
    if (length == value.size()) return;
    value.remove_prefix(length + 1);
  }
}

}  // namespace stox::sip
