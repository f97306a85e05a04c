#include "config/options.hpp"

#include <algorithm>
#include <chrono>

#include "base/text.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using texts = std::vector<std::string>;
using settings::all;

std::int64_t to_ms(duration d) { return duration_cast<milliseconds>(d).count(); }

std::string add_domain(std::vector<std::string>& to, const std::string& text) {
  auto name = parse_domain(text);
  if (!name) return quote(text) + " is not a domain name; write it like \"sip.example\"";
  if (std::find(to.begin(), to.end(), *name) != to.end()) return quote(text) + " stands twice; remove one";
  to.push_back(std::move(*name));
  return {};
}

std::string set_domain(std::string& to, const std::string& text) {
  auto name = parse_domain(text);
  if (!name) return quote(text) + " is not a domain name; write it like \"sip.example\"";
  to = std::move(*name);
  return {};
}

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

std::string add_route(all& s, const value& v) {
  settings::sip_route r;
  if (auto why = parse_route(v.text, r); !why.empty()) return why;
  s.sip.outbound_proxy.push_back(std::move(r));
  return {};
}

std::string add_dns_server(all& s, const value& v) {
  const auto bare = ip_address::parse(v.text);
  const auto where =
      bare ? socket_address{*bare, 53} : socket_address::parse(v.text).value_or(socket_address{});
  if (where.port == 0) {
    return quote(v.text) +
           " is not an IP address with or without port; write it like \"192.0.2.53\" or "
           "\"[2001:db8::53]:5353\"";
  }
  s.dns.servers.push_back(where);
  return {};
}

std::string add_peer(all& s, const value& v) {
  const auto p = ip_prefix::parse(v.text);
  if (!p)
    return quote(v.text) +
           " is not an IP address or prefix; write it like \"192.0.2.0/24\" or \"2001:db8::/32\"";
  s.sip.trusted_peers.push_back(*p);
  return {};
}

std::string set_advertise(all& s, const value& v) {
  if (v.text.empty()) {
    s.sip.advertise.clear();
    return {};
  }
  if (const auto ip = ip_address::parse(v.text)) {
    s.sip.advertise = ip->to_uri_host();
    return {};
  }
  if (auto why = set_domain(s.sip.advertise, v.text); why.empty()) return {};
  return quote(v.text) +
         " is not a host; write a name or an address without port (the port is the listener's)";
}

std::string set_server(all& s, const value& v) {
  const auto where = parse_host_port(v.text, std::uint16_t{5347});
  if (!where || where->port == 0)
    return quote(v.text) + " is not HOST:PORT; write it like \"127.0.0.1:5347\"";
  s.components.back().host = where->host;
  s.components.back().port = where->port;
  return {};
}

std::string set_message_type(all& s, const value& v) {
  if (v.text != "chat" && v.text != "normal")
    return quote(v.text) + " is unknown; use \"chat\" or \"normal\"";
  s.chat.message_type = v.text == "chat" ? settings::message_type::chat : settings::message_type::normal;
  return {};
}

std::string set_admin_listen(all& s, const value& v) {
  if (!v.text.empty() && !socket_address::parse(v.text)) {
    return quote(v.text) + " is not ADDRESS:PORT; write it like \"127.0.0.1:9464\", or \"\" for none";
  }
  s.admin.listen = v.text;
  return {};
}

std::string set_control(all& s, const value& v) {
  // sockaddr_un::sun_path holds 108 bytes with its end.
  if (v.text.size() > 107)
    return "is longer than 107 bytes, the limit of a socket's path; choose a shorter one";
  s.admin.control = v.text;
  return {};
}

std::string set_level(all& s, const value& v) {
  const auto level = parse_level(v.text);
  if (!level) return quote(v.text) + " is unknown; use \"debug\", \"info\", \"warning\" or \"error\"";
  s.log.level = *level;
  return {};
}

