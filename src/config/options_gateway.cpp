#include <chrono>

#include "config/option_tables.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

using settings::all;
using texts = std::vector<std::string>;

constexpr option table[] = {
    {"gateway.sip_domains", value_type::list, change::live, "", R"(["sip.example"])", 0, 0, "at least one",
     "Domains whose users live on SIP; XMPP sees alice@sip.example.",
     [](all& s, const value& v) { return add_domain(s.gateway.sip_domains, v.text); },
     [](const all& s) { return s.gateway.sip_domains; }, [](all& s) { s.gateway.sip_domains.clear(); }},
    {"gateway.xmpp_domains", value_type::list, change::live, "", "", 0, 0, "",
     "The only XMPP domains that can be reached from SIP; empty: any.",
     [](all& s, const value& v) { return add_domain(s.gateway.xmpp_domains, v.text); },
     [](const all& s) { return s.gateway.xmpp_domains; }, [](all& s) { s.gateway.xmpp_domains.clear(); }},
    {"gateway.drain", value_type::duration, change::live, "10s", "", 0, 600'000, "",
     "How long open messages may take to end at SIGTERM, and on a component link that a reload takes away; "
     "then they fail to their senders.",
     [](all& s, const value& v) {
       s.gateway.drain = std::chrono::milliseconds(v.number);
       return std::string();
     },
     [](const all& s) { return texts{write_duration(to_ms(s.gateway.drain))}; }, nullptr},
    {"gateway.domain.sip", value_type::text, change::live, "", R"("example.com")", 0, 0, "required",
     "The domain's name on the SIP side.",
     [](all& s, const value& v) { return set_domain(s.gateway.domains.back().sip, v.text); }, nullptr,
     nullptr},
    {"gateway.domain.xmpp", value_type::text, change::live, "", R"("sip.example.com")", 0, 0, "required",
     "The domain's name on the XMPP side.",
     [](all& s, const value& v) { return set_domain(s.gateway.domains.back().xmpp, v.text); }, nullptr,
     nullptr},
};

}  // namespace

std::span<const option> gateway_options() { return table; }

}  // namespace stox::config
