#include "sip/machine/tx_key.hpp"

#include <charconv>
#include <cstdint>

#include "base/net_address.hpp"
#include "base/text.hpp"

namespace stox::sip {

namespace {

constexpr std::string_view magic_cookie = "z9hG4bK";
// No header value holds this byte: the parts of a key cannot run into one another.
constexpr char separator = '\n';

void append(std::string& key, std::string_view part) {
  key += part;
  key += separator;
}

}  // namespace

void append_server_key(std::string& out, const request& r, const essentials& head, std::string_view method) {
  const std::string_view branch = head.top_via.branch();
  if (head.top_via.has_magic_cookie() && branch.size() > magic_cookie.size()) {
    append(out, branch);
    append_sent_by(out, head.top_via);
    out += separator;
    out += method;
    return;
  }
  // RFC 3261 §17.2.3, second half. The To tag is left out: an ACK carries the tag of our answer, the INVITE
  // none.
  append(out, r.uri);
  append(out, head.from.tag());
  append(out, head.call_id);
  append(out, std::to_string(head.cseq.number));
  append(out, branch);
  append(out, sent_by(head.top_via));
  append(out, "2543");
  out += method;
}

void append_merge_key(std::string& out, const essentials& head, std::string_view method) {
  append(out, head.from.tag());
  append(out, head.call_id);
  append(out, std::to_string(head.cseq.number));
  out += method;
}

namespace {

void append_host(std::string& out, std::string_view host) {
  // Only IPv6 has more than one spelling: dotted decimals are read in their one form or not at all.
  if (host.find(':') != std::string_view::npos) {
    if (const auto ip = ip_address::parse(host)) {
      out += ip->to_uri_host();
      return;
    }
  }
  if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  for (const char c : host) out += text::lower(c);
}

}  // namespace

void append_sent_by(std::string& out, std::string_view host, std::uint16_t port) {
  append_host(out, host);
  out += ':';
  char digits[8];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, port).ptr);
}

std::string normal_host(std::string_view host) {
  std::string out;
  append_host(out, host);
  return out;
}

void append_sent_by(std::string& out, const via& v) {
  append_sent_by(out, v.host, v.port.value_or(v.transport == "TLS" ? 5061 : 5060));
}

std::string sent_by(const via& v) {
  std::string out;
  append_sent_by(out, v);
  return out;
}

}  // namespace stox::sip
