#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/findings.hpp"

/// What the checks of single subjects share.
namespace stox::config {

/// A served domain: its users live on SIP.
struct served {
  std::string sip, xmpp;
  std::string key;  ///< where it is said
};
std::vector<served> served_domains(const settings::gateway& g);

/// Whether a table of this array has an error, so that what it says is not known.
bool tables_failed(const findings& f, std::string_view array);
void require(findings& f, const std::string& key, const std::string& text, std::string_view hint);

/// The component that serves the XMPP domain, or nullptr.
const settings::component* component_of(const settings::all& s, std::string_view xmpp);
/// Whether stanzas of the domain go by federation: all of them, or what its component does not reach.
bool is_federated(const settings::all& s, const served& domain);
bool has_certificate(const settings::tls& tls, std::string_view domain);

/// [xmpp.s2s], its peers, and what each component reaches.
void check_federation(findings& f, const std::vector<served>& domains);

}  // namespace stox::config
