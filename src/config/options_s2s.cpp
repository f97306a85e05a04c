// [xmpp.s2s] and [[xmpp.s2s.peer]]: the gateway as an XMPP server of its own.
#include <algorithm>
#include <chrono>

#include "config/option_tables.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

using settings::all;
using texts = std::vector<std::string>;
using std::chrono::milliseconds;

std::string add_listener(std::vector<settings::listener>& to, transport via, const std::string& text) {
  settings::listener l{via, {}};
  if (auto why = parse_stream_listener(text, l.at); !why.empty()) return why;
  // Port 0 lets the kernel choose, so two of them are two listeners.
  if (l.at.port != 0 && std::find(to.begin(), to.end(), l) != to.end())
    return quote(text) + " stands twice; remove one";
  to.push_back(l);
  return {};
}

texts shown(const std::vector<settings::listener>& list) {
  texts out;
  for (const auto& l : list) out.push_back(write_stream_listener(l.at));
  return out;
}

std::string set_tls(settings::tls_policy& to, const std::string& text) {
  if (text != "required" && text != "preferred")
    return quote(text) + " is unknown; use \"required\" or \"preferred\"";
  to = text == "required" ? settings::tls_policy::required : settings::tls_policy::preferred;
  return {};
}

std::string set_auth(settings::s2s_auth& to, const std::string& text) {
  for (const auto auth : {settings::s2s_auth::pkix, settings::s2s_auth::dane, settings::s2s_auth::dialback}) {
    if (text != write_auth(auth)) continue;
    to = auth;
    return {};
  }
  return quote(text) + " is unknown; use \"pkix\", \"dane\" or \"dialback\"";
}

template <auto Member>
std::string set_number(all& s, const value& v) {
  s.s2s.*Member = static_cast<unsigned>(v.number);
  return {};
}
template <auto Member>
texts show_number(const all& s) {
  return {std::to_string(s.s2s.*Member)};
}
template <auto Member>
std::string set_time(all& s, const value& v) {
  s.s2s.*Member = milliseconds(v.number);
  return {};
}
template <auto Member>
texts show_time(const all& s) {
  return {write_duration(to_ms(s.s2s.*Member))};
}

using settings::s2s;

