#include "xml/reader.hpp"

#include <expat.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "xml/markup_scanner.hpp"

namespace stox::xml {

const char* errc_name(errc e) {
  switch (e) {
    case errc::not_well_formed: return "not_well_formed";
    case errc::restricted_xml: return "restricted_xml";
    case errc::too_large: return "too_large";
    case errc::too_deep: return "too_deep";
    case errc::too_many: return "too_many";
  }
  return "unknown";
}

namespace {

// Between namespace and local name in what expat reports. No XML text can hold it, not even as a reference.
constexpr char ns_separator = '\x01';
// So much goes to the tokeniser at once: what a stanza can take above its limit before that is seen.
constexpr std::size_t slice_bytes = 65'536;
// Expat keeps every element, attribute and prefix name that it ever saw. After so many bytes of stanzas it
// starts afresh, so that a peer with ever new names cannot make a link grow.
constexpr std::uint64_t renewal_bytes = 262'144;

/// Whether a stream's root holds stanzas, or the text is one element.
enum class content : std::uint8_t { stream, document };

struct parser_deleter {
  void operator()(XML_Parser p) const { XML_ParserFree(p); }
};
using parser_ptr = std::unique_ptr<std::remove_pointer_t<XML_Parser>, parser_deleter>;

errc meaning_of(XML_Error code) {
  switch (code) {
    // RFC 6120 §11.1: only the predefined entities. Without a DTD every other one is undefined.
    case XML_ERROR_UNDEFINED_ENTITY:
    case XML_ERROR_RECURSIVE_ENTITY_REF:
    case XML_ERROR_BINARY_ENTITY_REF:
    case XML_ERROR_ATTRIBUTE_EXTERNAL_ENTITY_REF:
    case XML_ERROR_EXTERNAL_ENTITY_HANDLING:
    case XML_ERROR_MISPLACED_XML_PI: return errc::restricted_xml;
    case XML_ERROR_NO_MEMORY: return errc::too_large;
    default: return errc::not_well_formed;  // some forty ways of being malformed
  }
}

bool is_blank(std::string_view s) { return s.find_first_not_of(" \t\r\n") == std::string_view::npos; }

/// Builds elements from what expat reports. Expat can be told to stop but may still deliver what belongs to
/// the same tag: after a failure nothing is looked at any more.
class tree_builder {
 public:
  tree_builder(read_limits limits, content kind, std::string_view outer_ns);
  tree_builder(const tree_builder&) = delete;
  tree_builder& operator=(const tree_builder&) = delete;

  result<void> feed(std::string_view bytes);
  std::optional<read_event> poll();
  bool closed() const { return closed_; }

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
  void refuse(errc why, const char* detail);

  /// Where in the stream the event in hand starts, and ends.
  std::uint64_t event_start() const;
  std::uint64_t event_end() const;

  read_limits limits_;
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
  element current_;             ///< the stanza in hand
  std::vector<element*> open_;  ///< from current_ inwards; only the innermost one's children change
  std::size_t nodes_ = 0;       ///< in the stanza in hand

