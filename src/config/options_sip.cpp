#include <algorithm>
#include <chrono>

#include "base/text.hpp"
#include "config/option_tables.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

using settings::all;
using texts = std::vector<std::string>;
using std::chrono::milliseconds;

std::string add_listener(all& s, const value& v) {
  settings::listener l;
  if (auto why = parse_listener(v.text, l); !why.empty()) return why;
  // Port 0 lets the kernel choose, so two of them are two listeners.
  const auto& known = s.sip.listen;
  if (l.at.port != 0 && std::find(known.begin(), known.end(), l) != known.end()) {
    return quote(v.text) + " stands twice; remove one";
  }
  s.sip.listen.push_back(l);
  return {};
}

std::string add_advertised(all& s, const value& v) {
  settings::advertised a;
  if (auto why = parse_advertised(v.text, a); !why.empty()) return why;
  s.sip.advertise.push_back(std::move(a));
  return {};
}

std::string set_code(all& s, const value& v) {
  if (v.number != 200 && v.number != 202) return std::to_string(v.number) + " is unknown; use 200 or 202";
  s.sip.accepted_code = static_cast<std::uint16_t>(v.number);
  return {};
}

// The reason stands in the error, because the upper bound surprises who knows only "0 to 400 ms".
constexpr std::string_view accept_wait_bounds =
    "0ms to 250ms, never above half of SIP's T1 of 500ms: the answer must come before the peer sends again";

std::string set_word(std::string& to, const value& v) {
  if (v.text.empty()) return "is empty; write what the SIP server has";
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (!text::is_utf8(v.text) || std::any_of(v.text.begin(), v.text.end(), control))
    return "holds a control character or is not UTF-8; write it as the SIP server has it";
  to = v.text;
  return {};
}

