#include "sip/machine/tx_key.hpp"

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

std::string server_key(const request& r, const essentials& head, std::string_view method) {
  const std::string_view branch = head.top_via.branch();
  const std::string by = sent_by(head.top_via);
  std::string key;
  if (head.top_via.has_magic_cookie() && branch.size() > magic_cookie.size()) {
    key.reserve(branch.size() + by.size() + method.size() + 2);
    append(key, branch);
    append(key, by);
    key += method;
    return key;
  }
  // RFC 3261 §17.2.3, second half. The To tag is left out: an ACK carries the tag of our answer, the INVITE
  // none.
  append(key, r.uri);
  append(key, head.from.tag());
  append(key, head.call_id);
  append(key, std::to_string(head.cseq.number));
  append(key, branch);
  append(key, by);
  append(key, "2543");
  key += method;
  return key;
}

std::string client_key(std::string_view branch, std::string_view method) {
  std::string key;
  key.reserve(branch.size() + method.size() + 1);
  append(key, branch);
  key += method;
  return key;
}

std::string merge_key(const essentials& head, std::string_view method) {
  const std::string number = std::to_string(head.cseq.number);
  std::string key;
  key.reserve(head.from.tag().size() + head.call_id.size() + number.size() + method.size() + 3);
  append(key, head.from.tag());
  append(key, head.call_id);
  append(key, number);
  key += method;
  return key;
}

std::string normal_host(std::string_view host) {
  // Only IPv6 has more than one spelling: dotted decimals are read in their one form or not at all.
  if (host.find(':') != std::string_view::npos) {
    if (const auto ip = ip_address::parse(host)) return ip->to_uri_host();
  }
  if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  return text::to_lower(host);
}

std::string sent_by(const via& v) {
  const std::uint16_t port = v.port.value_or(v.transport == "TLS" ? 5061 : 5060);
  return normal_host(v.host) + ':' + std::to_string(port);
}

}  // namespace stox::sip
