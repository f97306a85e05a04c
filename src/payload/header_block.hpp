#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payload/errc.hpp"

namespace stox::payload {

/// A block of "Name: value" lines up to an empty line, RFC 5322 §2.2 and RFC 3862 §2.1. For this room only.
struct header_block {
  struct field {
    std::string name;     ///< as written
    std::string value;    ///< without blanks at its ends
    bool direct = false;  ///< it follows the colon without a blank: RFC 3862 §3.3 tells parameters by that
  };
  std::vector<field> fields;
  std::string_view rest;  ///< behind the empty line; views the text that was read

  const std::string* find(std::string_view name) const;  ///< any case; the first one
};

/// Lines end in CRLF or LF. A line that begins with a blank goes on with the one before (RFC 5322 §2.2.3;
/// CPIM has none, but RFC 5438 §8.3 prints one). A block that begins with the empty line has no fields;
/// without an empty line all is fields and `rest` is empty.
result<header_block> read_header_block(std::string_view text, const limits& l);

}  // namespace stox::payload
