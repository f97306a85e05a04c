#include "xmpp/wire/stream.hpp"

#include <algorithm>
#include <array>

#include "crypto/hash.hpp"
#include "xmpp/wire/stanza.hpp"

namespace stox::xmpp {

namespace {

// RFC 6120 §4.9.3. The name comes from the peer and goes into logs: only these do.
constexpr std::array<std::string_view, 25> stream_conditions{"bad-format",
                                                             "bad-namespace-prefix",
                                                             "conflict",
                                                             "connection-timeout",
                                                             "host-gone",
                                                             "host-unknown",
                                                             "improper-addressing",
                                                             "internal-server-error",
                                                             "invalid-from",
                                                             "invalid-id",
                                                             "invalid-namespace",
                                                             "invalid-xml",
                                                             "not-authorized",
                                                             "not-well-formed",
                                                             "policy-violation",
                                                             "remote-connection-failed",
                                                             "reset",
                                                             "resource-constraint",
                                                             "restricted-xml",
                                                             "see-other-host",
                                                             "system-shutdown",
                                                             "undefined-condition",
                                                             "unsupported-encoding",
                                                             "unsupported-stanza-type",
                                                             "unsupported-version"};

}  // namespace

std::string write_component_header(std::string_view domain) {
  std::string out = "<?xml version='1.0'?><stream:stream xmlns='";
  out.append(component_ns).append("' xmlns:stream='").append(stream_ns).append("' to='");
  xml::escape_to(out, domain);
  out += "'>";
  return out;
}

std::string write_handshake(std::string_view stream_id, std::string_view secret) {
  std::string text(stream_id);
  text += secret;
  return "<handshake>" + crypto::hex(crypto::sha1(text)) + "</handshake>";
}

std::string write_stream_error(std::string_view condition) {
  std::string out = "<stream:error><";
  out.append(condition)
      .append(" xmlns='")
      .append(stream_errors_ns)
      .append("'/></stream:error>")
      .append(stream_end);
  return out;
}

stream_error parse_stream_error(const xml::element& e) {
  stream_error out{"undefined-condition", {}};
  for (const auto* child : e.elements()) {
    if (child->ns != stream_errors_ns) continue;
    if (child->name == "text") {
      out.text = child->text();
    } else if (std::find(stream_conditions.begin(), stream_conditions.end(), child->name) !=
               stream_conditions.end()) {
      out.condition = child->name;
    }
  }
  return out;
}

}  // namespace stox::xmpp
