#include "config/options.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "config/option_tables.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

using settings::all;

constexpr table_array arrays[] = {
    {"gateway.domain", change::live,
     "A domain whose names on the two sides differ, or that has rules of its own beside those of all "
     "domains.",
     false, [](all& s) { s.gateway.domains.emplace_back(); },
     [](const all& a, const all& b) { return a.gateway.domains == b.gateway.domains; },
     [](all& to, const all& from) { to.gateway.domains = from.gateway.domains; }, domain_rows},
    {"sip.credential", change::live,
     "What SIP servers that ask for a password are told (digest authentication); other realms are not "
     "answered.",
     false, [](all& s) { s.credentials.emplace_back(); },
     [](const all& a, const all& b) { return a.credentials == b.credentials; },
     [](all& to, const all& from) { to.credentials = from.credentials; }, credential_rows},
    {"tls.certificate", change::live, "A certificate of ours, for servers and for clients.", false,
     [](all& s) { s.tls.certificates.emplace_back(); },
     [](const all& a, const all& b) { return a.tls.certificates == b.tls.certificates; },
     [](all& to, const all& from) { to.tls.certificates = from.tls.certificates; }, certificate_rows},
    {"xmpp.component", change::live,
     "A link to an XMPP server that lets the gateway serve one domain (XEP-0114).", true,
     [](all& s) { s.components.emplace_back(); },
     [](const all& a, const all& b) { return a.components == b.components; },
     [](all& to, const all& from) { to.components = from.components; }, component_rows},
    {"xmpp.s2s.peer", change::live,
     "Another server's domain for which other rules hold than those of [xmpp.s2s]; what it does not say is "
     "as there.",
     false, [](all& s) { s.s2s.peers.emplace_back(); },
     [](const all& a, const all& b) { return a.s2s.peers == b.s2s.peers; },
     [](all& to, const all& from) { to.s2s.peers = from.s2s.peers; }, peer_rows},
};

std::vector<option> all_options() {
  std::vector<option> out;
  for (const auto part : {gateway_options(), sip_options(), tls_options(), component_options(), s2s_options(),
                          chat_options(), operation_options()})
    out.insert(out.end(), part.begin(), part.end());
  return out;
}

}  // namespace

std::span<const option> options() {
  static const auto table = all_options();
  return table;
}
std::span<const table_array> table_arrays() { return arrays; }

const option* find_option(std::string_view key) {
  const auto all = options();
  const auto found = std::find_if(all.begin(), all.end(), [&](const option& o) { return o.key == key; });
  return found == all.end() ? nullptr : &*found;
}

const table_array* find_table_array(std::string_view key) {
  const auto found =
      std::find_if(std::begin(arrays), std::end(arrays), [&](const table_array& t) { return t.key == key; });
  return found == std::end(arrays) ? nullptr : found;
}

const table_array* array_of(std::string_view option_key) { return find_table_array(section_of(option_key)); }

std::string_view optional_section_help(std::string_view section) {
  if (section != "xmpp.s2s") return {};
  return "Federation: the gateway as an XMPP server to the world, for the served domains without a "
         "component. "
         "It is on where this table stands, also empty, and where there is no [[xmpp.component]] at all; "
         "each "
         "domain needs a [[tls.certificate]].";
}

std::int64_t to_ms(duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); }

std::string add_domain(std::vector<std::string>& to, const std::string& text) {
  auto name = parse_domain(text);
  if (!name) return quote(text) + " is not a domain name; write it like \"sip.example\"";
  if (std::find(to.begin(), to.end(), *name) != to.end()) return quote(text) + " stands twice; remove one";
  to.push_back(std::move(*name));
  return {};
}

std::string add_route(std::vector<settings::sip_route>& to, const std::string& text) {
  settings::sip_route r;
  if (auto why = parse_route(text, r); !why.empty()) return why;
  to.push_back(std::move(r));
  return {};
}

std::string add_peer(std::vector<ip_prefix>& to, const std::string& text) {
  const auto p = ip_prefix::parse(text);
  if (!p)
    return quote(text) +
           " is not an IP address or prefix; write it like \"192.0.2.0/24\" or \"2001:db8::/32\"";
  to.push_back(*p);
  return {};
}

std::string set_message_type(settings::message_type& to, const std::string& text) {
  if (text != "chat" && text != "normal") return quote(text) + " is unknown; use \"chat\" or \"normal\"";
  to = text == "chat" ? settings::message_type::chat : settings::message_type::normal;
  return {};
}

std::string set_first_form(settings::first_form& to, const std::string& text) {
  if (text != "plain" && text != "cpim") return quote(text) + " is unknown; use \"plain\" or \"cpim\"";
  to = text == "plain" ? settings::first_form::plain : settings::first_form::cpim;
  return {};
}

std::string set_domain(std::string& to, const std::string& text) {
  auto name = parse_domain(text);
  if (!name) return quote(text) + " is not a domain name; write it like \"sip.example\"";
  to = std::move(*name);
  return {};
}

}  // namespace stox::config
