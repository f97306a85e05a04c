#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "xml/element.hpp"

/// A vCard as far as it follows from an address: vcard-temp (XEP-0054), and vCard4 by a plain get or as the
/// item of a PEP node (XEP-0292).
namespace stox::xmpp::vcard {

inline constexpr std::string_view temp_ns = "vcard-temp";
inline constexpr std::string_view v4_ns = "urn:ietf:params:xml:ns:vcard-4.0";
inline constexpr std::string_view pubsub_ns = "http://jabber.org/protocol/pubsub";
inline constexpr std::string_view pep_node = "urn:xmpp:vcard4";

struct card {
  std::string name;          ///< FN
  std::string jid;           ///< bare
  std::string xmpp_uri;      ///< the same as a URI
  std::string sip_uri;       ///< the same entity on the other side
  bool application = false;  ///< KIND, XEP-0292 §6; else nothing is said
};

enum class form : std::uint8_t { temp, v4, pep };
/// Which form of a vCard the payload asks for, or would set; nullopt: it is about none.
std::optional<form> form_of(const xml::element& payload);

xml::element write(const card& c, form f);

}  // namespace stox::xmpp::vcard
