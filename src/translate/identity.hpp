#pragma once

#include <string>
#include <vector>

#include "sip/wire/headers.hpp"
#include "sip/wire/message.hpp"
#include "translate/address.hpp"
#include "translate/error.hpp"

namespace stox::translate {

/// Who a request from a trusted peer speaks for.
struct sip_identity {
  sip::uri
      aor;  ///< the address that is authorised and translated; carries From's gr when From names the same AOR
  std::string display;  ///< that P-Asserted-Identity gives, else From's if From names the same AOR
};

/// P-Asserted-Identity wins over From (RFC 3325 §9.1); two values: the sip: one. With Privacy id, user or
/// header, or an anonymous From (RFC 3323 §4.1.1.3: host anonymous.invalid), the identity must not be shown:
/// 403 "Anonymous not accepted". Its domain must be in `served` (lower case), else 403.
boost::system::result<sip_identity, sip_status> identity_of(const sip::request& r,
                                                            const sip::essentials& head,
                                                            const std::vector<std::string>& served);

}  // namespace stox::translate
