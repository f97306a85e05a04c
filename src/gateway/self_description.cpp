#include "gateway/self_description.hpp"

#include <string_view>
#include <utility>

#include "translate/loop.hpp"
#include "translate/xmpp_uri.hpp"
#include "xmpp/wire/xep/caps.hpp"
#include "xmpp/wire/xep/chat_states.hpp"
#include "xmpp/wire/xep/entity_time.hpp"
#include "xmpp/wire/xep/markers.hpp"
#include "xmpp/wire/xep/ping.hpp"
#include "xmpp/wire/xep/prompt.hpp"
#include "xmpp/wire/xep/receipts.hpp"
#include "xmpp/wire/xep/shim.hpp"
#include "xmpp/wire/xep/version.hpp"

namespace stox::gateway {

namespace {

/// Said aloud: clients hash the language of the stream in its place where none is said (XEP-0390 §4.1).
constexpr const char* language = "en";

/// XEP-0106 §6: without this feature a client must take the gateway for one that does not understand "\40".
constexpr std::string_view jid_escaping = "jid\\20escaping";

constexpr std::string_view everywhere[] = {xmpp::disco::info_ns, xmpp::disco::items_ns, xmpp::caps::ns,
                                           xmpp::caps::ns_2,     xmpp::shim::ns,        jid_escaping,
                                           xmpp::vcard::temp_ns, xmpp::vcard::v4_ns,    xmpp::ping::ns};
constexpr std::string_view of_the_gateway[] = {xmpp::version::ns, xmpp::entity_time::ns, xmpp::prompt::ns};

/// XEP-0157: one list for all that it is asked for; a small service has one desk.
xmpp::data_form contact_form(const std::vector<std::string>& contact) {
  xmpp::data_form out;
  out.fields.push_back({"FORM_TYPE", "hidden", {"http://jabber.org/network/serverinfo"}});
  for (const auto* kind : {"abuse-addresses", "admin-addresses", "support-addresses"})
    out.fields.push_back({kind, {}, contact});
  return out;
}

}  // namespace

xmpp::disco::info describe(const xmpp::jid& to, const std::vector<std::string>& contact,
                           client_skills known) {
  xmpp::disco::info info;
  info.features.assign(std::begin(everywhere), std::end(everywhere));
  if (!to.local.empty()) {
    if (to.is_bare()) {
      info.identities.push_back({"account", "registered", {}, language});
    } else {
      info.identities.push_back({"client", "phone", {}, language});
    }
    if (known.typing) info.features.emplace_back(xmpp::chat_states_ns);
    if (known.reports)
      info.features.insert(info.features.end(),
                           {std::string(xmpp::receipts::ns), std::string(xmpp::markers_ns)});
    return info;
  }
  info.identities.push_back({"gateway", "simple", gateway_name, language});
  info.features.insert(info.features.end(), std::begin(of_the_gateway), std::end(of_the_gateway));
  if (!contact.empty()) info.forms.push_back(contact_form(contact));
  return info;
}

client_skills skills_of(const xmpp::jid& user, context& c) {
  const auto name = peer_name(user, c.domains());
  const auto* caps = name ? c.peers().peek(*name) : nullptr;
  if (caps == nullptr) return {};
  const auto now = c.now().steady;
  const auto knows = [&](feature f) {
    const auto& known = caps->facts[static_cast<std::size_t>(f)];
    return known.value == known::yes && known.when.until > now;
  };
  return {knows(feature::cpim) && knows(feature::imdn), knows(feature::is_composing)};
}

std::optional<xmpp::disco::info> describe_node(const xmpp::jid& to, const std::string& node,
                                               const std::vector<std::string>& contact, client_skills known) {
  auto info = describe(to, contact, known);
  if (node.empty()) return info;
  // A hash names a description for ever, whatever was learned since it was told.
  for (const unsigned other : {0U, 1U, 2U, 3U}) {
    const bool reports = (other & 1U) != 0, typing = (other & 2U) != 0;
    info = describe(to, contact, {known.reports != reports, known.typing != typing});
    if (!xmpp::caps::is_node_of(node, info)) continue;
    info.node = node;
    return info;
  }
  if (node != xmpp::shim::ns) return std::nullopt;
  xmpp::disco::info headers;
  headers.node = node;
  headers.features.push_back(std::string(xmpp::shim::ns) + "#" + std::string(translate::hop_header));
  return headers;
}

std::optional<xmpp::vcard::card> card_of(const xmpp::jid& to, const translate::address_map& addresses) {
  const auto bare = to.bare();
  const auto uri = addresses.to_sip(bare, false);
  if (!uri) return std::nullopt;
  xmpp::vcard::card out;
  out.jid = bare.to_string();
  out.xmpp_uri = translate::write_xmpp_uri(bare);
  out.sip_uri = sip::write(*uri);
  out.application = bare.local.empty();
  // The whole address: the user part alone may be made to look like another's ("admin\40bank.example").
  out.name = out.application ? gateway_name : out.sip_uri.substr(uri->scheme.size() + 1);
  return out;
}

}  // namespace stox::gateway
