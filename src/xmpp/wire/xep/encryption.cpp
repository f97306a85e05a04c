#include "xmpp/wire/xep/encryption.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace stox::xmpp {

namespace {

/// OMEMO as clients speak it, and the two later versions of XEP-0384.
constexpr std::array<std::string_view, 3> omemo{"eu.siacs.conversations.axolotl", "urn:xmpp:omemo:1",
                                                "urn:xmpp:omemo:2"};

void put(std::string& known, std::string_view said) { known = text::utf8_prefix(said, encryption::max_name); }

bool is_omemo(std::string_view ns) { return std::find(omemo.begin(), omemo.end(), ns) != omemo.end(); }

}  // namespace

bool read_encryption(const xml::element& e, std::optional<encryption>& out) {
  const auto known = [&out]() -> encryption& { return out ? *out : out.emplace(); };
  if (e.is("encryption", encryption::tag_ns)) {
    auto& x = known();
    if (const auto* ns = e.attr("namespace")) put(x.ns, *ns);
    if (const auto* name = e.attr("name")) put(x.name, *name);
    // OMEMO's own element says whether there is content; of any other encryption the tag is all we know.
    if (!is_omemo(x.ns)) x.content = true;
    return true;
  }
  const bool sealed = e.name == "encrypted" && is_omemo(e.ns);
  if (!sealed && !e.is("openpgp", "urn:xmpp:openpgp:0") && !e.is("x", "jabber:x:encrypted")) return false;
  auto& x = known();
  if (x.ns.empty()) x.ns = e.ns;
  if (!sealed || e.child("payload", e.ns) != nullptr) x.content = true;
  return true;
}

}  // namespace stox::xmpp
