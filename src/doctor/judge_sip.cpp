#include <array>
#include <optional>

#include "doctor/judge_common.hpp"
#include "sip/machine/domain_identity.hpp"
#include "sip/wire/message.hpp"

namespace stox::doctor {
namespace {

struct service {
  transport via;
  std::string_view srv;      ///< before the domain
  std::string_view pointer;  ///< RFC 3263 §4.1
  std::uint16_t port;
  int preference;  ///< of the record that is advised
};
constexpr std::array<service, 3> services{{
    {transport::tls, "_sips._tcp.", "SIPS+D2T", 5061, 10},
    {transport::tcp, "_sip._tcp.", "SIP+D2T", 5060, 20},
    {transport::udp, "_sip._udp.", "SIP+D2U", 5060, 30},
}};

bool is_for_sip(const dns::naptr_record& p) {
  return p.flags == "s" && (p.service == "sip+d2u" || p.service == "sip+d2t" || p.service == "sips+d2t");
}

std::string upper(std::string_view s) {
  std::string out(s);
  for (auto& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return out;
}

class judgement {
 public:
  judgement(const subject& who, const facts& found, wall_time now, notes& out)
      : who_(who), found_(found), now_(now), out_(out) {}
  void run();

 private:
  bool any_answer() const {
    return std::any_of(found_.sip.begin(), found_.sip.end(), [](const auto& v) { return v.status != 0; });
  }
  const dns::answer& srv_answer(const service& s) const {
    return answer_to(found_, io::record_type::srv, std::string(s.srv) + who_.ascii);
  }
  bool has_servers(const service& s) const {
    return !servers_of(found_, std::string(s.srv) + who_.ascii).empty();
  }
  /// Its servers were asked, and none of them answered.
  bool is_silent(const service& s) const {
    bool asked = false, answered = false;
    for (const auto& v : found_.sip) {
      if (v.via != s.via) continue;
      asked = true;
      answered = answered || v.status != 0;
    }
    return asked && !answered;
  }
  std::string host() const {
    return host_for(who_, found_,
                    {"_sip._udp.", "_sip._tcp.", "_sips._tcp.", "_xmpp-server._tcp.", "_xmpps-server._tcp."});
  }
  void advise_server(std::string_view owner, const service& s, bool needed);
  void judge_pointers();
  void judge_service(const service& s, bool any);
  void judge_visit(const sip_visit& v);

  const subject& who_;
  const facts& found_;
  wall_time now_;
  notes& out_;
};

void judgement::advise_server(std::string_view owner, const service& s, bool needed) {
  const auto server = host();
  out_.advise(srv_line(owner, s.port, server), needed);
  if (server == host_placeholder) out_.advise(address_line(server), needed);
}

void judgement::judge_pointers() {
  const auto& answer = answer_to(found_, io::record_type::naptr, who_.ascii);
  std::string names;
  for (const auto& p : answer.all<dns::naptr_record>()) {
    if (!is_for_sip(p)) continue;
    names += (names.empty() ? "" : ", ") + upper(p.service);
    const auto& servers = answer_to(found_, io::record_type::srv, p.replacement);
    if (servers.status == io::lookup_status::failed || !servers.records.empty()) continue;
    out_.say(level::warn, "NAPTR " + upper(p.service),
             "leads to " + p.replacement + ", which has no SRV record");
    for (const auto& s : services)
      if (upper(p.service) == s.pointer) advise_server(p.replacement, s, !any_answer());
  }
  if (!names.empty()) return out_.say(level::ok, "NAPTR", names);
  if (answer.status == io::lookup_status::failed)
    return out_.say(level::fail, "NAPTR", "the DNS gives no answer");
  out_.say(level::note, "NAPTR", "none; SRV records are enough");
  for (const auto& s : services) {
    if (!has_servers(s) || is_silent(s)) continue;
    out_.advise(who_.ascii + ". 3600 IN NAPTR 10 " + std::to_string(s.preference) + " \"s\" \"" +
                    std::string(s.pointer) + "\" \"\" " + std::string(s.srv) + who_.ascii + ".",
                false);
  }
}

void judgement::judge_service(const service& s, bool any) {
  const auto what = "SRV " + std::string(s.srv.substr(0, s.srv.size() - 1));
  const auto owner = std::string(s.srv) + who_.ascii;
  const auto servers = servers_of(found_, owner);
  if (!servers.empty()) return out_.say(level::ok, what, text_of(servers));
  if (srv_answer(s).status == io::lookup_status::failed)
    return out_.say(level::fail, what, "the DNS gives no answer");
  const bool denied = !srv_answer(s).records.empty();  // RFC 2782: a target of "."
  const auto told = denied ? "says that there is no such service" : "none";
  if (any) {
    out_.say(level::note, what, told);
    if (!denied) advise_server(owner, s, false);
    return;
  }
  const bool works = any_answer();
  out_.say(works ? level::warn : level::fail, what, told);
  advise_server(owner, s, !works);
}

void judgement::judge_visit(const sip_visit& v) {
  const auto what = v.at.to_string() + " " + std::string(to_string(v.via));
  if (v.went.identity) {
    const auto& identity = *v.went.identity;
    const auto ends = validity_of(identity, now_);
    const bool other_way = std::any_of(found_.sip.begin(), found_.sip.end(), [](const auto& other) {
      return other.via != transport::tls && other.status != 0;
    });
    const auto bad = other_way ? level::warn : level::fail;
    if (ends.how == level::fail) {
      out_.say(bad, what + " certificate", ends.told);
    } else if (!identity.chain_ok) {
      out_.say(bad, what + " certificate", "not valid: " + identity.why_not);
    } else if (!sip::is_sip_domain(identity, who_.ascii)) {
      // RFC 5922 §7.2: no wildcards.
      out_.say(bad, what + " certificate",
               "not for the SIP domain " + who_.domain + " (wildcards do not count)");
    } else {
      out_.say(ends.how, what + " certificate",
               "for " + who_.domain + (ends.told.empty() ? "" : ", " + ends.told));
    }
  }
  if (v.status != 0) {
    // Whatever the answer, there is a server; 5xx says that it cannot work now (RFC 3261 §21.5).
    const bool troubled = v.status >= 500 && v.status < 600;
    return out_.say(troubled ? level::warn : level::ok, what + " OPTIONS",
                    std::to_string(v.status) + " " + std::string(sip::default_reason(v.status)));
  }
  if (is_out_of_sight(v.went, v.at)) return out_.say(level::note, what, "not looked at: no IPv6 here");
  out_.say(any_answer() ? level::warn : level::fail, what, why_not(v.went, "no answer to OPTIONS"));
}

void judgement::run() {
  judge_pointers();
  const bool any =
      std::any_of(services.begin(), services.end(), [&](const auto& s) { return has_servers(s); });
  std::vector<dns::srv_record> servers;
  for (const auto& s : services) {
    judge_service(s, any);
    for (auto& r : servers_of(found_, std::string(s.srv) + who_.ascii)) servers.push_back(std::move(r));
  }
  judge_addresses(out_, found_, servers);
  for (const auto& v : found_.sip) judge_visit(v);
  if (!found_.sip.empty() && std::all_of(found_.sip.begin(), found_.sip.end(),
                                         [](const auto& v) { return is_out_of_sight(v.went, v.at); }))
    out_.say(level::fail, "server", "none could be looked at");
  out_.finish(any_answer());
}

}  // namespace

void judge_sip(const subject& who, const facts& found, wall_time now, notes out) {
  judgement(who, found, now, out).run();
}

}  // namespace stox::doctor
