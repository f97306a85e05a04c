#include "payload/is_composing.hpp"

#include "base/text.hpp"
#include "xml/element.hpp"
#include "xml/reader.hpp"

namespace stox::payload {

namespace {

constexpr std::string_view ns = "urn:ietf:params:xml:ns:im-iscomposing";
constexpr std::size_t max_document = 8 * 1024;
constexpr std::uint64_t longest_refresh = 86'400;

}  // namespace

result<is_composing> parse_is_composing(std::string_view document) {
  xml::read_limits l;
  l.max_stanza_bytes = max_document;
  const auto root = xml::parse(document, l);
  if (!root) return root.error();
  if (!root->is("isComposing", ns)) return error(errc::malformed, "not an isComposing document");
  const auto* state = root->child("state", ns);
  if (state == nullptr) return error(errc::malformed, "isComposing without a state");
  is_composing out;
  out.active = text::trim(state->text()) == "active";
  if (const auto* last = root->child("lastactive", ns)) out.last_active = text::trim(last->text());
  if (const auto* type = root->child("contenttype", ns)) out.content_type = text::trim(type->text());
  if (const auto* refresh = root->child("refresh", ns)) {
    const auto seconds = text::to_number(text::trim(refresh->text()), longest_refresh);
    if (seconds && *seconds > 0) out.refresh = static_cast<std::uint32_t>(*seconds);
  }
  return out;
}

std::string write(const is_composing& c) {
  xml::element root("isComposing", std::string(ns));
  const auto add = [&root](const char* name, const std::string& value) {
    root.add({name, std::string(ns)}).add_text(value);
  };
  // The schema's sequence, §6.1: state, lastactive, contenttype, refresh.
  add("state", c.active ? "active" : "idle");
  if (!c.last_active.empty()) add("lastactive", c.last_active);
  if (!c.content_type.empty()) add("contenttype", c.content_type);
  if (c.refresh) add("refresh", std::to_string(*c.refresh));
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n" + xml::write(root, {});
}

}  // namespace stox::payload
