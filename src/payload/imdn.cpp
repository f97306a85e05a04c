#include "payload/imdn.hpp"

#include <algorithm>
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
struct status_name {
  std::string_view name;
  imdn_status status;
  std::optional<imdn_kind> of;  ///< the kind that alone can have it
};
constexpr std::array<status_name, 7> statuses{{
    {"delivered", imdn_status::delivered, imdn_kind::delivery},
    {"failed", imdn_status::failed, imdn_kind::delivery},
    {"displayed", imdn_status::displayed, imdn_kind::display},
    {"processed", imdn_status::processed, imdn_kind::processing},
    {"stored", imdn_status::stored, imdn_kind::processing},
    {"forbidden", imdn_status::forbidden, std::nullopt},
    {"error", imdn_status::error, std::nullopt},
}};

std::string_view name_of(imdn_kind kind) {
  return std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.second == kind; })->first;
}
std::string_view name_of(imdn_status status) {
  return std::find_if(statuses.begin(), statuses.end(), [&](const auto& s) { return s.status == status; })
      ->name;
}

std::string text_of(const xml::element& parent, std::string_view name) {
  const auto* child = parent.child(name, ns);
  return child == nullptr ? std::string() : std::string(text::trim(child->text()));
}

/// A URI that was percent-encoded as a whole, as it was before.
std::string uri_of(const xml::element& parent, std::string_view name) {
  auto uri = text_of(parent, name);
  if (uri.find(':') != std::string::npos) return uri;
  auto decoded = text::percent_decode(uri);
  const bool is_uri =
      decoded && decoded->find(':') != std::string::npos &&
      std::all_of(decoded->begin(), decoded->end(), [](char c) { return c > 0x20 && c < 0x7f; });
  return is_uri ? *std::move(decoded) : uri;
}

/// §11.1.7: one of those that the kind can have; others extend it, and are not known here.
imdn_status status_of(const xml::element& notification, imdn_kind kind) {
  const auto* status = notification.child("status", ns);
  std::optional<imdn_status> found;
  for (const auto& s : statuses) {
    if (status == nullptr || status->child(s.name, ns) == nullptr) continue;
    if (found || (s.of && *s.of != kind)) return imdn_status::error;
    found = s.status;
  }
  return found.value_or(imdn_status::error);
}

/// RFC 3862 §4: case-sensitive.
constexpr std::array<std::string_view, 7> core_headers{"From",    "To", "cc",     "DateTime",
                                                       "Subject", "NS", "Require"};
constexpr std::array<std::string_view, 4> imdn_headers{"Message-ID", "Disposition-Notification",
                                                       "Original-To", "IMDN-Record-Route"};

bool is_known(const cpim::header_name& h) {
  if (h.ns.empty()) return std::find(core_headers.begin(), core_headers.end(), h.name) != core_headers.end();
  return h.ns == imdn_header_ns && std::any_of(imdn_headers.begin(), imdn_headers.end(),
                                               [&h](auto name) { return text::iequals(name, h.name); });
}

void add_field(cpim& m, const char* name, std::string value) {
  m.extensions.push_back({std::string(imdn_header_ns), name, std::move(value)});
}

}  // namespace

bool is_understood(const cpim& m) { return std::all_of(m.required.begin(), m.required.end(), is_known); }

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
  add_field(m, "Message-ID", r.message_id);
  std::string wanted;
  const auto want = [&wanted](bool is, std::string_view word) {
    if (is) wanted.append(wanted.empty() ? "" : ", ").append(word);
  };
  want(r.positive_delivery, "positive-delivery");
  want(r.negative_delivery, "negative-delivery");
  want(r.processing, "processing");
  want(r.display, "display");
  if (!wanted.empty()) add_field(m, "Disposition-Notification", std::move(wanted));
}

std::string original_to_of(const cpim& m) {
  const auto* value = m.find(imdn_header_ns, "Original-To");
  if (value == nullptr) return {};
  const auto open = value->rfind('<');
  const auto close = value->find('>', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return value->substr(open + 1, close - open - 1);
}

std::vector<std::string> record_route_of(const cpim& m) {
  std::vector<std::string> out;
  for (const auto& e : m.extensions)
    if (e.ns == imdn_header_ns && text::iequals(e.name, "IMDN-Record-Route")) out.push_back(e.value);
  return out;
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
    out.status = status_of(*notification, kind);
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
  root.add({std::string(name_of(d.kind)), std::string(ns)})
      .add({"status", std::string(ns)})
      .add({std::string(name_of(d.status)), std::string(ns)});
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n" + xml::write(root, {});
}

std::vector<imdn> find_imdns(const content_type& type, std::string_view body, const limits& l) {
  std::vector<imdn> out;
  const auto take = [&out](const content_type& t, std::string_view document) {
    if (!t.is("message", "imdn+xml")) return;
    if (auto d = parse_imdn(document)) out.push_back(*std::move(d));
  };
  take(type, body);
  if (type.type != "multipart") return out;
  const auto parts = parse_multipart(type, body, l);
  if (!parts) return out;
  for (const auto& part : *parts) take(part.type, part.body);
  return out;
}

}  // namespace stox::payload
