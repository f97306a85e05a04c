#include "xmpp/wire/s2s.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "crypto/hash.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/stream.hpp"

namespace stox::xmpp {

namespace {

constexpr std::string_view dialback_feature_ns = "urn:xmpp:features:dialback";
constexpr std::string_view bidi_feature_ns = "urn:xmpp:features:bidi";

std::string attr_of(const xml::element& e, std::string_view name) {
  const auto* value = e.attr(name);
  return value == nullptr ? std::string() : *value;
}

void add_attribute(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(" ").append(name).append("='");
  xml::escape_to(out, value);
  out += '\'';
}

std::string_view word_of(dialback_type t) {
  switch (t) {
    case dialback_type::request: return {};
    case dialback_type::valid: return "valid";
    case dialback_type::invalid: return "invalid";
    case dialback_type::error: return "error";
  }
  return {};
}

std::string counted(std::string_view name, std::string_view id, std::uint32_t handled) {
  std::string out = "<";
  out.append(name).append(" xmlns='").append(sm_ns).append("'");
  add_attribute(out, "previd", id);
  return out + " h='" + std::to_string(handled) + "'/>";
}

}  // namespace

server_header read_server_header(const xml::element& root) {
  server_header out{attr_of(root, "from"), attr_of(root, "to"), attr_of(root, "id"), false};
  // RFC 6120 §4.7.5: a missing version is 0.9; of higher ones we speak 1.0, which is what both then do.
  const auto version = attr_of(root, "version");
  out.version_1 = !version.empty() && text::is_digit(version.front()) && version.front() != '0';
  return out;
}

std::string write_server_header(const server_header& h) {
  std::string out = "<?xml version='1.0'?><stream:stream xmlns='";
  out.append(server_ns).append("' xmlns:stream='").append(stream_ns).append("' xmlns:db='");
  out.append(dialback_ns).append("'");
  add_attribute(out, "from", h.from);
  add_attribute(out, "to", h.to);
  add_attribute(out, "id", h.id);
  return out + " version='1.0' xml:lang='en'>";
}

server_features read_features(const xml::element& e) {
  server_features out;
  if (const auto* tls = e.child("starttls", starttls_ns)) {
    out.starttls = true;
    out.starttls_required = tls->child("required", starttls_ns) != nullptr;
  }
  if (const auto* all = e.child("mechanisms", sasl_ns)) {
    const auto mechanisms = all->elements();
    out.external = std::any_of(mechanisms.begin(), mechanisms.end(), [](const auto* m) {
      return m->is("mechanism", sasl_ns) && text::trim(m->text()) == "EXTERNAL";
    });
  }
  if (const auto* d = e.child("dialback", dialback_feature_ns)) {
    out.dialback = true;
    out.dialback_errors = d->child("errors", dialback_feature_ns) != nullptr;
  }
  out.bidi = e.child("bidi", bidi_feature_ns) != nullptr;
  out.sm = e.child("sm", sm_ns) != nullptr;
  return out;
}

std::string write_features(const server_features& f) {
  std::string out = "<stream:features>";
  const auto add = [&out](std::string_view name, std::string_view ns, std::string_view inside) {
    out.append("<").append(name).append(" xmlns='").append(ns).append("'");
    if (inside.empty()) {
      out += "/>";
    } else {
      out.append(">").append(inside).append("</").append(name).append(">");
    }
  };
  if (f.starttls) add("starttls", starttls_ns, f.starttls_required ? "<required/>" : "");
  if (f.external) add("mechanisms", sasl_ns, "<mechanism>EXTERNAL</mechanism>");
  if (f.dialback) add("dialback", dialback_feature_ns, f.dialback_errors ? "<errors/>" : "");
  if (f.bidi) add("bidi", bidi_feature_ns, "");
  if (f.sm) add("sm", sm_ns, "");
  return out + "</stream:features>";
}

std::string write_starttls() { return "<starttls xmlns='" + std::string(starttls_ns) + "'/>"; }
std::string write_proceed() { return "<proceed xmlns='" + std::string(starttls_ns) + "'/>"; }
std::string write_starttls_failure() { return "<failure xmlns='" + std::string(starttls_ns) + "'/>"; }

std::string write_external(std::string_view authzid) {
  return "<auth xmlns='" + std::string(sasl_ns) + "' mechanism='EXTERNAL'>" +
         (authzid.empty() ? "=" : crypto::base64(authzid)) + "</auth>";
}

bool external_names(const xml::element& auth, std::string_view domain) {
  const auto content = auth.text();
  const auto said = text::trim(content);
  return said.empty() || said == "=" || said == crypto::base64(domain);
}

std::string write_sasl_success() { return "<success xmlns='" + std::string(sasl_ns) + "'/>"; }

std::string write_sasl_failure(std::string_view condition) {
  return "<failure xmlns='" + std::string(sasl_ns) + "'><" + std::string(condition) + "/></failure>";
}

std::optional<dialback> read_dialback(const xml::element& e) {
  if (e.ns != dialback_ns || (e.name != "result" && e.name != "verify")) return std::nullopt;
  dialback out;
  out.verify = e.name == "verify";
  out.from = attr_of(e, "from");
  out.to = attr_of(e, "to");
  out.id = attr_of(e, "id");
  const auto type = attr_of(e, "type");
  if (type.empty()) {
    out.key = text::trim(e.text());
    return out;
  }
  // XEP-0220 §2.1.2: what is neither valid nor an error does not authenticate.
  out.type = type == "valid"   ? dialback_type::valid
             : type == "error" ? dialback_type::error
                               : dialback_type::invalid;
  if (out.type != dialback_type::error) return out;
  const auto* wrapped = e.child("error", server_ns);
  out.condition =
      to_string(wrapped == nullptr ? condition::undefined_condition : parse_error(*wrapped).condition);
  return out;
}

std::string write_dialback(const dialback& d) {
  const std::string_view name = d.verify ? "db:verify" : "db:result";
  std::string out = "<";
  out += name;
  add_attribute(out, "from", d.from);
  add_attribute(out, "to", d.to);
  add_attribute(out, "id", d.id);
  add_attribute(out, "type", word_of(d.type));
  if (d.type == dialback_type::request) {
    out += '>';
    xml::escape_to(out, d.key);
    return out.append("</").append(name).append(">");
  }
  if (d.type != dialback_type::error) return out + "/>";
  out.append("><error type='cancel'><").append(d.condition);
  out.append(" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></").append(name);
  return out + '>';
}

std::string write_bidi() { return "<bidi xmlns='" + std::string(bidi_ns) + "'/>"; }

std::string write_sm_enable() { return "<enable xmlns='" + std::string(sm_ns) + "' resume='true'/>"; }

std::string write_sm_enabled(std::string_view id, unsigned max_seconds) {
  std::string out = "<enabled xmlns='" + std::string(sm_ns) + "'";
  add_attribute(out, "id", id);
  if (!id.empty()) out += " resume='true' max='" + std::to_string(max_seconds) + "'";
  return out + "/>";
}

std::string write_sm_request() { return "<r xmlns='" + std::string(sm_ns) + "'/>"; }
std::string write_sm_answer(std::uint32_t handled) { return counted("a", {}, handled); }
std::string write_sm_resume(std::string_view id, std::uint32_t handled) {
  return counted("resume", id, handled);
}
std::string write_sm_resumed(std::string_view id, std::uint32_t handled) {
  return counted("resumed", id, handled);
}

std::string write_sm_failed(std::string_view condition) {
  return "<failed xmlns='" + std::string(sm_ns) + "'><" + std::string(condition) +
         " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>";
}

std::string write_sm_too_high(std::uint32_t handled, std::uint32_t sent) {
  return "<stream:error><undefined-condition xmlns='" + std::string(stream_errors_ns) +
         "'/><handled-count-too-high xmlns='" + std::string(sm_ns) + "' h='" + std::to_string(handled) +
         "' send-count='" + std::to_string(sent) + "'/></stream:error>" + std::string(stream_end);
}

std::optional<std::uint32_t> handled_count(const xml::element& e) {
  const auto* h = e.attr("h");
  const auto n = h == nullptr ? std::nullopt : text::to_number(*h, UINT32_MAX);
  if (!n) return std::nullopt;
  return static_cast<std::uint32_t>(*n);
}

}  // namespace stox::xmpp
