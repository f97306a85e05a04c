#include "sip/machine/next_hop.hpp"

#include "base/text.hpp"

namespace stox::sip {

std::optional<destination> destination_of(const uri& next_hop) {
  if (!next_hop.is_sip()) return std::nullopt;
  destination out;
  out.secure = next_hop.scheme == "sips";
  out.host = next_hop.host;
  out.port = next_hop.port.value_or(0);
  if (const auto* maddr = next_hop.find("maddr"); maddr != nullptr && maddr->value)
    out.host = text::to_lower(*maddr->value);
  if (!out.host.empty() && out.host.back() == '.') out.host.pop_back();
  if (out.host.empty()) return std::nullopt;
  const auto* via = next_hop.find("transport");
  if (via == nullptr || !via->value) return out;
  if (text::iequals(*via->value, "udp")) {
    out.via = transport::udp;
  } else if (text::iequals(*via->value, "tcp")) {
    // RFC 3261 §26.2.2: "sips:...;transport=tcp" is TLS over TCP.
    out.via = out.secure ? transport::tls : transport::tcp;
  } else if (text::iequals(*via->value, "tls")) {
    out.via = transport::tls;
  } else {
    return std::nullopt;
  }
  return out;
}

std::string to_string(const destination& d) {
  std::string out = (d.secure ? "sips:" : "") + d.host;
  if (d.port != 0) out += ':' + std::to_string(d.port);
  if (d.via) out += ";transport=" + std::string(to_string(*d.via));
  return out;
}

}  // namespace stox::sip
