#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "sip/wire/uri.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::translate {

enum class address_errc {
  bad_scheme = 1,  ///< not sip:, tel:, im: or pres: (sips: never crosses, RFC 7247 §8), or tel: and no domain
                   ///< is served
  bad_escape,      ///< malformed %HH, or octets that are not UTF-8
  forbidden_char,  ///< a control character, a blank at an end, or an escape that XEP-0106 would not write
  empty_part,      ///< no user part where one is needed
  too_long,        ///< above 1023 octets, RFC 7622
  not_a_jid,       ///< the parts do not form a JID
  domain_taken,    ///< the name belongs to a pair's other side: two identities would collide
  not_a_host,      ///< a domain that SIP's grammar of hosts does not allow
};
const char* errc_name(address_errc e);
STOX_ERROR_CATEGORY(address_errc, "translate.address")

/// The names of one served domain in both worlds: sip:alice@`sip` is xmpp:alice@`xmpp`.
struct domain_pair {
  std::string sip;   ///< A-labels, lower case
  std::string xmpp;  ///< as in a prepared JID: U-labels
  friend bool operator==(const domain_pair&, const domain_pair&) = default;
};

/// All pairs of the gateway; every other domain keeps its name. A name that stands in a pair on one side only
/// is refused on the other, so that the mapping stays one to one.
class address_map {
 public:
  address_map() = default;
  explicit address_map(std::vector<domain_pair> pairs) : pairs_(std::move(pairs)) {}

  result<std::string> domain_to_xmpp(std::string_view sip_host) const;
  result<std::string> domain_to_sip(std::string_view xmpp_domain) const;

  /// RFC 7247 §6.4 with the whole XEP-0106 set: unescape, escape, prepare, map the host; a `gr` with a value
  /// becomes the resource. A password is dropped, a port and every other parameter too; user parameters
  /// (";phone-context=") stay data. With user=phone the visual separators of RFC 3966 §5.1.1 go; a tel:
  /// number is a user of the first pair's domain (RFC 3261 §19.1.6).
  result<xmpp::jid> to_jid(const sip::uri& u) const;
  /// RFC 7247 §6.5: the reverse; the resource becomes `gr` when with_resource says so. A localpart that no
  /// SIP user maps to (a needless "\5c", a "\20" at an end) is refused: its SIP form would be somebody
  /// else's.
  result<sip::uri> to_sip(const xmpp::jid& j, bool with_resource) const;
  /// RFC 7247 §6.5 steps 5 and 7, for peers that want the im: form; the resource has no place in it.
  result<sip::uri> to_im(const xmpp::jid& j) const;

  const std::vector<domain_pair>& pairs() const { return pairs_; }

 private:
  const domain_pair* by_sip(std::string_view host) const;
  const domain_pair* by_xmpp(std::string_view domain) const;

  std::vector<domain_pair> pairs_;
};

}  // namespace stox::translate

template <>
struct std::is_error_code_enum<stox::translate::address_errc> : std::true_type {};
