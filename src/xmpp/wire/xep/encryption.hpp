#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "xml/element.hpp"

namespace stox::xmpp {

/// What says that a message is encrypted end to end: the tag of XEP-0380, OMEMO in its three namespaces
/// (XEP-0384), OpenPGP (XEP-0373) and its forerunner (XEP-0027).
struct encryption {
  static constexpr std::string_view tag_ns = "urn:xmpp:eme:0";

  static constexpr std::size_t max_name = 128;  ///< bytes of ns and name; they are cut

  std::string ns;        ///< of the encryption
  std::string name;      ///< for people, as the sender tells it; may be empty
  bool content = false;  ///< it holds something; else it only manages a session (XEP-0384 §4.4)
  friend bool operator==(const encryption&, const encryption&) = default;
};

/// Whether it is one of these; then what it says is added to what others said.
bool read_encryption(const xml::element& e, std::optional<encryption>& out);

}  // namespace stox::xmpp
