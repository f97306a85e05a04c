#include <optional>

#include "crypto/hash.hpp"
#include "doctor/judge_common.hpp"
#include "doctor/xmpp_dns.hpp"
#include "sip/wire/headers.hpp"
#include "xmpp/machine/domain_identity.hpp"

namespace stox::doctor {
namespace {

constexpr std::uint16_t direct_tls_port = 5270;
constexpr std::size_t most_names = 4, most_words = 200;

enum class dane : std::uint8_t { none, unproven, fits, differs, unknown };

// RFC 6698 §2.1: usages 1 and 3 name the certificate itself, which is all that is known here; matching type 1
// is SHA-256.
dane compare(const dns::answer& tlsa, const peer_identity& who) {
  const auto records = tlsa.all<dns::tlsa_record>();
  if (records.empty()) return dane::none;
  if (!tlsa.secure) return dane::unproven;
  bool any_unknown = false;
  for (const auto& r : records) {
    const auto& ours = r.selector == 0 ? who.fingerprint : who.spki;
    if ((r.usage != 1 && r.usage != 3) || r.selector > 1 || r.matching != 1 || ours.empty()) {
      any_unknown = true;
    } else if (crypto::hex(r.data) == ours) {
      return dane::fits;
    }
  }
  return any_unknown ? dane::unknown : dane::differs;
}

/// RFC 7712 §5: a certificate that DNSSEC names (usage 3) needs no authority.
bool is_proven_by_dns(const dns::answer& tlsa, const peer_identity& who) {
  auto own = tlsa;
  std::erase_if(own.records, [](const auto& r) { return std::get<dns::tlsa_record>(r).usage != 3; });
  return compare(own, who) == dane::fits;
}

std::string names_of(const peer_identity& who) {
  std::vector<std::string> all = who.san_dns;
  all.insert(all.end(), who.san_srv.begin(), who.san_srv.end());
  all.insert(all.end(), who.san_xmpp.begin(), who.san_xmpp.end());
  if (!who.has_san) all.push_back(who.common_name);
  std::string out;
  for (std::size_t i = 0; i < all.size() && i < most_names; ++i) out += (i == 0 ? "" : ", ") + all[i];
  if (all.size() > most_names) out += ", ...";
  // Whoever has no valid certificate may write anything into it, for a terminal too.
  return out.empty() ? "nobody" : sip::clean_text(out, most_words);
}

std::string name_of(const xmpp_target& t) {
  return t.at.to_string() + (t.direct ? " direct TLS" : " STARTTLS");
}

class judgement {
 public:
  judgement(const subject& who, const facts& found, wall_time now, notes& out)
      : who_(who), found_(found), now_(now), out_(out) {}
  void run();

 private:
  bool any_visit_done() const {
    return std::any_of(found_.xmpp.begin(), found_.xmpp.end(),
                       [](const auto& v) { return v.went.reached == stage::done; });
  }
  const dns::answer& tlsa_of(const xmpp_target& t) const {
    return answer_to(found_, io::record_type::tlsa, tlsa_name(t.host, t.at.port));
  }
  std::string host() const {
    return host_for(who_, found_,
                    {starttls_service, direct_tls_service, "_sips._tcp.", "_sip._tcp.", "_sip._udp."});
  }
  void advise_service(std::string_view service, std::uint16_t port, bool needed);
  void judge_starttls_service();
  void judge_direct_service();
  void judge_tlsa(const xmpp_target& t, const attempt& went);
  void judge_visit(const xmpp_visit& v);
  void judge_failure(const xmpp_visit& v);
  bool judge_certificate(const xmpp_visit& v);
  bool judge_authentication(const xmpp_visit& v);

