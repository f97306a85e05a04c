#include <algorithm>

#include "gateway/context.hpp"

namespace stox::gateway {

bool domains::serves_sip(std::string_view sip_domain) const {
  return std::find(sip.begin(), sip.end(), sip_domain) != sip.end();
}

bool domains::serves_xmpp(std::string_view xmpp_domain) const {
  const auto sip_name = addresses.domain_to_sip(xmpp_domain);
  return sip_name && serves_sip(*sip_name);
}

}  // namespace stox::gateway
