#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace stox::xmpp {

enum class jid_errc {
  empty_part = 1,  ///< an "@" without localpart, a "/" without resource, or no domain
  too_long,        ///< a part above 1023 bytes, RFC 7622 §3.2-3.4
  bad_local,       ///< the localpart has characters that its profile forbids
  bad_domain,      ///< no domain name and no IP literal
  bad_resource,    ///< the resource has characters that its profile forbids
};
const char* errc_name(jid_errc e);
STOX_ERROR_CATEGORY(jid_errc, "xmpp.jid")

/// An XMPP address in prepared (comparable) form: localpart case-folded, domain in U-labels and lower case,
/// all by RFC 7622's rules as far as ICU's Nodeprep/Resourceprep/UTS 46 give them. Two jids are the same
/// address iff they are ==.
struct jid {
  std::string local, domain, resource;

  /// Prepares and checks all parts.
  static boost::system::result<jid, error> parse(std::string_view text);
  static boost::system::result<jid, error> make(std::string_view local, std::string_view domain,
                                                std::string_view resource = {});

  jid bare() const { return {local, domain, {}}; }
  bool is_bare() const { return resource.empty(); }
  std::string to_string() const;
  std::string bare_text() const;  ///< bare().to_string()
  friend auto operator<=>(const jid&, const jid&) = default;
};

/// Whether that is a host name of lower case ASCII letters, digits and hyphens, with a letter in its last
/// label and no A-label: then it is the same JID domain, DNS name and SIP host. Nearly every domain is one,
/// and needs no further work.
bool is_plain_domain(std::string_view domain);

/// IDNA: A-labels for SIP and DNS ("xn--bcher-kva.example"), U-labels for JIDs ("bücher.example"). IP
/// literals pass as they are.
boost::system::result<std::string, error> domain_to_ascii(std::string_view domain);
boost::system::result<std::string, error> domain_to_unicode(std::string_view domain);

/// XEP-0106 over a whole localpart. `escape` maps the ten characters (and "\" where it would start one of the
/// ten codes); `unescape` maps the ten codes only. Escaping fails (nullopt) where "\20" would come first or
/// last, and where Nodeprep would change more than case afterwards (a full-width letter, an invisible
/// character), so that the localpart would name somebody else.
std::optional<std::string> escape_local(std::string_view text);
std::string unescape_local(std::string_view local);

}  // namespace stox::xmpp

template <>
struct std::is_error_code_enum<stox::xmpp::jid_errc> : std::true_type {};
