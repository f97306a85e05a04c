#include "xmpp/wire/xep/encryption.hpp"

#include <algorithm>
#include <array>

namespace stox::xmpp {

namespace {

/// OMEMO as clients speak it, and the two later versions of XEP-0384.
constexpr std::array<std::string_view, 3> omemo{"eu.siacs.conversations.axolotl", "urn:xmpp:omemo:1",
                                                "urn:xmpp:omemo:2"};

}  // namespace

bool read_encryption(const xml::element& e, encryption& out) {
  if (e.is("encryption", encryption::tag_ns)) {
    if (const auto* ns = e.attr("namespace")) out.ns = *ns;
    if (const auto* name = e.attr("name")) out.name = *name;
    // OMEMO's own element says whether there is content; of any other encryption the tag is all we know.
    if (std::find(omemo.begin(), omemo.end(), out.ns) == omemo.end()) out.content = true;
    return true;
  }
  if (e.name == "encrypted" && std::find(omemo.begin(), omemo.end(), e.ns) != omemo.end()) {
    if (out.ns.empty()) out.ns = e.ns;
    if (e.child("payload", e.ns) != nullptr) out.content = true;
    return true;
  }
  if (e.is("openpgp", "urn:xmpp:openpgp:0") || e.is("x", "jabber:x:encrypted")) {
    if (out.ns.empty()) out.ns = e.ns;
    return out.content = true;
  }
  return false;
}

}  // namespace stox::xmpp