  const subject& who_;
  const facts& found_;
  wall_time now_;
  notes& out_;
  bool any_server_ = false;
};

void judgement::advise_service(std::string_view service, std::uint16_t port, bool needed) {
  const auto server = host();
  out_.advise(srv_line(std::string(service) + who_.ascii, port, server), needed);
  if (server == host_placeholder) out_.advise(address_line(server), needed);
}

void judgement::judge_starttls_service() {
  const std::string what = "SRV _xmpp-server._tcp", name = std::string(starttls_service) + who_.ascii;
  const auto& answer = answer_to(found_, io::record_type::srv, name);
  const auto servers = servers_of(found_, name);
  if (!servers.empty()) return out_.say(level::ok, what, text_of(servers));
  if (answer.status == io::lookup_status::failed)
    return out_.say(level::fail, what, "the DNS gives no answer");
  const bool works = any_visit_done();
  if (!answer.records.empty()) {
    // RFC 2782: a target of ".".
    out_.say(works ? level::warn : level::fail, what, "says that there is no such service");
  } else if (!works) {
    out_.say(level::fail, what, "none");
  } else if (found_.xmpp_by_address) {
    out_.say(level::warn, what, "none: others fall back to " + who_.ascii + ":5269");
  } else {
    out_.say(level::warn, what, "none: only those come that know direct TLS");
  }
  advise_service(starttls_service, xmpp_server_port, !works);
}

void judgement::judge_direct_service() {
  const std::string what = "SRV _xmpps-server._tcp", name = std::string(direct_tls_service) + who_.ascii;
  const auto servers = servers_of(found_, name);
  if (!servers.empty()) return out_.say(level::ok, what, text_of(servers));
  if (answer_to(found_, io::record_type::srv, name).status == io::lookup_status::failed)
    return out_.say(level::fail, what, "the DNS gives no answer");
  out_.say(level::note, what, "none; direct TLS is optional");
  advise_service(direct_tls_service, direct_tls_port, false);
}

void judgement::judge_tlsa(const xmpp_target& t, const attempt& went) {
  const auto& tlsa = tlsa_of(t);
  const auto identity = went.identity.value_or(peer_identity{});
  const auto what = "TLSA " + tlsa_name(t.host, t.at.port);
  const auto record = tlsa_name(t.host, t.at.port) + ". 3600 IN TLSA 3 1 1 " + identity.spki;
  switch (compare(tlsa, identity)) {
    case dane::none: {
      // Without DNSSEC they would be of no use: RFC 6698 §4.1.
      const auto& srv = answer_to(found_, io::record_type::srv,
                                  std::string(t.direct ? direct_tls_service : starttls_service) + who_.ascii);
      if (!srv.secure || identity.spki.empty()) return;
      out_.say(level::note, what, "none; DNSSEC is there, so that DANE (RFC 7712) could be");
      return out_.advise(record, false);
    }
    case dane::unproven:
      return out_.say(level::warn, what, "DNSSEC does not prove them: nobody may use them");
    case dane::fits: return out_.say(level::ok, what, "fits the certificate");
    case dane::unknown: return out_.say(level::note, what, "of a kind that is not checked here");
    case dane::differs:
      out_.say(level::fail, what, "does not fit the certificate");
      if (!identity.spki.empty()) out_.advise(record, true);
      return;
  }
}

bool judgement::judge_certificate(const xmpp_visit& v) {
  const auto what = name_of(v.to) + " certificate";
  const auto& identity = *v.went.identity;
  const auto ends = validity_of(identity, now_);
  if (ends.how == level::fail) {
    out_.say(level::fail, what, ends.told);
  } else if (is_proven_by_dns(tlsa_of(v.to), identity)) {
    out_.say(ends.how, what, "proven by DANE" + (ends.told.empty() ? "" : ", " + ends.told));
    return true;
  } else if (!identity.chain_ok) {
    out_.say(level::fail, what, "not valid: " + identity.why_not);
  } else if (!xmpp::is_xmpp_domain(identity, who_.domain)) {
    out_.say(level::fail, what, "not for " + who_.domain + ", but for " + names_of(identity));
  } else {
    out_.say(ends.how, what, "for " + who_.domain + (ends.told.empty() ? "" : ", " + ends.told));
    return true;
  }
  return false;
}

bool judgement::judge_authentication(const xmpp_visit& v) {
  std::string offered;
  const auto add = [&offered](bool there, std::string_view name) {
    if (there) offered.append(offered.empty() ? "" : ", ").append(name);
  };
  add(v.external, "SASL EXTERNAL");
  add(v.dialback, "dialback");
  const bool any = !offered.empty();
  add(v.bidi, "bidi");
  add(v.resumption, "stream management");
  const auto what = name_of(v.to) + " offers";
  if (any) {
    out_.say(level::ok, what, offered);
  } else if (who_.shows_certificate) {
    out_.say(level::fail, what, "neither SASL EXTERNAL nor dialback to " + who_.from);
  } else {
    out_.say(level::warn, what,
             "no dialback; whether SASL EXTERNAL, only those see that show a certificate (--config)");
  }
  return any;
}

void judgement::judge_failure(const xmpp_visit& v) {
  auto told = why_not(v.went, v.went.identity ? "no stream features over TLS" : "it says nothing");
  if (!v.stream_error.empty())
    told = "refuses the stream: " + v.stream_error + (told.empty() ? "" : " (" + told + ")");
  if (is_out_of_sight(v.went, v.to.at))
    return out_.say(level::note, name_of(v.to), "not looked at: no IPv6 here");
  // Others pass over it as long as another one answers.
  out_.say(any_visit_done() ? level::warn : level::fail, name_of(v.to), told);
}

void judgement::judge_visit(const xmpp_visit& v) {
  if (v.went.identity) judge_certificate(v);
  if (v.went.reached != stage::done) return judge_failure(v);
  judge_authentication(v);
  any_server_ = true;
}

void judgement::run() {
  judge_starttls_service();
  judge_direct_service();
  auto servers = servers_of(found_, std::string(starttls_service) + who_.ascii);
  for (auto& s : servers_of(found_, std::string(direct_tls_service) + who_.ascii))
    servers.push_back(std::move(s));
  judge_addresses(out_, found_, servers);
  std::vector<std::string> seen;
  for (const auto& v : found_.xmpp) {
    auto name = tlsa_name(v.to.host, v.to.at.port);
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
    const auto best = std::find_if(found_.xmpp.begin(), found_.xmpp.end(), [&](const auto& other) {
      return other.went.identity && other.to.host == v.to.host && other.to.at.port == v.to.at.port;
    });
    judge_tlsa(v.to, best == found_.xmpp.end() ? v.went : best->went);
    seen.push_back(std::move(name));
  }
  for (const auto& v : found_.xmpp) judge_visit(v);
  if (!found_.xmpp.empty() && !any_server_ &&
      std::all_of(found_.xmpp.begin(), found_.xmpp.end(),
                  [](const auto& v) { return is_out_of_sight(v.went, v.to.at); }))
    out_.say(level::fail, "server", "none could be looked at");
  out_.finish(any_server_);
}

}  // namespace

void judge_xmpp(const subject& who, const facts& found, wall_time now, notes out) {
  judgement(who, found, now, out).run();
}

}  // namespace stox::doctor
