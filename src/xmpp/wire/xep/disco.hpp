#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xml/element.hpp"
#include "xmpp/wire/jid.hpp"
#include "xmpp/wire/xep/data_form.hpp"

/// XEP-0030, service discovery.
namespace stox::xmpp::disco {

inline constexpr std::string_view info_ns = "http://jabber.org/protocol/disco#info";
inline constexpr std::string_view items_ns = "http://jabber.org/protocol/disco#items";

struct identity {
  std::string category, type;  ///< both required, XEP-0030 §3.1
  std::string name;            ///< for people; may be empty
  std::string lang = {};       ///< of the name; "" if none is said
  friend bool operator==(const identity&, const identity&) = default;
};

struct info {
  std::string node;  ///< of the query, echoed in the answer; "" if none
  std::vector<identity> identities;
  std::vector<std::string> features;
  std::vector<data_form> forms = {};  ///< XEP-0128
  friend bool operator==(const info&, const info&) = default;
};

struct item {
  xmpp::jid jid;
  std::string node, name;
  friend bool operator==(const item&, const item&) = default;
};

struct items {
  std::string node;
  std::vector<item> list;
  friend bool operator==(const items&, const items&) = default;
};

/// A request is a query with nothing in it but its node.
xml::element write(const info& i);
xml::element write(const items& i);

/// nullopt if the element is no query of that kind. Identities without category or type, features without var
/// and items without a usable JID are left out.
std::optional<info> parse_info(const xml::element& query);
std::optional<items> parse_items(const xml::element& query);

}  // namespace stox::xmpp::disco
