#include <algorithm>
#include <chrono>
#include <iterator>
#include <string_view>

#include "base/net_address.hpp"
#include "base/text.hpp"
#include "config/option_tables.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

using settings::all;
using texts = std::vector<std::string>;

/// Whether it may be shown to anybody as a URI (RFC 3986 §2), of a scheme that people can follow.
bool is_contact(std::string_view text) {
  constexpr std::string_view schemes[] = {"mailto:", "xmpp:", "https:", "http:", "sip:", "tel:"};
  const auto known = [&](std::string_view scheme) {
    return text::istarts_with(text, scheme) && text.size() > scheme.size();
  };
  const auto allowed = [](char c) {
    return text::is_alnum(c) || std::string_view("-._~:/?#[]@!$&'()*+,;=%").find(c) != std::string_view::npos;
  };
  return text.size() <= 256 && std::any_of(std::begin(schemes), std::end(schemes), known) &&
         std::all_of(text.begin(), text.end(), allowed);
}

std::string add_contact(texts& to, const std::string& text) {
  if (!is_contact(text)) return quote(text) + " is no address; write it like \"mailto:admin@example.com\"";
  if (std::find(to.begin(), to.end(), text) != to.end()) return quote(text) + " stands twice; remove one";
  to.push_back(text);
  return {};
}

/// Syntax only; the engine knows what JIDs and URIs are.
std::string add_block(texts& to, const std::string& text) {
  constexpr std::size_t most = 10'000;
  constexpr std::string_view hint =
      "; write it like \"198.51.100.0/24\", \"eve@xmpp.example\", \"xmpp.example\", "
      "\"sip:eve@sip.example\" or \"sip:sip.example\"";
  auto name = std::string_view(text);
  if (!ip_prefix::parse(name)) {
    if (name.starts_with("sip:")) name.remove_prefix(4);
    const auto at = name.rfind('@');
    const auto user = at == std::string_view::npos ? std::string_view("user") : name.substr(0, at);
    const bool plain = user.find_first_of("@ \t\"<>") == std::string_view::npos;
    if (user.empty() || !plain || !parse_domain(at == std::string_view::npos ? name : name.substr(at + 1)))
      return quote(text) + " is no address, network, user or domain" + std::string(hint);
  }
  if (std::find(to.begin(), to.end(), text) != to.end()) return quote(text) + " stands twice; remove one";
  if (to.size() >= most) return "has more than 10000 entries; block networks and domains instead";
  to.push_back(text);
  return {};
}

