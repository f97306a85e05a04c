#include "xmpp/machine/domain_identity.hpp"

#include <algorithm>

#include "base/net_address.hpp"
#include "base/text.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::xmpp {
namespace {

std::string_view without_last_dot(std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  return name;
}

// Bytes are compared: a NUL byte or an octet beyond ASCII, which IA5String forbids, equals nothing.
bool is_dns_id(std::string_view name, std::string_view ascii) {
  name = without_last_dot(name);
  if (text::iequals(name, ascii)) return true;
  // RFC 6125 §6.4.3: the whole left-most label and no other; it stands for one label, never for several or
  // none. ".*" and "f*o" are no wildcards.
  if (!name.starts_with("*.") || name.size() == 2) return false;
  const auto dot = ascii.find('.');
  return dot != std::string_view::npos && dot != 0 && text::iequals(name.substr(1), ascii.substr(dot));
}

// RFC 4985 §2: "_Service.Name". RFC 6125 §6.5.1: the service without case.
bool is_srv_id(std::string_view name, std::string_view service, std::string_view ascii) {
  const auto dot = name.find('.');
  return dot != std::string_view::npos && name.starts_with('_') &&
         text::iequals(name.substr(1, dot - 1), service) &&
         text::iequals(without_last_dot(name.substr(dot + 1)), ascii);
}

// UTF-8 in U-labels; what has a localpart or resource names somebody else, and is no domain name.
bool is_xmpp_addr(std::string_view address, std::string_view ascii) {
  const auto its = domain_to_ascii(address);
  return its && *its == ascii;
}

}  // namespace

bool is_xmpp_domain(const peer_identity& who, std::string_view domain, std::string_view srv_service) {
  if (!who.chain_ok) return false;
  const auto ascii = domain_to_ascii(domain);
  if (!ascii || ip_address::parse(*ascii)) return false;
  const auto dns = [&](const auto& name) { return is_dns_id(name, *ascii); };
  const auto srv = [&](const auto& name) { return is_srv_id(name, srv_service, *ascii); };
  const auto xmpp = [&](const auto& name) { return is_xmpp_addr(name, *ascii); };
  // RFC 6125 §6.4.4: the common name is the last resort, never beside a subjectAltName.
  return std::any_of(who.san_dns.begin(), who.san_dns.end(), dns) ||
         std::any_of(who.san_srv.begin(), who.san_srv.end(), srv) ||
         std::any_of(who.san_xmpp.begin(), who.san_xmpp.end(), xmpp) ||
         (!who.has_san && dns(who.common_name));
}

}  // namespace stox::xmpp