std::string set_secret(all& s, const value& v) {
  if (v.text.empty()) return "is empty; write the secret that the XMPP server has for this component";
  s.components.back().secret = redacted(v.text);
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

constexpr option table[] = {
    {"gateway.sip_domains", value_type::list, change::live, "", R"(["sip.example"])", 0, 0, "at least one",
     "Domains whose users live on SIP; XMPP sees alice@sip.example.",
     [](all& s, const value& v) { return add_domain(s.gateway.sip_domains, v.text); },
     [](const all& s) { return s.gateway.sip_domains; }, [](all& s) { s.gateway.sip_domains.clear(); }},
    {"gateway.xmpp_domains", value_type::list, change::live, "", "", 0, 0, "",
     "The only XMPP domains that can be reached from SIP; empty: any.",
     [](all& s, const value& v) { return add_domain(s.gateway.xmpp_domains, v.text); },
     [](const all& s) { return s.gateway.xmpp_domains; }, [](all& s) { s.gateway.xmpp_domains.clear(); }},
    {"gateway.domain.sip", value_type::text, change::live, "", R"("example.com")", 0, 0, "required",
     "The domain's name on the SIP side.",
     [](all& s, const value& v) { return set_domain(s.gateway.domains.back().sip, v.text); }, nullptr,
     nullptr},
    {"gateway.domain.xmpp", value_type::text, change::live, "", R"("sip.example.com")", 0, 0, "required",
     "The domain's name on the XMPP side.",
     [](all& s, const value& v) { return set_domain(s.gateway.domains.back().xmpp, v.text); }, nullptr,
     nullptr},

    {"sip.listen", value_type::list, change::restart, "", R"(["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"])",
     0, 0, "at least one",
     "Where SIP is received: \"udp:HOST:PORT\" or \"tcp:HOST:PORT\", HOST an IP address, IPv6 in brackets.",
     add_listener,
     [](const all& s) {
       texts out;
       for (const auto& l : s.sip.listen) out.push_back(write_listener(l));
       return out;
     },
     [](all& s) { s.sip.listen.clear(); }},
    {"sip.advertise", value_type::text, change::live, "", "", 0, 0, "host without port",
     "Host in Via, Contact and Record-Route; empty: the address of the listener.", set_advertise,
     [](const all& s) { return texts{s.sip.advertise}; }, nullptr},
    {"sip.outbound_proxy", value_type::text_or_list, change::live, "", R"("sip:127.0.0.1:5080;lr")", 0, 0,
     "host name or IP address",
     "Where SIP requests are sent, tried in order; \";transport=tcp\" selects TCP, \";lr\" adds a Route "
     "header. A name without a port is found by NAPTR and SRV records. Empty: each domain's own servers are "
     "found so (RFC 3263).",
     add_route,
     [](const all& s) {
       texts out;
       for (const auto& r : s.sip.outbound_proxy) out.push_back(r.uri);
       return out;
     },
     [](all& s) { s.sip.outbound_proxy.clear(); }},
    {"sip.trusted_peers", value_type::list, change::live, "", R"(["127.0.0.0/8"])", 0, 0,
     "addresses or prefixes", "SIP peers whose word about the sender's identity is believed; others get 403.",
     add_peer,
     [](const all& s) {
       texts out;
       for (const auto& p : s.sip.trusted_peers) out.push_back(p.to_string());
       return out;
     },
     [](all& s) { s.sip.trusted_peers.clear(); }},
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
    {"sip.untrusted_answers", value_type::integer, change::live, "10", "", 0, 10'000, "",
     "Answers per second to each network (/24 or /56) that is not trusted, over UDP; then silence.",
     [](all& s, const value& v) {
       s.sip.untrusted_answers = static_cast<unsigned>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{std::to_string(s.sip.untrusted_answers)}; }, nullptr},
    {"sip.max_connections", value_type::integer, change::live, "1024", "", 1, 1'000'000, "",
     "TCP connections at the same time; peers that are not trusted get a quarter. Further ones are closed.",
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

    {"xmpp.component.domain", value_type::text, change::restart, "", R"("sip.example")", 0, 0, "required",
     "The domain that this component serves: the XMPP name of a domain in gateway.sip_domains.",
     [](all& s, const value& v) { return set_domain(s.components.back().domain, v.text); }, nullptr, nullptr},
    {"xmpp.component.server", value_type::text, change::restart, "", R"("127.0.0.1:5347")", 0, 0, "required",
     "The XMPP server's component port (XEP-0114), HOST:PORT.", set_server, nullptr, nullptr},
    {"xmpp.component.secret", value_type::secret, change::restart, "", R"("change-me")", 0, 0,
     "this or secret_file", "The secret that the XMPP server has for this component.", set_secret, nullptr,
     nullptr},
    {"xmpp.component.secret_file", value_type::text, change::restart, "", "", 0, 0, "this or secret",
     "A file that holds the secret; a relative path is relative to the configuration file.",
     [](all& s, const value& v) {
       if (v.text.empty()) return std::string("is empty; write the file's path");
       s.components.back().secret_file = v.text;
       return std::string();
     },
     nullptr, nullptr},

    {"chat.message_type", value_type::text, change::live, "chat", "", 0, 0, "\"chat\" or \"normal\"",
     "Type of the stanzas made from MESSAGE: \"chat\" is what clients show as a conversation, \"normal\" is "
     "RFC 7572 to the letter.",
     set_message_type,
     [](const all& s) {
       return texts{s.chat.message_type == settings::message_type::chat ? "chat" : "normal"};
     },
     nullptr},

    {"dns.servers", value_type::list, change::restart, "", "", 0, 0, "ADDRESS or ADDRESS:PORT",
     "DNS resolvers to ask; empty: those of the system (/etc/resolv.conf).", add_dns_server,
     [](const all& s) {
       texts out;
       for (const auto& a : s.dns.servers) out.push_back(a.to_string());
       return out;
     },
     [](all& s) { s.dns.servers.clear(); }},
    {"store.path", value_type::text, change::restart, ":memory:", R"("/var/lib/stox/stox.db")", 0, 0, "",
     "The database file; \":memory:\" keeps nothing over a restart.",
     [](all& s, const value& v) {
       if (v.text.empty()) return std::string("is empty; write a path or \":memory:\"");
       s.store.path = v.text;
       return std::string();
     },
     [](const all& s) { return texts{s.store.path}; }, nullptr},

    {"admin.listen", value_type::text, change::restart, "", R"("127.0.0.1:9464")", 0, 0, "ADDRESS:PORT",
     "HTTP for /metrics, /healthz and /readyz; empty: none.", set_admin_listen,
     [](const all& s) { return texts{s.admin.listen}; }, nullptr},
    {"admin.control", value_type::text, change::restart, "", R"("/run/stox/ctl")", 0, 0, "at most 107 bytes",
     "Path of the socket that stoxctl talks to; empty: none.", set_control,
     [](const all& s) { return texts{s.admin.control}; }, nullptr},

    {"limits.memory", value_type::size, change::live, "512MiB", "", 16LL << 20, 1LL << 40, "",
     "Memory for queues and tables; above it new work is refused, accepted work is kept.",
     [](all& s, const value& v) {
       s.limits.memory = static_cast<std::uint64_t>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{write_size(static_cast<std::int64_t>(s.limits.memory))}; }, nullptr},
    // RFC 6120 §13.12: a limit on stanzas must not be below 10000 bytes.
    {"limits.stanza_bytes", value_type::size, change::restart, "256KiB", "", 10'000, 16LL << 20, "",
     "The largest stanza that is read; a larger one ends the link.",
     [](all& s, const value& v) {
       s.limits.stanza_bytes = static_cast<std::uint64_t>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{write_size(static_cast<std::int64_t>(s.limits.stanza_bytes))}; },
     nullptr},
    {"limits.messages_per_sender", value_type::integer, change::live, "200", "", 1, 10'000'000, "",
     "Messages of one XMPP user that may be open or waiting at the same time; more are refused to him.",
     [](all& s, const value& v) {
       s.limits.messages_per_sender = static_cast<unsigned>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{std::to_string(s.limits.messages_per_sender)}; }, nullptr},

    {"log.level", value_type::text, change::live, "info", "", 0, 0,
     R"("debug", "info", "warning" or "error")", "The least severe lines that are logged.", set_level,
     [](const all& s) { return texts{std::string(write_level(s.log.level))}; }, nullptr},
};

constexpr table_array arrays[] = {
    {"gateway.domain", change::live,
     "A domain whose names on the two sides differ; without one, both sides use the same name.", false,
     [](all& s) { s.gateway.domains.emplace_back(); },
     [](const all& a, const all& b) { return a.gateway.domains == b.gateway.domains; },
     [](all& to, const all& from) { to.gateway.domains = from.gateway.domains; }},
    {"xmpp.component", change::restart,
     "A link to an XMPP server that lets the gateway serve one domain (XEP-0114).", true,
     [](all& s) { s.components.emplace_back(); },
     [](const all& a, const all& b) { return a.components == b.components; },
     [](all& to, const all& from) { to.components = from.components; }},
};

}  // namespace

std::span<const option> options() { return table; }
std::span<const table_array> table_arrays() { return arrays; }

const option* find_option(std::string_view key) {
  const auto found =
      std::find_if(std::begin(table), std::end(table), [&](const option& o) { return o.key == key; });
  return found == std::end(table) ? nullptr : found;
}

const table_array* find_table_array(std::string_view key) {
  const auto found =
      std::find_if(std::begin(arrays), std::end(arrays), [&](const table_array& t) { return t.key == key; });
  return found == std::end(arrays) ? nullptr : found;
}

const table_array* array_of(std::string_view option_key) { return find_table_array(section_of(option_key)); }

}  // namespace stox::config