constexpr option table[] = {
    {"gateway.sip_domains", value_type::list, change::live, "", R"(["sip.example"])", 0, 0, "at least one",
     "Domains whose users live on SIP; XMPP sees alice@sip.example.",
     [](all& s, const value& v) { return add_domain(s.gateway.sip_domains, v.text); },
     [](const all& s) { return s.gateway.sip_domains; }, [](all& s) { s.gateway.sip_domains.clear(); }},
    {"gateway.xmpp_domains", value_type::list, change::live, "", "", 0, 0, "",
     "The only XMPP domains that can be reached from SIP; empty: any.",
     [](all& s, const value& v) { return add_domain(s.gateway.xmpp_domains, v.text); },
     [](const all& s) { return s.gateway.xmpp_domains; }, [](all& s) { s.gateway.xmpp_domains.clear(); }},
    {"gateway.contact", value_type::list, change::restart, "", "", 0, 0,
     "URIs of mailto:, xmpp:, https:, http:, sip: or tel:",
     "Addresses of those who run the gateway, for questions and complaints; disco shows them (XEP-0157).",
     [](all& s, const value& v) { return add_contact(s.gateway.contact, v.text); },
     [](const all& s) { return s.gateway.contact; }, [](all& s) { s.gateway.contact.clear(); }},
    {"gateway.block", value_type::list, change::live, "", "", 0, 0,
     "addresses, networks, bare JIDs, XMPP domains, sip:user@domain, sip:domain",
     "Whom nobody wants to hear: SIP sources, XMPP senders and SIP senders; beside what stoxctl block says.",
     [](all& s, const value& v) { return add_block(s.gateway.block, v.text); },
     [](const all& s) { return s.gateway.block; }, [](all& s) { s.gateway.block.clear(); }},
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
    {"gateway.domain.xmpp", value_type::text, change::live, "", R"("sip.example.com")", 0, 0, "",
     "The domain's name on the XMPP side; without it the same as on the SIP side.",
     [](all& s, const value& v) { return set_domain(s.gateway.domains.back().xmpp, v.text); }, nullptr,
     nullptr},
    {"gateway.domain.outbound_proxy", value_type::text_or_list, change::live, "", R"("sip:192.0.2.1;lr")", 0,
     0, "host name or IP address",
     "As sip.outbound_proxy, for requests to this domain; an empty list: the domain's own servers.",
     [](all& s, const value& v) { return add_route(*s.gateway.domains.back().outbound_proxy, v.text); },
     nullptr, [](all& s) { s.gateway.domains.back().outbound_proxy.emplace(); }},
    {"gateway.domain.trusted_peers", value_type::list, change::live, "", R"(["192.0.2.1"])", 0, 0,
     "addresses or prefixes",
     "The SIP peers that alone are believed about senders of this domain, beside its trusted_domains, "
     "instead "
     "of sip.trusted_peers and sip.trusted_domains; being here lets them speak for no other domain.",
     [](all& s, const value& v) { return add_peer(*s.gateway.domains.back().trusted_peers, v.text); },
     nullptr, [](all& s) { s.gateway.domains.back().trusted_peers.emplace(); }},
    {"gateway.domain.trusted_domains", value_type::list, change::live, "", R"(["sip.example.com"])", 0, 0, "",
     "The same for who proves one of these SIP domains by a certificate, over TLS.",
     [](all& s, const value& v) { return add_domain(*s.gateway.domains.back().trusted_domains, v.text); },
     nullptr, [](all& s) { s.gateway.domains.back().trusted_domains.emplace(); }},
    {"gateway.domain.message_type", value_type::text, change::live, "", R"("chat")", 0, 0,
     "\"chat\" or \"normal\"", "As chat.message_type, for messages from this domain.",
     [](all& s, const value& v) {
       return set_message_type(s.gateway.domains.back().message_type.emplace(), v.text);
     },
     nullptr, nullptr},
    {"gateway.domain.max_message_bytes", value_type::integer, change::live, "", "16384", 1300, 65'535, "",
     "As sip.max_message_bytes, for messages to this domain.",
     [](all& s, const value& v) {
       s.gateway.domains.back().max_message_bytes = static_cast<unsigned>(v.number);
       return std::string();
     },
     nullptr, nullptr},
    {"gateway.domain.late_notices", value_type::boolean, change::live, "", "false", 0, 0, "",
     "As chat.late_notices, for senders of this domain.",
     [](all& s, const value& v) {
       s.gateway.domains.back().late_notices = v.flag;
       return std::string();
     },
     nullptr, nullptr},
    {"gateway.domain.first_form", value_type::text, change::live, "", R"("plain")", 0, 0,
     "\"plain\" or \"cpim\"",
     "The form of a message whose sender asks for receipts, towards clients of this domain of which nothing "
     "is known: text/plain (the default), or message/cpim with IMDN, which costs one more round where it is "
     "refused.",
     [](all& s, const value& v) {
       return set_first_form(s.gateway.domains.back().first_form.emplace(), v.text);
     },
     nullptr, nullptr},
    {"gateway.domain.messages_per_sender", value_type::integer, change::live, "", "200", 1, 1'000'000, "",
     "As limits.messages_per_sender, for messages to this domain.",
     [](all& s, const value& v) {
       s.gateway.domains.back().messages_per_sender = static_cast<unsigned>(v.number);
       return std::string();
     },
     nullptr, nullptr},
    {"gateway.domain.queue_per_pair", value_type::integer, change::live, "", "100", 0, 100'000, "",
     "As sip.queue_per_pair, for messages to this domain.",
     [](all& s, const value& v) {
       s.gateway.domains.back().queue_per_pair = static_cast<unsigned>(v.number);
       return std::string();
     },
     nullptr, nullptr},
    {"gateway.domain.rate_per_domain", value_type::integer, change::live, "", "6000", 0, 10'000'000, "",
     "As limits.rate_per_domain, for messages to and from this domain.",
     [](all& s, const value& v) {
       s.gateway.domains.back().rate_per_domain = static_cast<unsigned>(v.number);
       return std::string();
     },
     nullptr, nullptr},
};

}  // namespace

std::span<const option> gateway_options() { return table; }

}  // namespace stox::config