constexpr option table[] = {
    {"xmpp.s2s.listen", value_type::list, change::restart, default_s2s_listen, "", 0, 0,
     "\"tcp:HOST:PORT\"; [] for none",
     "Where other XMPP servers connect, who then ask for TLS (STARTTLS); HOST is an IP address, IPv6 in "
     "brackets, \"[::]\" every address of both families. With neither list nobody can write to us, or "
     "verify us by dialback.",
     [](all& s, const value& v) { return add_listener(s.s2s.listen, transport::tcp, v.text); },
     [](const all& s) { return shown(s.s2s.listen); }, [](all& s) { s.s2s.listen.clear(); }},
    {"xmpp.s2s.tls_listen", value_type::list, change::restart, default_s2s_tls_listen, "", 0, 0,
     "\"tcp:HOST:PORT\"; [] for none",
     "The same with TLS from the first byte (XEP-0368). Servers come here only where the DNS says so, by "
     "_xmpps-server._tcp of the domain, or its host-meta.json (XEP-0487).",
     [](all& s, const value& v) { return add_listener(s.s2s.tls_listen, transport::tls, v.text); },
     [](const all& s) { return shown(s.s2s.tls_listen); }, [](all& s) { s.s2s.tls_listen.clear(); }},
    {"xmpp.s2s.tls", value_type::text, change::live, "required", "", 0, 0, "\"required\" or \"preferred\"",
     "Whether a stanza crosses only over TLS, or also in clear where the other server has none.",
     [](all& s, const value& v) { return set_tls(s.s2s.tls, v.text); },
     [](const all& s) { return texts{std::string(write_tls(s.s2s.tls))}; }, nullptr},
    {"xmpp.s2s.auth", value_type::text, change::live, "dialback", "", 0, 0,
     "\"pkix\", \"dane\" or \"dialback\"",
     "The least that proves another server's domain. \"pkix\": a certificate for it of an authority that "
     "tls.ca_file has; \"dane\": that, or a certificate that TLSA records under DNSSEC name (RFC 7712); "
     "\"dialback\": one of these, or the DNS alone (XEP-0220). A certificate is always tried first. Over a "
     "stream that proves less, nothing comes and nothing goes.",
     [](all& s, const value& v) { return set_auth(s.s2s.auth, v.text); },
     [](const all& s) { return texts{std::string(write_auth(s.s2s.auth))}; }, nullptr},
    {"xmpp.s2s.never_connect", value_type::list, change::live, default_never_connect, "", 0, 0,
     "addresses or prefixes; [] for none",
     "Where no stream is opened to, although the DNS of the other domain names it: whoever owns a domain "
     "chooses these addresses. Add the networks of your own that need not be reached so.",
     [](all& s, const value& v) { return add_peer(s.s2s.never_connect, v.text); },
     [](const all& s) {
       texts out;
       for (const auto& p : s.s2s.never_connect) out.push_back(p.to_string());
       return out;
     },
     [](all& s) { s.s2s.never_connect.clear(); }},
    {"xmpp.s2s.max_streams", value_type::integer, change::live, "10000", "", 1, 1'000'000, "",
     "Streams that other servers opened, at the same time; further ones are closed with resource-constraint.",
     set_number<&s2s::max_streams>, show_number<&s2s::max_streams>, nullptr},
    {"xmpp.s2s.max_unauthenticated", value_type::integer, change::live, "500", "", 1, 1'000'000, "",
     "Of these, streams that have proved no domain yet; further ones are closed with resource-constraint.",
     set_number<&s2s::max_unauthenticated>, show_number<&s2s::max_unauthenticated>, nullptr},
    {"xmpp.s2s.max_streams_per_address", value_type::integer, change::live, "20", "", 1, 1'000'000, "",
     "Of these, streams of one address (of IPv6: of one /56); further ones are closed with "
     "resource-constraint. A server uses one or two for each domain that it writes to.",
     set_number<&s2s::max_streams_per_address>, show_number<&s2s::max_streams_per_address>, nullptr},
    {"xmpp.s2s.max_connecting", value_type::integer, change::live, "100", "", 1, 10'000, "",
     "Domains to which a stream is being made, at the same time; those above wait, and their stanzas in the "
     "queue with them. One that takes more than 2 s gives its place to another, up to four times as many in "
     "all.",
     set_number<&s2s::max_connecting>, show_number<&s2s::max_connecting>, nullptr},
    {"xmpp.s2s.login_limit", value_type::duration, change::live, "30s", "", 1'000, 300'000, "",
     "How long a new stream may take to prove a domain, whichever side opened it; then it is closed.",
     set_time<&s2s::login_limit>, show_time<&s2s::login_limit>, nullptr},
    {"xmpp.s2s.idle_limit", value_type::duration, change::live, "15min", "", 1'000, 86'400'000, "",
     "How long a stream stays open without a stanza; the next one makes it anew.", set_time<&s2s::idle_limit>,
     show_time<&s2s::idle_limit>, nullptr},
    {"xmpp.s2s.queue_stanzas", value_type::integer, change::live, "1000", "", 1, 1'000'000, "",
     "Stanzas that may wait for one domain while its stream is made; further ones are refused to their "
     "senders.",
     set_number<&s2s::queue_stanzas>, show_number<&s2s::queue_stanzas>, nullptr},
    {"xmpp.s2s.queue_bytes", value_type::size, change::live, "4MiB", "", 10'000, 1LL << 30, "",
     "Likewise, in bytes; what waits counts in limits.memory.",
     [](all& s, const value& v) {
       s.s2s.queue_bytes = static_cast<std::uint64_t>(v.number);
       return std::string();
     },
     [](const all& s) { return texts{write_size(static_cast<std::int64_t>(s.s2s.queue_bytes))}; }, nullptr},
    // RFC 3261 §17.1.2.2: Timer F of who sent a MESSAGE is 32 s; he should hear the reason before it.
    {"xmpp.s2s.queue_time", value_type::duration, change::live, "15s", "", 1'000, 30'000,
     "1s to 30s: a SIP sender waits no longer than 32s for his answer",
     "How long a stanza waits there; then its sender is told remote-server-timeout, or a SIP sender its "
     "answer.",
     set_time<&s2s::queue_time>, show_time<&s2s::queue_time>, nullptr},
    {"xmpp.s2s.peer.domain", value_type::text, change::live, "", R"("bank.example")", 0, 0, "required",
     "The other server's domain, as in the addresses of its users; its subdomains are domains of their own.",
     [](all& s, const value& v) { return set_domain(s.s2s.peers.back().domain, v.text); }, nullptr, nullptr},
    {"xmpp.s2s.peer.tls", value_type::text, change::live, "", R"("required")", 0, 0,
     "\"required\" or \"preferred\"", "As xmpp.s2s.tls, for streams with this domain.",
     [](all& s, const value& v) { return set_tls(s.s2s.peers.back().tls.emplace(), v.text); }, nullptr,
     nullptr},
    {"xmpp.s2s.peer.auth", value_type::text, change::live, "", R"("pkix")", 0, 0,
     "\"pkix\", \"dane\" or \"dialback\"", "As xmpp.s2s.auth, for this domain.",
     [](all& s, const value& v) { return set_auth(s.s2s.peers.back().auth.emplace(), v.text); }, nullptr,
     nullptr},
};

}  // namespace

std::span<const option> s2s_options() { return table; }

}  // namespace stox::config