constexpr option table[] = {
    {"sip.listen", value_type::list, change::restart, "", R"(["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"])",
     0, 0, "at least one",
     "Where SIP is received: \"udp:HOST:PORT\", \"tcp:HOST:PORT\" or \"tls:HOST:PORT\", HOST an IP "
     "address, IPv6 in brackets.",
     add_listener,
     [](const all& s) {
       texts out;
       for (const auto& l : s.sip.listen) out.push_back(write_listener(l));
       return out;
     },
     [](all& s) { s.sip.listen.clear(); }},
    {"sip.advertise", value_type::text_or_list, change::live, "", "", 0, 0,
     "host, or \"udp:HOST:PORT\" and the like for one transport",
     "Host in Via, the first one that fits; the own certificate and the loop check go by it. An address "
     "stands for its family only, a port for a port that is mapped. Empty: the address of the listener.",
     add_advertised,
     [](const all& s) {
       texts out;
       for (const auto& a : s.sip.advertise) out.push_back(write_advertised(a));
       return out;
     },
     [](all& s) { s.sip.advertise.clear(); }},
    {"sip.outbound_proxy", value_type::text_or_list, change::live, "", R"("sip:127.0.0.1:5080;lr")", 0, 0,
     "host name or IP address",
     "Where SIP requests are sent, tried in order; \";transport=tcp\" and \";transport=tls\" "
     "select TCP and TLS, \";lr\" adds a Route header only where the proxy is the only one. A name without a "
     "port is found by NAPTR and SRV records. Empty: each domain's own servers are "
     "found so (RFC 3263).",
     [](all& s, const value& v) { return add_route(s.sip.outbound_proxy, v.text); },
     [](const all& s) {
       texts out;
       for (const auto& r : s.sip.outbound_proxy) out.push_back(r.uri);
       return out;
     },
     [](all& s) { s.sip.outbound_proxy.clear(); }},
    {"sip.trusted_peers", value_type::list, change::live, "", R"(["127.0.0.0/8"])", 0, 0,
     "addresses or prefixes", "SIP peers whose word about the sender's identity is believed; others get 403.",
     [](all& s, const value& v) { return add_peer(s.sip.trusted_peers, v.text); },
     [](const all& s) {
       texts out;
       for (const auto& p : s.sip.trusted_peers) out.push_back(p.to_string());
       return out;
     },
     [](all& s) { s.sip.trusted_peers.clear(); }},
    {"sip.trusted_domains", value_type::list, change::live, "", "", 0, 0, "",
     "SIP domains whose proxies are trusted like trusted_peers where they prove the domain by a certificate, "
     "over TLS (RFC 5922).",
     [](all& s, const value& v) { return add_domain(s.sip.trusted_domains, v.text); },
     [](const all& s) { return s.sip.trusted_domains; }, [](all& s) { s.sip.trusted_domains.clear(); }},
    {"sip.accept_wait", value_type::duration, change::live, "150ms", "", 0, 250, accept_wait_bounds,
     "How long a MESSAGE that was handed to XMPP waits for an error stanza before its 2xx.",
     [](all& s, const value& v) {
       s.sip.accept_wait = milliseconds(v.number);
       return std::string();
     },
     [](const all& s) { return texts{write_duration(to_ms(s.sip.accept_wait))}; }, nullptr},
    {"sip.accepted_code", value_type::integer, change::live, "200", "", 0, INT64_MAX, "200 or 202",
     "The answer to a MESSAGE that was handed over to XMPP.", set_code,
     [](const all& s) { return texts{std::to_string(s.sip.accepted_code)}; }, nullptr},
    {"sip.hold", value_type::duration, change::live, "2s", "", 0, 16'000, "",
     "How long a MESSAGE waits for a link that is down before it gets 480.",
     [](all& s, const value& v) {
       s.sip.hold = milliseconds(v.number);
       return std::string();
     },
     [](const all& s) { return texts{write_duration(to_ms(s.sip.hold))}; }, nullptr},
    {"sip.global_failure", value_type::boolean, change::live, "false", "", 0, 0, "",
     "Whether 6xx is used where the mapping names it; otherwise its 4xx twin, so that other devices of a "
     "fork still ring.",
     [](all& s, const value& v) {
       s.sip.global_failure = v.flag;
       return std::string();
     },
     [](const all& s) { return texts{s.sip.global_failure ? "true" : "false"}; }, nullptr},
    {"sip.max_message_bytes", value_type::integer, change::live, "1300", "", 1300, 65'535, "",
     "The longest MESSAGE that is sent, with its header. More than 1300 is the operator's word that such a "
     "one crosses "
     "TCP and TLS alone, from here to the user's device (RFC 3428), and that no server on the way takes "
     "less; it "
     "goes over TCP even to a server that is named for UDP.",
     [](all& s, const value& v) {
       s.sip.max_message_bytes = static_cast<unsigned>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{std::to_string(s.sip.max_message_bytes)}; }, nullptr},
    {"sip.untrusted_answers", value_type::integer, change::live, "10", "", 0, 10'000, "",
     "Answers per second to each network (/24 or /56) that is not trusted, over UDP; then silence.",
     [](all& s, const value& v) {
       s.sip.untrusted_answers = static_cast<unsigned>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{std::to_string(s.sip.untrusted_answers)}; }, nullptr},
    {"sip.max_connections", value_type::integer, change::live, "1024", "", 1, 1'000'000, "",
     "TCP and TLS connections at the same time; peers that are not trusted get a quarter. Further ones are "
     "closed. Each over TLS takes 48 KiB of limits.memory, 10,000 of them 470 MiB.",
     [](all& s, const value& v) {
       s.sip.max_connections = static_cast<unsigned>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{std::to_string(s.sip.max_connections)}; }, nullptr},
    {"sip.queue_per_pair", value_type::integer, change::live, "100", "", 0, 100'000, "",
     "Messages that may wait behind the pending MESSAGE of the same sender and recipient.",
     [](all& s, const value& v) {
       s.sip.queue_per_pair = static_cast<unsigned>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{std::to_string(s.sip.queue_per_pair)}; }, nullptr},
    {"sip.queue_total", value_type::integer, change::live, "50000", "", 0, 10'000'000, "",
     "Messages that may wait behind pending ones in all.",
     [](all& s, const value& v) {
       s.sip.queue_total = static_cast<unsigned>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{std::to_string(s.sip.queue_total)}; }, nullptr},
    {"sip.credential.realm", value_type::text, change::live, "", R"("sip.example")", 0, 0, "required",
     "The realm of the challenge, exactly as the server writes it.",
     [](all& s, const value& v) { return set_word(s.credentials.back().realm, v); }, nullptr, nullptr},
    {"sip.credential.user", value_type::text, change::live, "", R"("stox")", 0, 0, "required",
     "The user name that the server knows the gateway by.",
     [](all& s, const value& v) { return set_word(s.credentials.back().user, v); }, nullptr, nullptr},
    {"sip.credential.password", value_type::secret, change::live, "", R"("its-password")", 0, 0,
     "this or password_file", "Its password.",
     [](all& s, const value& v) {
       if (v.text.empty()) return std::string("is empty; write the password that the SIP server has");
       s.credentials.back().password = redacted(v.text);
       return std::string();
     },
     nullptr, nullptr},
    {"sip.credential.password_file", value_type::text, change::live, "", "", 0, 0, "this or password",
     "A file that holds the password; a relative path is relative to the configuration file.",
     [](all& s, const value& v) {
       if (v.text.empty()) return std::string("is empty; write the file's path");
       s.credentials.back().password_file = v.text;
       return std::string();
     },
     nullptr, nullptr},
    {"sip.credential.domains", value_type::list, change::live, "", R"(["sip.example"])", 0, 0,
     "served domains",
     "The domains for whose requests it counts, by their SIP names, before one of that realm without this "
     "key; without it: all.",
     [](all& s, const value& v) { return add_domain(*s.credentials.back().domains, v.text); }, nullptr,
     [](all& s) { s.credentials.back().domains.emplace(); }},
};

}  // namespace

std::span<const option> sip_options() { return table; }

}  // namespace stox::config
