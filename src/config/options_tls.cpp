#include "config/option_tables.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

using settings::all;
using settings::tls_version;
using texts = std::vector<std::string>;

std::string set_version(all& s, const value& v) {
  if (v.text != "1.2" && v.text != "1.3") return quote(v.text) + " is unknown; use \"1.2\" or \"1.3\"";
  s.tls.min_version = v.text == "1.3" ? tls_version::v1_3 : tls_version::v1_2;
  return {};
}

constexpr option table[] = {
    {"tls.ca_file", value_type::text, change::live, "", "", 0, 0, "",
     "PEM file of the authorities whose certificates are believed; empty: the system's.",
     [](all& s, const value& v) {
       if (v.text.ends_with('/')) return quote(v.text) + " is a folder; write the path of a PEM file";
       s.tls.ca_file = v.text;
       return std::string();
     },
     [](const all& s) { return texts{s.tls.ca_file}; }, nullptr},
    {"tls.min_version", value_type::text, change::live, "1.2", "", 0, 0, "1.2 or 1.3",
     "The oldest version of TLS that is spoken.", set_version,
     [](const all& s) { return texts{s.tls.min_version == tls_version::v1_3 ? "1.3" : "1.2"}; }, nullptr},
    {"tls.max_handshakes", value_type::integer, change::live, "512", "", 1, 1'000'000, "",
     "TLS handshakes of connections that come in, at the same time; above that the oldest one of the network "
     "with the most ends. Trusted peers give way to nobody.",
     [](all& s, const value& v) {
       s.tls.max_handshakes = static_cast<unsigned>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{std::to_string(s.tls.max_handshakes)}; }, nullptr},
    {"tls.max_handshakes_per_network", value_type::integer, change::live, "64", "", 1, 1'000'000, "",
     "The same of one network (/24 or /56) that is not trusted; above that its oldest one ends.",
     [](all& s, const value& v) {
       s.tls.max_handshakes_per_network = static_cast<unsigned>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{std::to_string(s.tls.max_handshakes_per_network)}; }, nullptr},
    {"tls.certificate.domains", value_type::list, change::live, "", R"(["sip.example"])", 0, 0,
     "at least one",
     "The domains that the certificate proves; it is shown to clients that ask for one of them.",
     [](all& s, const value& v) { return add_domain(s.tls.certificates.back().domains, v.text); }, nullptr,
     [](all& s) { s.tls.certificates.back().domains.clear(); }},
    {"tls.certificate.chain", value_type::text, change::live, "", R"("sip.example.chain.pem")", 0, 0,
     "required",
     "PEM file of the certificate and what leads from it to its authority; relative to this file.",
     [](all& s, const value& v) {
       s.tls.certificates.back().chain = v.text;
       return std::string();
     },
     nullptr, nullptr},
    {"tls.certificate.key", value_type::text, change::live, "", R"("sip.example.key.pem")", 0, 0, "required",
     "PEM file of its private key, without a passphrase.",
     [](all& s, const value& v) {
       s.tls.certificates.back().key = v.text;
       return std::string();
     },
     nullptr, nullptr},
};

}  // namespace

std::span<const option> tls_options() { return table; }

}  // namespace stox::config