  std::vector<read_event> events_;
  std::size_t polled_ = 0;
};

tree_builder& self(void* user) { return *static_cast<tree_builder*>(user); }

tree_builder::tree_builder(read_limits limits, content kind, std::string_view outer_ns)
    : limits_(limits), kind_(kind), outer_ns_(outer_ns), parser_(XML_ParserCreateNS("UTF-8", ns_separator)) {
  if (!parser_) throw std::bad_alloc();
  prepare_parser();
  set_handlers();
}

void tree_builder::prepare_parser() {
#ifdef STOX_EXPAT_REPARSE_DEFERRAL
  XML_SetReparseDeferralEnabled(parser_.get(), XML_FALSE);
#endif
  XML_SetUserData(parser_.get(), this);
}

void tree_builder::set_handlers() {
  auto* const p = parser_.get();
  XML_SetElementHandler(
      p,
      [](void* user, const XML_Char* name, const XML_Char** attributes) {
        self(user).on_start(name, attributes);
      },
      [](void* user, const XML_Char*) { self(user).on_end(); });
  XML_SetCharacterDataHandler(p, [](void* user, const XML_Char* s, int n) {
    self(user).on_text({s, static_cast<std::size_t>(n)});
  });
  XML_SetNamespaceDeclHandler(
      p, [](void* user, const XML_Char* prefix, const XML_Char* uri) { self(user).on_declared(prefix, uri); },
      [](void* user, const XML_Char* prefix) { self(user).on_undeclared(prefix); });
  XML_SetXmlDeclHandler(p, [](void* user, const XML_Char*, const XML_Char* encoding, int) {
    self(user).on_xml_declaration(encoding);
  });
  // The scanner refuses these before; a tokeniser that saw one all the same must not act on it.
  XML_SetProcessingInstructionHandler(p, [](void* user, const XML_Char*, const XML_Char*) {
    self(user).refuse(errc::restricted_xml, "processing instruction");
  });
  XML_SetCommentHandler(
      p, [](void* user, const XML_Char*) { self(user).refuse(errc::restricted_xml, "comment"); });
  XML_SetStartDoctypeDeclHandler(p, [](void* user, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    self(user).refuse(errc::restricted_xml, "document type declaration");
  });
}

void tree_builder::renew() {
  XML_ParserReset(parser_.get(), "UTF-8");
  prepare_parser();
  // Without handlers yet: the root was reported when it came.
  if (XML_Parse(parser_.get(), root_tag_.data(), static_cast<int>(root_tag_.size()), XML_FALSE) !=
      XML_STATUS_OK) {
    refuse(errc::too_large, "out of memory");
  }
  set_handlers();
  base_ = tokenised_ - root_tag_.size();
  renewed_at_ = tokenised_;
  renew_at_ = 0;
}

void tree_builder::refuse(errc why, const char* detail) {
  if (failure_) return;
  failure_.emplace(why, detail);
  XML_StopParser(parser_.get(), XML_FALSE);
}

std::uint64_t tree_builder::event_start() const {
  return base_ + static_cast<std::uint64_t>(XML_GetCurrentByteIndex(parser_.get()));
}

std::uint64_t tree_builder::event_end() const {
  return event_start() + static_cast<std::uint64_t>(XML_GetCurrentByteCount(parser_.get()));
}

result<void> tree_builder::feed(std::string_view bytes) {
  while (!bytes.empty() && !failure_) {
    feed_slice(bytes.substr(0, slice_bytes));
    bytes.remove_prefix(std::min(bytes.size(), slice_bytes));
  }
  if (failure_) return *failure_;
  return {};
}

void tree_builder::feed_slice(std::string_view slice) {
  // RFC 6120 §11.6: UTF-8 only. Expat turns to UTF-16 by itself if the first two bytes look like it.
  for (std::size_t i = 0; i < slice.size() && received_ + i < 2; ++i) {
    const auto byte = static_cast<unsigned char>(slice[i]);
    if (byte == 0 || byte >= 0xFE) return refuse(errc::not_well_formed, "not UTF-8");
  }
  received_ += slice.size();
  const auto found = scanner_.scan(slice);
  if (found.whole > 0) {
    if (held_.empty()) {
      tokenise(slice.substr(0, found.whole));
    } else {
      held_.append(slice, 0, found.whole);
      tokenise(held_);
      held_.clear();
    }
  }
  if (failure_) return;
  if (found.refused) return refuse(*found.refused, "markup that a stream must not hold");
  held_.append(slice, found.whole);
  const bool in_unit = !opened_ || !open_.empty();
  const auto pending = in_unit ? received_ - unit_at_ : held_.size();
  if (pending > limits_.max_stanza_bytes) refuse(errc::too_large, "stanza above the limit");
}

void tree_builder::tokenise(std::string_view view) {
  auto* const p = parser_.get();
  while (!view.empty() && !failure_) {
    view_ = view;
    const auto status = XML_Parse(p, view.data(), static_cast<int>(view.size()), XML_FALSE);
    if (failure_) return;
    if (status == XML_STATUS_ERROR) {
      const auto code = XML_GetErrorCode(p);
      return refuse(meaning_of(code), XML_ErrorString(code));
    }
    const std::size_t done = status == XML_STATUS_SUSPENDED ? renew_at_ - tokenised_ : view.size();
    tokenised_ += done;
    view.remove_prefix(done);
    if (status == XML_STATUS_SUSPENDED) renew();
  }
}

void tree_builder::on_declared(const XML_Char* prefix, const XML_Char* uri) {
  ++declared_;
  if (kind_ == content::document) {
    if (prefix == nullptr) ++default_declared_;
  } else if (!opened_) {
    root_declarations_.push_back(
        {prefix == nullptr ? "xmlns" : "xmlns:" + std::string(prefix), {}, uri == nullptr ? "" : uri});
  }
}

void tree_builder::on_undeclared(const XML_Char* prefix) {
  if (kind_ == content::document && prefix == nullptr) --default_declared_;
}

void tree_builder::on_xml_declaration(const XML_Char* encoding) {
  if (encoding != nullptr && !text::iequals(encoding, "UTF-8"))
    refuse(errc::not_well_formed, "encoding is not UTF-8");
}

void tree_builder::fill(element& e, const XML_Char* name, const XML_Char** attributes) const {
  if (const auto* const end = std::strchr(name, ns_separator)) {
    e.ns.assign(name, end);
    e.name = end + 1;
  } else {
    e.name = name;
    if (default_declared_ == 0) e.ns = outer_ns_;
  }
  std::size_t count = 0;
  while (attributes[count * 2] != nullptr) ++count;
  e.attributes.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& a = e.attributes[i];
    const XML_Char* const full = attributes[i * 2];
    if (const auto* const end = std::strchr(full, ns_separator)) {
      a.ns.assign(full, end);
      a.name = end + 1;
      if (a.ns == xml_ns) {
        a.ns.clear();
        a.name.insert(0, "xml:");
      }
    } else {
      a.name = full;
    }
    a.value = attributes[i * 2 + 1];
  }
}

void tree_builder::open_root(const XML_Char* name, const XML_Char** attributes) {
  if (event_end() > limits_.max_stanza_bytes) return refuse(errc::too_large, "stream header above the limit");
  // The parser only gets whole tags, so this one lies within view_.
  root_tag_ = view_.substr(event_start() - tokenised_, event_end() - event_start());
  stream_opened event;
  fill(event.root, name, attributes);
  // The content namespace is told by the default declaration, not by the root's own name (RFC 6120 §4.8.2).
  for (auto& d : root_declarations_) event.root.attributes.push_back(std::move(d));
  root_declarations_ = {};
  opened_ = true;
  events_.emplace_back(std::move(event));
}

void tree_builder::on_start(const XML_Char* name, const XML_Char** attributes) {
  if (failure_) return;
  std::size_t count = std::exchange(declared_, 0);
  for (const auto* a = attributes; *a != nullptr; a += 2) ++count;
  if (count > limits_.max_attributes) return refuse(errc::too_many, "attributes of one element");
  if (!opened_ && kind_ == content::stream) return open_root(name, attributes);
  if (open_.size() >= limits_.max_depth) return refuse(errc::too_deep, "elements in elements");
  element* e = &current_;
  if (open_.empty()) {
    opened_ = true;
    unit_at_ = kind_ == content::stream ? event_start() : 0;
    nodes_ = 0;
    current_ = {};
  } else {
    if (++nodes_ > limits_.max_children) return refuse(errc::too_many, "children of one stanza");
    e = &open_.back()->add({});
  }
  fill(*e, name, attributes);
  open_.push_back(e);
}

void tree_builder::on_end() {
  if (failure_) return;
  if (open_.empty()) {
    closed_ = true;
    events_.emplace_back(stream_closed{});
    return;
  }
  open_.pop_back();
  if (!open_.empty()) return;
  const auto end = event_end();
  if (end - unit_at_ > limits_.max_stanza_bytes) return refuse(errc::too_large, "stanza above the limit");
  events_.emplace_back(stanza{std::move(current_)});
  if (kind_ == content::document) {
    closed_ = true;
  } else if (end - renewed_at_ > renewal_bytes) {
    renew_at_ = end;
    XML_StopParser(parser_.get(), XML_TRUE);
  }
}

void tree_builder::on_text(std::string_view text) {
  if (failure_) return;
  if (open_.empty()) {
    // RFC 6120 §4.6.1: blanks between stanzas keep a connection alive and mean nothing.
    if (!is_blank(text)) refuse(errc::not_well_formed, "text between stanzas");
    return;
  }
  auto& children = open_.back()->children;
  if (!children.empty()) {
    if (auto* const last = std::get_if<std::string>(&children.back().value)) {
      last->append(text);
      return;
    }
  }
  if (++nodes_ > limits_.max_children) return refuse(errc::too_many, "children of one stanza");
  open_.back()->add_text(std::string(text));
}

std::optional<read_event> tree_builder::poll() {
  if (polled_ == events_.size()) {
    events_.clear();
    polled_ = 0;
    return std::nullopt;
  }
  return std::move(events_[polled_++]);
}

}  // namespace

struct reader::impl {
  tree_builder builder;
};

reader::reader(read_limits limits) : impl_(new impl{tree_builder(limits, content::stream, {})}) {}
reader::~reader() = default;
reader::reader(reader&&) noexcept = default;
reader& reader::operator=(reader&&) noexcept = default;

result<void> reader::feed(std::string_view bytes) { return impl_->builder.feed(bytes); }
std::optional<read_event> reader::poll() { return impl_->builder.poll(); }

result<element> parse(std::string_view document, read_limits limits, std::string_view default_ns) {
  tree_builder builder(limits, content::document, default_ns);
  const auto fed = builder.feed(document);
  if (!fed) return fed.error();
  auto event = builder.poll();
  if (!builder.closed() || !event) return error(errc::not_well_formed, "the element does not end");
  return std::move(std::get<stanza>(*event).value);
}

}  // namespace stox::xml
