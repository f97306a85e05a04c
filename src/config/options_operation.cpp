#include "base/text.hpp"
#include "config/option_tables.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

using settings::all;
using texts = std::vector<std::string>;

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

std::string set_trust_anchor(all& s, const value& v) {
  if (!v.text.empty() && v.text.front() != '/')
    return quote(v.text) + " does not begin with \"/\"; write a whole path like \"/usr/share/dns/root.key\"";
  s.dns.trust_anchor = v.text;
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

std::string set_ready(all& s, const value& v) {
  if (v.text != "any" && v.text != "all") return quote(v.text) + " is unknown; use \"any\" or \"all\"";
  s.admin.ready = v.text == "any" ? settings::ready_when::any : settings::ready_when::all;
  return {};
}

std::string set_level(all& s, const value& v) {
  const auto level = parse_level(v.text);
  if (!level) return quote(v.text) + " is unknown; use \"debug\", \"info\", \"warning\" or \"error\"";
  s.log.level = *level;
  return {};
}

constexpr option table[] = {
    {"dns.servers", value_type::list, change::live, "", "", 0, 0, "ADDRESS or ADDRESS:PORT",
     "DNS resolvers to ask for SIP; empty: those of the system (/etc/resolv.conf, read again when it "
     "changes). Names in xmpp.component.server are found by the system's resolver in all cases.",
     add_dns_server,
     [](const all& s) {
       texts out;
       for (const auto& a : s.dns.servers) out.push_back(a.to_string());
       return out;
     },
     [](all& s) { s.dns.servers.clear(); }},
    {"dns.trust_anchor", value_type::text, change::live, "", "", 0, 0, "",
     "File with the keys of the DNS root (DS or DNSKEY records), with which answers are validated by DNSSEC; "
     "empty: none are, and TLSA records count for nothing. The resolvers that are asked must hand signatures "
     "on; what they say about private names that the root denies is then refused.",
     set_trust_anchor, [](const all& s) { return texts{s.dns.trust_anchor}; }, nullptr},
    {"store.path", value_type::text, change::restart, ":memory:", R"("/var/lib/stox/stox.db")", 0, 0, "",
     "The database file; \":memory:\" keeps nothing over a restart.",
     [](all& s, const value& v) {
       if (v.text.empty()) return std::string("is empty; write a path or \":memory:\"");
       s.store.path = v.text;
       return std::string();
     },
     [](const all& s) { return texts{s.store.path}; }, nullptr},
    {"admin.listen", value_type::text, change::restart, "", R"("127.0.0.1:9464")", 0, 0, "ADDRESS:PORT",
     "HTTP for /metrics, /status, /healthz, /readyz and /.well-known/host-meta.json; empty: none.",
     set_admin_listen, [](const all& s) { return texts{s.admin.listen}; }, nullptr},
    {"admin.control", value_type::text, change::restart, "", R"("/run/stox/ctl")", 0, 0, "at most 107 bytes",
     "Path of the socket that stoxctl talks to; empty: none.", set_control,
     [](const all& s) { return texts{s.admin.control}; }, nullptr},
    {"admin.ready", value_type::text, change::live, "any", "", 0, 0, "\"any\" or \"all\"",
     "Which component links must be up for /readyz to answer 200.", set_ready,
     [](const all& s) { return texts{s.admin.ready == settings::ready_when::any ? "any" : "all"}; }, nullptr},
    {"limits.memory", value_type::size, change::live, "512MiB", "", 16LL << 20, 1LL << 40, "",
     "Memory for queues and tables; above it new work is refused, accepted work is kept.",
     [](all& s, const value& v) {
       s.limits.memory = static_cast<std::uint64_t>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{write_size(static_cast<std::int64_t>(s.limits.memory))}; }, nullptr},
    // RFC 6120 §13.12: a limit on stanzas must not be below 10000 bytes.
    {"limits.stanza_bytes", value_type::size, change::restart, "4MiB", "", 10'000, 16LL << 20, "",
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
    {"limits.rate_per_sender", value_type::integer, change::live, "600", "", 0, 10'000'000, "",
     "Messages a minute from one user, XMPP or SIP, to all whom he writes to; 0: no limit. No human "
     "writes ten a second.",
     [](all& s, const value& v) {
       s.limits.rate_per_sender = static_cast<unsigned>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{std::to_string(s.limits.rate_per_sender)}; }, nullptr},
    {"limits.rate_per_pair", value_type::integer, change::live, "300", "", 0, 10'000'000, "",
     "Messages a minute from one user to one contact; 0: no limit.",
     [](all& s, const value& v) {
       s.limits.rate_per_pair = static_cast<unsigned>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{std::to_string(s.limits.rate_per_pair)}; }, nullptr},
    {"limits.rate_per_domain", value_type::integer, change::live, "0", "", 0, 10'000'000, "",
     "Messages a minute from all users of one domain to one served domain, and from all users of one served "
     "domain; 0: no limit, since only the operator knows how large a domain is.",
     [](all& s, const value& v) {
       s.limits.rate_per_domain = static_cast<unsigned>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{std::to_string(s.limits.rate_per_domain)}; }, nullptr},
    {"limits.rate_burst", value_type::duration, change::live, "1min", "", 1'000, 3'600'000, "",
     "How long a silence is saved up: who was quiet that long may send at once what the rates allow in it.",
     [](all& s, const value& v) {
       s.limits.rate_burst = std::chrono::milliseconds(v.number);
       return std::string();
     },
     [](const all& s) { return texts{write_duration(to_ms(s.limits.rate_burst))}; }, nullptr},
    {"log.level", value_type::text, change::live, "info", "", 0, 0,
     R"("debug", "info", "warning" or "error")", "The least severe lines that are logged.", set_level,
     [](const all& s) { return texts{std::string(write_level(s.log.level))}; }, nullptr},
};

}  // namespace

std::span<const option> operation_options() { return table; }

}  // namespace stox::config
