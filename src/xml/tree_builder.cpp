#include "xml/tree_builder.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/text.hpp"

namespace stox::xml {

namespace {

// Between namespace and local name in what expat reports. No XML text can hold it, not even as a reference.
constexpr char ns_separator = '\x01';
// So much goes to the tokeniser at once: what a stanza can take above its limit before that is seen.
constexpr std::size_t slice_bytes = 65'536;
// Expat keeps every element, attribute and prefix name that it ever saw. After so many bytes of stanzas it
// starts afresh, so that a peer with ever new names cannot make a link grow.
constexpr std::uint64_t renewal_bytes = 262'144;

// Open elements of a stanza that is being skipped; the tokeniser has about 150 bytes for each. A server that
// takes half a megabyte from its users cannot be made to send more.
constexpr std::size_t max_skipped_depth = 100'000;

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

bool is_head(std::string_view attribute) {
  return attribute == "from" || attribute == "to" || attribute == "id" || attribute == "type";
}

bool is_blank(std::string_view s) { return s.find_first_not_of(" \t\r\n") == std::string_view::npos; }

tree_builder& self(void* user) { return *static_cast<tree_builder*>(user); }

}  // namespace

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
  if (pending() > limits_.max_stanza_bytes) refuse(errc::too_large, "stanza above the limit");
}

std::size_t tree_builder::pending() const {
  const bool in_unit = !opened_ || !open_.empty() || skipped_;
  return in_unit ? received_ - unit_at_ : held_.size();
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
  root_name_ = name;
  events_.emplace_back(std::move(event));
}

/// Name, and the attributes that say how to answer.
void tree_builder::fill_head(element& e, const XML_Char* name, const XML_Char** attributes) const {
  const XML_Char* none = nullptr;
  fill(e, name, &none);
  for (; *attributes != nullptr; attributes += 2) {
    if (is_head(attributes[0])) e.set(attributes[0], attributes[1]);
  }
}

/// Gives up the stanza in hand, but not the stream: its tags are counted until it ends. `depth`: open
/// elements, the one in hand included.
void tree_builder::skip(errc why, const char* detail, std::size_t depth) {
  if (kind_ == content::document) return refuse(why, detail);
  skipped_.emplace(why, detail);
  skipped_depth_ = depth;
  open_.clear();
  current_.children.clear();
  std::erase_if(current_.attributes, [](const attribute& a) { return !is_head(a.name); });
}

void tree_builder::on_start(const XML_Char* name, const XML_Char** attributes) {
  if (failure_) return;
  std::size_t count = std::exchange(declared_, 0);
  if (skipped_) {
    if (++skipped_depth_ > max_skipped_depth) refuse(errc::too_deep, "elements in elements");
    return;
  }
  // A second header would only end with the stream: nothing behind it would ever be told.
  if (kind_ == content::stream && open_.empty() && root_name_ == name)
    return refuse(errc::second_root, "a second stream header");
  for (const auto* a = attributes; *a != nullptr; a += 2) ++count;
  const bool too_many = count > limits_.max_attributes;
  if (!opened_ && kind_ == content::stream) {
    if (too_many) return refuse(errc::too_many, "attributes of one element");
    return open_root(name, attributes);
  }
  element* e = &current_;
  if (open_.empty()) {
    opened_ = true;
    unit_at_ = kind_ == content::stream ? event_start() : 0;
    nodes_ = 0;
    current_ = {};
    if (too_many) fill_head(current_, name, attributes);
  }
  if (too_many) return skip(errc::too_many, "attributes of one element", open_.size() + 1);
  if (open_.size() >= limits_.max_depth)
    return skip(errc::too_deep, "elements in elements", open_.size() + 1);
  if (!open_.empty()) {
    if (++nodes_ > limits_.max_children)
      return skip(errc::too_many, "children of one stanza", open_.size() + 1);
    e = &open_.back()->add({});
  }
  fill(*e, name, attributes);
  open_.push_back(e);
}

void tree_builder::on_end() {
  if (failure_) return;
  if (skipped_) {
    if (--skipped_depth_ > 0) return;
    refused_stanza event{std::move(current_), *std::move(skipped_)};
    skipped_.reset();
    return end_unit(std::move(event));
  }
  if (open_.empty()) {
    closed_ = true;
    events_.emplace_back(stream_closed{});
    return;
  }
  open_.pop_back();
  if (open_.empty()) end_unit(stanza{std::move(current_)});
}

void tree_builder::end_unit(read_event event) {
  const auto end = event_end();
  if (end - unit_at_ > limits_.max_stanza_bytes) return refuse(errc::too_large, "stanza above the limit");
  events_.push_back(std::move(event));
  if (kind_ == content::document) {
    closed_ = true;
  } else if (end - renewed_at_ > renewal_bytes) {
    renew_at_ = end;
    XML_StopParser(parser_.get(), XML_TRUE);
  }
}

void tree_builder::on_text(std::string_view text) {
  if (failure_ || skipped_) return;
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
  if (++nodes_ > limits_.max_children) return skip(errc::too_many, "children of one stanza", open_.size());
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

}  // namespace stox::xml
