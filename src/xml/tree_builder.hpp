#pragma once

#include <expat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "xml/markup_scanner.hpp"
#include "xml/reader.hpp"

namespace stox::xml {

/// Whether a stream's root holds stanzas, or the text is one element.
enum class content : std::uint8_t { stream, document };

struct parser_deleter {
  void operator()(XML_Parser p) const { XML_ParserFree(p); }
};
using parser_ptr = std::unique_ptr<std::remove_pointer_t<XML_Parser>, parser_deleter>;

/// Builds elements from what expat reports. Expat can be told to stop but may still deliver what belongs to
/// the same tag: after a failure nothing is looked at any more.
class tree_builder {
 public:
  tree_builder(read_limits limits, content kind, std::string_view outer_ns);
  tree_builder(const tree_builder&) = delete;
  tree_builder& operator=(const tree_builder&) = delete;

  result<void> feed(std::string_view bytes);
  std::optional<read_event> poll();
  void set_limits(read_limits limits) { limits_ = limits; }
  bool closed() const { return closed_; }
  std::size_t pending() const;

 private:
  void feed_slice(std::string_view slice);
  void tokenise(std::string_view view);
  void prepare_parser();
  void set_handlers();
  void renew();

  void on_start(const XML_Char* name, const XML_Char** attributes);
  void on_end();
  void on_text(std::string_view text);
  void on_declared(const XML_Char* prefix, const XML_Char* uri);
  void on_undeclared(const XML_Char* prefix);
  void on_xml_declaration(const XML_Char* encoding);
  void open_root(const XML_Char* name, const XML_Char** attributes);
  void fill(element& e, const XML_Char* name, const XML_Char** attributes) const;
  void fill_head(element& e, const XML_Char* name, const XML_Char** attributes) const;
  void end_unit(read_event event);
  void skip(errc why, const char* detail, std::size_t depth);
  void refuse(errc why, const char* detail);

  /// Where in the stream the event in hand starts, and ends.
  std::uint64_t event_start() const;
  std::uint64_t event_end() const;

  read_limits limits_;
  std::string root_name_;  ///< as the tokeniser has it; empty: not opened
  content kind_;
  std::string outer_ns_;  ///< document: the default namespace around it

  parser_ptr parser_;
  markup_scanner scanner_;
  std::string held_;             ///< the start of markup whose end has not come
  std::uint64_t received_ = 0;   ///< bytes of the stream so far
  std::uint64_t tokenised_ = 0;  ///< of these, the parser has seen
  std::uint64_t base_ = 0;       ///< the stream's offset of the parser's own offset 0
  std::uint64_t unit_at_ = 0;    ///< where the prolog or the stanza in hand began
  std::uint64_t renewed_at_ = 0;
  std::uint64_t renew_at_ = 0;  ///< where the parser was suspended, 0: it was not
  std::string_view view_;       ///< what the parser is working on, from tokenised_ on
  std::string root_tag_;        ///< the root's start tag as it came, for renew()

  bool opened_ = false;
  bool closed_ = false;
  std::optional<stox::error> failure_;
  std::size_t declared_ = 0;          ///< xmlns attributes of the tag in hand
  std::size_t default_declared_ = 0;  ///< document: open elements that declare a default namespace
  std::vector<attribute> root_declarations_;
  element current_;                     ///< the stanza in hand
  std::vector<element*> open_;          ///< from current_ inwards; only the innermost one's children change
  std::size_t nodes_ = 0;               ///< in the stanza in hand
  std::optional<stox::error> skipped_;  ///< why the stanza in hand is refused when it ends
  std::size_t skipped_depth_ = 0;       ///< its open elements

  std::vector<read_event> events_;
  std::size_t polled_ = 0;
};

}  // namespace stox::xml
