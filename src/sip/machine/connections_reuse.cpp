// Who the peer of a TLS stream is (RFC 5922), and which streams may be used again (RFC 5923).
#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "sip/machine/connections.hpp"
#include "sip/machine/domain_identity.hpp"
#include "sip/wire/headers.hpp"

namespace stox::sip {

namespace {

constexpr std::size_t most_shown = 4;  // of the names in a line of the log

std::string shown(const std::vector<std::string>& names) {
  if (names.empty()) return "no SIP domain";
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), most_shown); ++i) out += (i == 0 ? "" : ", ") + names[i];
  return names.size() > most_shown ? out + ", ..." : out;
}

bool is_for(const own_certificate& c, std::string_view domain) {
  return std::any_of(c.domains.begin(), c.domains.end(),
                     [domain](const std::string& d) { return text::iequals(d, domain); });
}

const own_certificate* certificate_for(const std::vector<own_certificate>& all, std::string_view domain) {
  const auto at =
      std::find_if(all.begin(), all.end(), [domain](const own_certificate& c) { return is_for(c, domain); });
  return at == all.end() ? nullptr : &*at;
}

}  // namespace

std::vector<std::string> connections::proven_by(const std::optional<peer_identity>& who) {
  return who && who->chain_ok ? sip_domains_of(*who) : std::vector<std::string>();
}

bool connections::is_trusted(const ip_address& ip, const std::vector<std::string>& proven) const {
  if (ctx_.blocked.contains(ip)) return false;
  return ctx_.is_trusted(ip) || std::any_of(proven.begin(), proven.end(), [this](const std::string& d) {
           return ctx_.is_trusted_domain(d);
         });
}

bool connections::is_trusted(conn_id conn) const {
  const stream* s = find(conn);
  return s != nullptr && is_trusted(s->peer.ip, s->proven);
}

std::vector<std::string> connections::proven(conn_id conn) const {
  const stream* s = find(conn);
  return s == nullptr ? std::vector<std::string>() : s->proven;
}

void connections::review_trust() {
  std::vector<conn_id> gone;
  for (const auto& [conn, number] : by_conn_) {
    const stream& s = *streams_.find(number);
    if (!s.outgoing && !s.stranger && !s.closing && !is_trusted(s.peer.ip, s.proven)) gone.push_back(conn);
  }
  std::sort(gone.begin(), gone.end());
  for (const conn_id conn : gone) cut(conn, "its peer is trusted no longer");
}

void connections::forget_proofs() {
  for (const auto& [conn, number] : by_conn_) {
    stream& s = *streams_.find(number);
    if (s.via != transport::tls) continue;
    end_reuse(s);
    s.proven.clear();
  }
  review_trust();
}

bool connections::is_open(conn_id conn) const {
  const stream* s = find(conn);
  return s != nullptr && s->open && !s->closing;
}

void connections::end_reuse(conn_id conn) {
  if (stream* s = find(conn)) end_reuse(*s);
}

void connections::end_reuse_if_silent(conn_id conn, steady_time since) {
  if (stream* s = find(conn); s != nullptr && s->last_heard <= since) end_reuse(*s);
}

bool connections::prove(stream& s, const std::optional<peer_identity>& who) {
  if (s.via != transport::tls) return true;
  s.proven = proven_by(who);
  if (who && is_sip_domain(*who, s.domain)) return true;
  const std::string why = !who             ? "it was not asked who it is"
                          : !who->chain_ok ? who->why_not
                                           : "its certificate is for " + shown(s.proven);
  ++ctx_.stats.unproven;
  s.why_closed = "it did not prove to be " + s.domain + ": " + why;
  ctx_.note(log_level::warning, "sip.unproven_server", {},
            {{"peer", s.peer.to_string()}, {"domain", s.domain}, {"why", why}});
  return false;
}

void connections::offered(conn_id conn, const request& r) {
  stream* s = find(conn);
  if (s == nullptr || s->closing || s->outgoing || s->stranger || !s->reused_as.empty()) return;
  const auto vias = r.headers.elements(header::via);
  if (s->proven.empty() || vias.empty()) return;
  const auto top = parse_via(vias.front());
  if (!top || find_param(top->params, "alias") == nullptr) return;
  // RFC 5923 §8.1: under the address that it came from, and the port where its sender listens.
  const socket_address at{s->peer.ip, top->port.value_or(5061)};
  for (const std::string& domain : s->proven) reuse(*s, {s->via, at, domain, s->shown});
  update(*s);
}

/// What we are called over TLS, for the choice of our certificate: by the name that all peers know, or as who
/// we speak.
std::string connections::our_name(const target& to, std::string_view domain) const {
  if (to.via != transport::tls) return {};
  const auto& o = ctx_.options;
  for (const advertised& a : o.advertise)
    if (a.via.value_or(transport::tls) == transport::tls && !ip_address::parse(a.host)) return a.host;
  const own_certificate* of_domain = certificate_for(o.certificates, domain);
  if (of_domain != nullptr) return of_domain->name;
  return o.certificates.empty() ? std::string() : o.certificates.front().name;
}

/// The same for a peer that came to us: it was shown the certificate that it asked for, else that of a served
/// domain, else the first (as the rim chooses it).
std::string connections::name_shown_to(const peer_identity& who) const {
  const auto& o = ctx_.options;
  std::string_view shown;
  if (certificate_for(o.certificates, who.sni) != nullptr) {
    shown = who.sni;
  } else {
    const auto is_served = [&o](const own_certificate& c) {
      return std::any_of(o.sip_domains.begin(), o.sip_domains.end(),
                         [&c](const std::string& d) { return is_for(c, d); });
    };
    const auto at = std::find_if(o.certificates.begin(), o.certificates.end(), is_served);
    if (at != o.certificates.end()) shown = at->domains.front();
  }
  return our_name({transport::tls, {}, {}}, shown);
}

/// The newest stream counts: an older one to the same peer may be dead without our knowledge.
void connections::reuse(stream& s, reuse_key key) {
  reusable_[key] = s.conn;
  s.reused_as.push_back(std::move(key));
}

void connections::end_reuse(stream& s) {
  for (const reuse_key& key : s.reused_as) {
    const auto it = reusable_.find(key);
    if (it != reusable_.end() && it->second == s.conn) reusable_.erase(it);
  }
  s.reused_as.clear();
}

/// What the names take that belong to a stream: themselves, and their entries where it may be used again.
std::size_t connections::names_size(const stream& s) {
  std::size_t n = s.domain.size() + s.shown.size() + s.reused_as.size() * 2 * sizeof(reuse_key);
  for (const std::string& name : s.proven) n += sizeof(std::string) + name.size();
  return n;
}

}  // namespace stox::sip
