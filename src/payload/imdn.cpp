#include "payload/imdn.hpp"

#include <array>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "xml/element.hpp"
#include "xml/reader.hpp"

namespace stox::payload {

namespace {

constexpr std::string_view ns = "urn:ietf:params:xml:ns:imdn";
constexpr std::size_t max_document = 16 * 1024, max_id = 256;

constexpr std::array<std::pair<std::string_view, imdn_kind>, 3> kinds{{
    {"delivery-notification", imdn_kind::delivery},
    {"processing-notification", imdn_kind::processing},
    {"display-notification", imdn_kind::display},
}};
constexpr std::array<std::pair<std::string_view, imdn_status>, 7> statuses{{
    {"delivered", imdn_status::delivered},
    {"failed", imdn_status::failed},
    {"displayed", imdn_status::displayed},
    {"processed", imdn_status::processed},
    {"stored", imdn_status::stored},
    {"forbidden", imdn_status::forbidden},
    {"error", imdn_status::error},
}};

template <class Table, class Value>
std::string_view name_of(const Table& table, Value value) {
  for (const auto& [name, v] : table)
    if (v == value) return name;
  return {};
}

std::string text_of(const xml::element& parent, std::string_view name) {
  const auto* child = parent.child(name, ns);
  return child == nullptr ? std::string() : std::string(text::trim(child->text()));
}

std::string uri_of(const xml::element& parent, std::string_view name) {
  auto uri = text_of(parent, name);
  if (uri.find(':') == std::string::npos)
    if (auto decoded = text::percent_decode(uri)) return *std::move(decoded);
  return uri;
}

imdn_status status_of(const xml::element& notification) {
  const auto* status = notification.child("status", ns);
  if (status == nullptr) return imdn_status::error;
  for (const auto& [name, value] : statuses)
    if (status->child(name, ns) != nullptr) return value;
  return imdn_status::error;
}

}  // namespace

imdn_request imdn_request_of(const cpim& m) {
  imdn_request out;
  if (const auto* id = m.find(imdn_header_ns, "Message-ID"); id != nullptr && id->size() <= max_id)
    out.message_id = *id;
  for (const auto& e : m.extensions) {
    if (e.ns != imdn_header_ns || !text::iequals(e.name, "Disposition-Notification")) continue;
    for (const auto element : text::split(e.value, ',')) {
      // §10: a disposition may have parameters.
      const auto word = text::trim(element.substr(0, element.find(';')));
      out.positive_delivery |= text::iequals(word, "positive-delivery");
      out.negative_delivery |= text::iequals(word, "negative-delivery");
      out.processing |= text::iequals(word, "processing");
      out.display |= text::iequals(word, "display");
    }
  }
  return out;
}

void add_to(cpim& m, const imdn_request& r) {
  const std::string header_ns(imdn_header_ns);
  m.extensions.push_back({header_ns, "Message-ID", r.message_id});
  std::string wanted;
  const auto want = [&wanted](bool is, std::string_view word) {
    if (is) wanted.append(wanted.empty() ? "" : ", ").append(word);
  };
  want(r.positive_delivery, "positive-delivery");
  want(r.negative_delivery, "negative-delivery");
  want(r.processing, "processing");
  want(r.display, "display");
  if (!wanted.empty()) m.extensions.push_back({header_ns, "Disposition-Notification", std::move(wanted)});
}

result<imdn> parse_imdn(std::string_view document) {
  xml::read_limits l;
  l.max_stanza_bytes = max_document;
  const auto root = xml::parse(document, l);
  if (!root) return root.error();
  if (!root->is("imdn", ns)) return error(errc::malformed, "not an IMDN document");
  imdn out;
  out.message_id = text_of(*root, "message-id");
  if (out.message_id.empty() || out.message_id.size() > max_id)
    return error(errc::malformed, "an IMDN without a usable message-id");
  out.date_time = text_of(*root, "datetime");
  out.recipient_uri = uri_of(*root, "recipient-uri");
  out.original_recipient_uri = uri_of(*root, "original-recipient-uri");
  for (const auto& [name, kind] : kinds) {
    const auto* notification = root->child(name, ns);
    if (notification == nullptr) continue;
    out.kind = kind;
    out.status = status_of(*notification);
    return out;
  }
  // §11.1.6: one of the three is mandatory.
  return error(errc::malformed, "an IMDN without a notification");
}

std::string write(const imdn& d) {
  xml::element root("imdn", std::string(ns));
  const auto add = [&root](const char* name, const std::string& value) {
    root.add({name, std::string(ns)}).add_text(value);
  };
  add("message-id", d.message_id);
  add("datetime", d.date_time);
  if (!d.recipient_uri.empty()) add("recipient-uri", d.recipient_uri);
  // The schema has the two URIs only together.
  if (!d.recipient_uri.empty())
    add("original-recipient-uri",
        d.original_recipient_uri.empty() ? d.recipient_uri : d.original_recipient_uri);
  root.add({std::string(name_of(kinds, d.kind)), std::string(ns)})
      .add({"status", std::string(ns)})
      .add({std::string(name_of(statuses, d.status)), std::string(ns)});
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n" + xml::write(root, {});
}

}  // namespace stox::payload
