#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xml/element.hpp"

/// Files and other things that are shared by address: out-of-band data (XEP-0066), stateless file sharing
/// (XEP-0447) and media sharing (XEP-0385).
namespace stox::xmpp {

inline constexpr std::string_view oob_ns = "jabber:x:oob";
inline constexpr std::string_view sfs_ns = "urn:xmpp:sfs:0";
inline constexpr std::string_view sims_ns = "urn:xmpp:sims:1";
inline constexpr std::string_view references_ns = "urn:xmpp:reference:0";

struct shared_link {
  std::string url;  ///< a URI without blanks, quotes and brackets; empty: there is none that a browser opens
  std::string name, media_type, description;
  std::optional<std::uint64_t> size;  ///< bytes
  friend bool operator==(const shared_link&, const shared_link&) = default;
};
inline constexpr std::size_t max_links = 16;

/// Whether it is a payload of these; then what it shares is added to `links`, once for each address: what one
/// of two says and the other does not is kept.
bool read_shared(const xml::element& e, std::vector<shared_link>& links);

}  // namespace stox::xmpp
