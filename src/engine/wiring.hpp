#pragma once

#include <string>
#include <vector>

#include "gateway/context.hpp"
#include "settings/settings.hpp"
#include "sip/machine/endpoint.hpp"
#include "xmpp/machine/component.hpp"
#include "xmpp/machine/federation.hpp"

namespace stox::engine {

/// The settings in the form that each part takes: pure functions, so that a reload is a call.
gateway::domains domains_of(const settings::all& s);
/// The XMPP names of the served domains, as the links have them.
std::vector<std::string> served_names(const settings::all& s);
/// Those of them that other servers reach without a component link, in A-labels, as the DNS and TLS have
/// them.
std::vector<std::string> federated_names(const settings::all& s);
/// As JIDs have them; validation has passed.
std::vector<std::string> unicode_domains(const std::vector<std::string>& names);
/// The served domains that other servers may reach without a component link, or beside one.
xmpp::federation_options federation_options_of(const settings::all& s, const gateway::domains& d,
                                               id_source& ids);
sip::endpoint_options sip_options_of(const settings::all& s, const gateway::domains& d);
xmpp::component_options component_options_of(const settings::component& c, const settings::all& s);

}  // namespace stox::engine
