#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "payload/errc.hpp"

/// MIME bodies: RFC 2045, RFC 2046. In SIP the fields of the outermost entity are SIP header fields; those
/// within CPIM and multiparts are read here.
namespace stox::payload {

/// Content-Type, RFC 2045 §5.1; names in lower case.
struct content_type {
  struct parameter {
    std::string name, value;
    friend bool operator==(const parameter&, const parameter&) = default;
  };
  std::string type = "text", subtype = "plain";  ///< what an entity without the field is, §5.2
  std::vector<parameter> params;

  bool is(std::string_view t, std::string_view s) const { return type == t && subtype == s; }
  std::string_view param(std::string_view name) const;       ///< empty: there is none
  std::string name() const { return type + "/" + subtype; }  ///< for losses and logs
  friend bool operator==(const content_type&, const content_type&) = default;
};
result<content_type> parse_content_type(std::string_view value);

struct entity {
  content_type type;
  std::string languages;    ///< Content-Language as it stands; may be empty
  std::string disposition;  ///< the first word of Content-Disposition in lower case; may be empty
  std::string body;         ///< with its transfer encoding undone
  friend bool operator==(const entity&, const entity&) = default;
};

/// Header fields, an empty line, body. Lines end in CRLF or LF, as they do in the wild. A body in a transfer
/// encoding that is not known is opaque: application/octet-stream, as it stands (RFC 2045 §6.4).
result<entity> parse_entity(std::string_view text, const limits& l = {});

/// The parts of a multipart body, RFC 2046 §5.1.1. A last boundary that is missing ends the last part with
/// the body. A part that cannot be read is an opaque one, and spoils no other.
result<std::vector<entity>> parse_multipart(const content_type& type, std::string_view body,
                                            const limits& l = {});

/// What a body says to a reader.
struct readable {
  std::string text;                   ///< UTF-8
  std::string languages;              ///< of the part that it comes from, if that says one
  std::vector<std::string> left_out;  ///< what else there was: "part image/png", "part text/html"
  friend bool operator==(const readable&, const readable&) = default;
};

/// The text of a text/plain, text/html or multipart body: of alternatives and of mixed parts the first plain
/// text, else the first HTML, made plain by html_to_text. Errors: no_text, bad_charset, malformed, too_deep,
/// too_large.
result<readable> read_text(const content_type& type, std::string_view body, const limits& l = {});

/// Whether read_text may find text in it.
bool is_readable(const content_type& type);

}  // namespace stox::payload
