#pragma once

#include <string>
#include <string_view>

#include "xml/element.hpp"

/// What others wrote, made fit to stand in a line of ours: it begins no line of its own and turns none.
namespace stox::translate {

/// One line: without the controls of direction (Unicode Standard Annex 9), with blanks for all that ends a
/// line (LF, CR, VT, FF, U+0085, U+2028, U+2029).
std::string quoted_line(std::string_view s);

/// A readable quote of what a client quoted: at most three lines of 100 characters, each with "> " in front,
/// none of them a quote itself. Empty: nothing of it is text.
std::string short_quote(std::string_view fallback);

/// XEP-0297: a line that names the author, as far as `e` does, and up to six lines of 200 characters of what
/// he wrote, each with "> " in front. Of an encrypted one it says just that: its body, if it has one, is what
/// clients show who cannot decrypt it (XEP-0380 §3). Empty: no text is in it.
std::string forwarded_quote(const xml::element& e);
/// Whether what is forwarded there is encrypted end to end.
bool forwards_encrypted(const xml::element& e);

}  // namespace stox::translate
