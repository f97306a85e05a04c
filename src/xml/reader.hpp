#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "xml/element.hpp"

namespace stox::xml {

/// Why XML was refused. The stream is over after any of them but the last two, which end it only in its root:
/// they say that one stanza is not worth its memory, which is its sender's fault and not the stream's.
enum class errc {
  not_well_formed = 1,  ///< the tokeniser said no, or the text is not UTF-8
  second_root,          ///< the stream's root again, inside of it
  restricted_xml,       ///< DTD, entity, comment or processing instruction, RFC 6120 §11.1
  too_large,            ///< a stanza above max_stanza_bytes
  too_deep,             ///< above max_depth
  too_many,             ///< above max_attributes, max_children
};
const char* errc_name(errc e);
STOX_ERROR_CATEGORY(errc, "xml")

struct read_limits {
  std::size_t max_stanza_bytes = std::size_t{256} * 1024;  ///< RFC 6120 §13.12 wants at least 10,000
  std::size_t max_depth = 32;
  std::size_t max_attributes = 64;  ///< per element
  std::size_t max_children = 4096;  ///< elements and texts of one stanza, all levels
};

/// The stream's root was opened: its name, namespace and attributes, no children.
struct stream_opened {
  element root;
};
/// One whole child of the root.
struct stanza {
  element value;
};
/// One whole child of the root that is above max_depth, max_attributes or max_children: only its name and who
/// sent it to whom are kept (from, to, id, type), so that it can be answered.
struct refused_stanza {
  element head;
  error why;
};
/// The root was closed.
struct stream_closed {};
using read_event = std::variant<stream_opened, stanza, refused_stanza, stream_closed>;

/// Push reader of one XML stream (RFC 6120 §4) or, with a whole document, of one element. Feed bytes as they
/// come, then drain.
class reader {
 public:
  explicit reader(read_limits limits = {});
  ~reader();
  reader(reader&&) noexcept;
  reader& operator=(reader&&) noexcept;

  /// Takes any number of bytes, from one up. After an error every further call gives the same error; what was
  /// read whole before the error can still be polled.
  result<void> feed(std::string_view bytes);
  std::optional<read_event> poll();
  /// For what is fed from now on.
  void set_limits(read_limits limits);
  /// Bytes of the child of the root that is not whole yet.
  std::size_t pending() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Reads a text that holds exactly one element (tests, explain).
result<element> parse(std::string_view document, read_limits limits = {}, std::string_view default_ns = {});

}  // namespace stox::xml

template <>
struct std::is_error_code_enum<stox::xml::errc> : std::true_type {};
