#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "xml/reader.hpp"

namespace stox::xml {

/// Finds where markup ends, before the tokeniser sees it. The tokeniser starts an unfinished tag again with
/// every read, which costs quadratic time when a long tag comes in single bytes; behind the scanner it only
/// gets whole tags, and each byte is looked at once here. What RFC 6120 §11.1 forbids is refused at its first
/// bytes, not at its (perhaps never coming) end.
class markup_scanner {
 public:
  struct outcome {
    std::size_t whole = 0;        ///< so many of these bytes, and all before them, end outside of markup
    std::optional<errc> refused;  ///< what follows `whole` is forbidden
  };
  outcome scan(std::string_view bytes);

 private:
  enum class state : std::uint8_t {
    content,        ///< text between markup
    reference,      ///< after '&', up to ';'
    open,           ///< after '<'
    bang,           ///< after "<!"
    tag,            ///< a start or end tag, up to '>'
    single_quoted,  ///< an attribute's value
    double_quoted,
    cdata,        ///< after "<![", up to "]]>"
    instruction,  ///< the XML declaration, up to "?>"
  };
  /// Moves on from one byte in a state where each counts.
  std::optional<errc> step(char c);

  state state_ = state::content;
  unsigned brackets_ = 0;        ///< ']' just seen in cdata, at most 2
  bool question_ = false;        ///< '?' just seen in instruction
  std::uint64_t seen_ = 0;       ///< bytes of all earlier calls
  std::uint64_t markup_at_ = 0;  ///< where the markup in hand began
};

}  // namespace stox::xml
