#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "doctor/report.hpp"

namespace {

using namespace stox;
using namespace stox::doctor;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::int64_t day = 24 * 60 * 60;
constexpr std::int64_t today = 20000 * day;
const wall_time now = wall_time(std::chrono::seconds(today));

const std::string spki(64, 'a');
const std::string spki_bytes(32, '\xAA');

socket_address at(std::string_view text) { return *socket_address::parse(text); }

subject sip_example() {
  subject s;
  s.domain = s.ascii = "sip.example";
  s.from = s.from_ascii = "stoxctl.invalid";
  return s;
}

peer_identity certificate(std::string dns, std::int64_t days_left = 61) {
  peer_identity who;
  who.chain_ok = who.has_san = true;
  who.san_dns = {std::move(dns)};
  who.spki = spki;
  who.valid_until = today + days_left * day;
  return who;
}

dns::answer found_records(std::vector<dns::record> records, bool secure = false) {
  return {io::lookup_status::found, std::move(records), secure};
}

void add_srv(facts& f, const std::string& name, std::uint16_t port, bool secure = false) {
  f.dns[{io::record_type::srv, name}] =
      found_records({dns::srv_record{0, 5, port, "gw.sip.example"}}, secure);
}

void set_absent(facts& f, io::record_type type, const std::string& name) {
  f.dns.try_emplace({type, name}, dns::answer{io::lookup_status::no_data, {}, false});
}

/// All that may be asked was asked.
facts with_answers(facts f) {
  for (const auto* service :
       {"_xmpp-server._tcp", "_xmpps-server._tcp", "_sip._udp", "_sip._tcp", "_sips._tcp"})
    set_absent(f, io::record_type::srv, std::string(service) + ".sip.example");
  for (const auto* host : {"sip.example", "gw.sip.example"}) {
    set_absent(f, io::record_type::a, host);
    set_absent(f, io::record_type::aaaa, host);
  }
  set_absent(f, io::record_type::naptr, "sip.example");
  return f;
}

xmpp_visit visit(bool direct, peer_identity who) {
  xmpp_visit v;
  v.to = {"gw.sip.example", at(direct ? "192.0.2.1:5270" : "192.0.2.1:5269"), direct};
  v.went.reached = stage::done;
  v.went.identity = std::move(who);
  v.starttls = !direct;
  v.dialback = v.bidi = true;
  return v;
}

sip_visit options(transport via, std::string_view to, std::uint16_t status) {
  sip_visit v;
  v.via = via;
  v.at = at(to);
  v.went.reached = status != 0 ? stage::done : stage::asking;
  if (status == 0) v.went.why = io::fail::timed_out;
  v.status = status;
  return v;
}

facts healthy() {
  facts f;
  add_srv(f, "_xmpp-server._tcp.sip.example", 5269);
  add_srv(f, "_xmpps-server._tcp.sip.example", 5270);
  add_srv(f, "_sip._udp.sip.example", 5060);
  add_srv(f, "_sip._tcp.sip.example", 5060);
  add_srv(f, "_sips._tcp.sip.example", 5061);
  f.dns[{io::record_type::naptr, "sip.example"}] =
      found_records({dns::naptr_record{10, 10, "s", "sip+d2u", "", "_sip._udp.sip.example"}});
  f.dns[{io::record_type::a, "gw.sip.example"}] = found_records({*ip_address::parse("192.0.2.1")});
  f.xmpp = {visit(true, certificate("sip.example")), visit(false, certificate("sip.example"))};
  f.sip = {options(transport::udp, "192.0.2.1:5060", 200)};
  return with_answers(std::move(f));
}

TEST(doctor_report, of_a_healthy_domain_is_read_in_ten_seconds) {
  const auto r = judge(sip_example(), healthy(), now);
  EXPECT_EQ(to_text(r),
            R"(XMPP
  ok    SRV _xmpp-server._tcp                  gw.sip.example:5269
  ok    SRV _xmpps-server._tcp                 gw.sip.example:5270
  ok    address gw.sip.example                 192.0.2.1
  ok    192.0.2.1:5270 direct TLS certificate  for sip.example, 61 days left
  ok    192.0.2.1:5270 direct TLS offers       dialback, bidi
  ok    192.0.2.1:5269 STARTTLS certificate    for sip.example, 61 days left
  ok    192.0.2.1:5269 STARTTLS offers         dialback, bidi
SIP
  ok    NAPTR                                  SIP+D2U
  ok    SRV _sips._tcp                         gw.sip.example:5061
  ok    SRV _sip._tcp                          gw.sip.example:5060
  ok    SRV _sip._udp                          gw.sip.example:5060
  ok    address gw.sip.example                 192.0.2.1
  ok    192.0.2.1:5060 udp OPTIONS             200 OK
OK: sip.example can be reached by XMPP and SIP.
)");
  EXPECT_TRUE(r.is_reached());
  EXPECT_THAT(r.records, IsEmpty());
}

TEST(doctor_report, of_a_domain_without_records_says_which_to_add) {
  const auto r = judge(sip_example(), with_answers({}), now);
  EXPECT_EQ(to_text(r),
            R"(XMPP
  FAIL  SRV _xmpp-server._tcp   none
  note  SRV _xmpps-server._tcp  none; direct TLS is optional
SIP
  note  NAPTR                   none; SRV records are enough
  FAIL  SRV _sips._tcp          none
  FAIL  SRV _sip._tcp           none
  FAIL  SRV _sip._udp           none
FAIL: something is missing for others to reach sip.example by XMPP and SIP.

Add these records:
  _xmpp-server._tcp.sip.example. 3600 IN SRV 0 5 5269 <host>.
  <host>. 3600 IN A <IPv4 address>
  _sips._tcp.sip.example. 3600 IN SRV 0 5 5061 <host>.
  _sip._tcp.sip.example. 3600 IN SRV 0 5 5060 <host>.
  _sip._udp.sip.example. 3600 IN SRV 0 5 5060 <host>.

These help, and are not needed:
  _xmpps-server._tcp.sip.example. 3600 IN SRV 0 5 5270 <host>.
)");
  EXPECT_FALSE(r.is_reached());
}

TEST(doctor_report, names_the_host_that_the_other_world_has) {
  facts f = healthy();
  f.dns.erase({io::record_type::srv, "_xmpp-server._tcp.sip.example"});
  f.dns.erase({io::record_type::srv, "_xmpps-server._tcp.sip.example"});
  f.xmpp.clear();
  const auto r = judge(sip_example(), with_answers(std::move(f)), now);
  EXPECT_THAT(r.records,
              Contains(advice{"_xmpp-server._tcp.sip.example. 3600 IN SRV 0 5 5269 gw.sip.example.", true}));
  EXPECT_FALSE(r.xmpp.reached);
  EXPECT_TRUE(r.sip.reached);
  EXPECT_THAT(to_text(r),
              HasSubstr("FAIL: something is missing for others to reach sip.example by XMPP. SIP works.\n"));
}

TEST(doctor_report, takes_a_pointer_for_each_sip_service_as_help) {
  facts f = healthy();
  f.dns[{io::record_type::naptr, "sip.example"}] = {io::lookup_status::no_data, {}, false};
  const auto r = judge(sip_example(), f, now);
  EXPECT_TRUE(r.is_reached());
  EXPECT_THAT(r.records,
              Contains(advice{
                  "sip.example. 3600 IN NAPTR 10 30 \"s\" \"SIP+D2U\" \"\" _sip._udp.sip.example.", false}));
}

TEST(doctor_report, advises_no_pointer_to_a_service_that_does_not_answer) {
  facts f = healthy();
  f.dns[{io::record_type::naptr, "sip.example"}] = {io::lookup_status::no_data, {}, false};
  f.sip.push_back(options(transport::tls, "192.0.2.1:5061", 0));
  for (const auto& a : judge(sip_example(), f, now).records)
    EXPECT_THAT(a.record, Not(HasSubstr("SIPS+D2T")));
}

TEST(doctor_report, finds_a_pointer_and_a_server_that_lead_nowhere) {
  facts f = healthy();
  f.dns[{io::record_type::naptr, "sip.example"}] =
      found_records({dns::naptr_record{10, 10, "s", "sip+d2t", "", "_sip._tcp.other.example"}});
  set_absent(f, io::record_type::srv, "_sip._tcp.other.example");
  f.dns[{io::record_type::a, "gw.sip.example"}] = {io::lookup_status::no_name, {}, false};
  f.sip.clear();
  const auto r = judge(sip_example(), f, now);
  EXPECT_THAT(r.records,
              Contains(advice{"_sip._tcp.other.example. 3600 IN SRV 0 5 5060 gw.sip.example.", true}));
  EXPECT_THAT(r.records, Contains(advice{"gw.sip.example. 3600 IN A <IPv4 address>", true}));
  EXPECT_THAT(r.sip.findings, Contains(finding{level::fail, "address gw.sip.example", "none"}));
  EXPECT_FALSE(r.is_reached());
}

/// What is said of the certificate of the STARTTLS server, and whether the domain is reached with it.
struct verdict {
  finding about;
  bool reached;
};
verdict with_certificate(const peer_identity& who) {
  facts f = healthy();
  f.xmpp = {visit(false, who)};
  const auto r = judge(sip_example(), f, now);
  for (const auto& one : r.xmpp.findings)
    if (one.what == "192.0.2.1:5269 STARTTLS certificate") return {one, r.is_reached()};
  return {};
}

TEST(doctor_report, judges_a_certificate_by_name_chain_and_age) {
  auto v = with_certificate(certificate("other.example"));
  EXPECT_EQ(v.about.how, level::fail);
  EXPECT_EQ(v.about.told, "not for sip.example, but for other.example");
  EXPECT_FALSE(v.reached);

  EXPECT_EQ(with_certificate(certificate("\x1B[2Jevil")).about.told.find('\x1B'), std::string::npos);

  auto stranger = certificate("sip.example");
  stranger.chain_ok = false;
  stranger.why_not = "self-signed certificate";
  v = with_certificate(stranger);
  EXPECT_EQ(v.about.told, "not valid: self-signed certificate");
  EXPECT_FALSE(v.reached);

  v = with_certificate(certificate("sip.example", 13));
  EXPECT_EQ(v.about.how, level::warn);
  EXPECT_EQ(v.about.told, "for sip.example, 13 days left");
  EXPECT_TRUE(v.reached);

  v = with_certificate(certificate("sip.example", -1));
  EXPECT_EQ(v.about.how, level::fail);
  EXPECT_THAT(v.about.told, HasSubstr("expired on 2024-10-03"));
  EXPECT_FALSE(v.reached);
}

report with_tlsa(std::vector<dns::record> records, bool secure, const peer_identity& who) {
  facts f = healthy();
  f.xmpp = {visit(false, who)};
  f.dns[{io::record_type::tlsa, "_5269._tcp.gw.sip.example"}] = found_records(std::move(records), secure);
  return judge(sip_example(), f, now);
}

TEST(doctor_report, compares_tlsa_records_with_the_certificate) {
  const std::string what = "TLSA _5269._tcp.gw.sip.example";
  const auto good = certificate("sip.example");
  EXPECT_THAT(with_tlsa({dns::tlsa_record{3, 1, 1, spki_bytes}}, true, good).xmpp.findings,
              Contains(finding{level::ok, what, "fits the certificate"}));
  EXPECT_THAT(with_tlsa({dns::tlsa_record{3, 1, 1, spki_bytes}}, false, good).xmpp.findings,
              Contains(finding{level::warn, what, "DNSSEC does not prove them: nobody may use them"}));
  EXPECT_THAT(with_tlsa({dns::tlsa_record{2, 0, 1, "x"}}, true, good).xmpp.findings,
              Contains(finding{level::note, what, "of a kind that is not checked here"}));
  const auto bad = with_tlsa({dns::tlsa_record{3, 1, 1, "x"}}, true, good);
  EXPECT_FALSE(bad.is_reached());
  EXPECT_THAT(bad.records, Contains(advice{"_5269._tcp.gw.sip.example. 3600 IN TLSA 3 1 1 " + spki, true}));

  // RFC 7712: the DNS's word is enough.
  auto own = good;
  own.chain_ok = false;
  EXPECT_TRUE(with_tlsa({dns::tlsa_record{3, 1, 1, spki_bytes}}, true, own).is_reached());
  EXPECT_FALSE(with_tlsa({dns::tlsa_record{1, 1, 1, spki_bytes}}, true, own).is_reached());
}

TEST(doctor_report, advises_tlsa_only_where_dnssec_is) {
  facts f = healthy();
  EXPECT_THAT(judge(sip_example(), f, now).records, IsEmpty());
  add_srv(f, "_xmpp-server._tcp.sip.example", 5269, true);
  EXPECT_THAT(judge(sip_example(), f, now).records,
              Contains(advice{"_5269._tcp.gw.sip.example. 3600 IN TLSA 3 1 1 " + spki, false}));
}

TEST(doctor_report, says_why_a_server_does_not_answer) {
  facts f = healthy();
  xmpp_visit v;
  v.to = {"gw.sip.example", at("192.0.2.1:5269"), false};
  v.went.why = io::fail::refused;
  f.xmpp = {v};
  f.sip = {options(transport::udp, "192.0.2.1:5060", 0)};
  auto r = judge(sip_example(), f, now);
  EXPECT_THAT(r.xmpp.findings,
              Contains(finding{level::fail, "192.0.2.1:5269 STARTTLS", "nobody listens there"}));
  EXPECT_THAT(r.sip.findings, Contains(finding{level::fail, "192.0.2.1:5060 udp", "no answer to OPTIONS"}));
  EXPECT_FALSE(r.is_reached());

  // Another one answers: others pass over it.
  f.xmpp.push_back(visit(true, certificate("sip.example")));
  f.sip.push_back(options(transport::tcp, "192.0.2.1:5060", 404));
  r = judge(sip_example(), f, now);
  EXPECT_THAT(r.xmpp.findings,
              Contains(finding{level::warn, "192.0.2.1:5269 STARTTLS", "nobody listens there"}));
  EXPECT_THAT(r.sip.findings, Contains(finding{level::ok, "192.0.2.1:5060 tcp OPTIONS", "404 Not Found"}));
  EXPECT_TRUE(r.is_reached());

  v.went = {};
  v.went.reached = stage::greeting;
  v.stream_error = "host-unknown";
  f.xmpp = {v};
  EXPECT_THAT(judge(sip_example(), f, now).xmpp.findings,
              Contains(finding{level::fail, "192.0.2.1:5269 STARTTLS", "refuses the stream: host-unknown"}));
}

TEST(doctor_report, takes_missing_ipv6_here_for_nobody_s_fault) {
  facts f = healthy();
  xmpp_visit v;
  v.to = {"gw.sip.example", at("[2001:db8::1]:5269"), false};
  v.went.why = io::fail::unreachable;
  f.xmpp.push_back(v);
  auto r = judge(sip_example(), f, now);
  EXPECT_THAT(r.xmpp.findings,
              Contains(finding{level::note, "[2001:db8::1]:5269 STARTTLS", "not looked at: no IPv6 here"}));
  EXPECT_TRUE(r.is_reached());
  f.xmpp = {v};
  EXPECT_FALSE(judge(sip_example(), f, now).is_reached()) << "nothing was seen";
}

TEST(doctor_report, knows_that_external_is_offered_to_certificates_only) {
  facts f = healthy();
  auto v = visit(false, certificate("sip.example"));
  v.dialback = v.bidi = false;
  f.xmpp = {v};
  auto who = sip_example();
  EXPECT_TRUE(judge(who, f, now).is_reached());
  who.shows_certificate = true;
  EXPECT_FALSE(judge(who, f, now).is_reached());
  f.xmpp[0].external = true;
  const auto r = judge(who, f, now);
  EXPECT_THAT(r.xmpp.findings,
              Contains(finding{level::ok, "192.0.2.1:5269 STARTTLS offers", "SASL EXTERNAL"}));
  EXPECT_TRUE(r.is_reached());
}

// RFC 5922 §7.2.
TEST(doctor_report, wants_the_sip_domain_itself_in_a_sip_server_s_certificate) {
  facts f = healthy();
  f.sip = {options(transport::tls, "192.0.2.1:5061", 200)};
  f.sip[0].went.identity = certificate("*.example");
  EXPECT_FALSE(judge(sip_example(), f, now).is_reached());
  f.sip.push_back(options(transport::tcp, "192.0.2.1:5060", 200));
  EXPECT_TRUE(judge(sip_example(), f, now).is_reached());
  f.sip[0].went.identity = certificate("sip.example");
  EXPECT_THAT(
      judge(sip_example(), f, now).sip.findings,
      Contains(finding{level::ok, "192.0.2.1:5061 tls certificate", "for sip.example, 61 days left"}));
}

TEST(doctor_report, leaves_out_what_was_not_looked_at) {
  auto who = sip_example();
  who.sip = false;
  const auto r = judge(who, healthy(), now);
  EXPECT_THAT(to_text(r), Not(HasSubstr("SIP")));
  EXPECT_THAT(to_json(r), Not(HasSubstr("\"sip\"")));
}

TEST(doctor_report, is_one_json_object) {
  auto who = sip_example();
  who.sip = false;
  EXPECT_EQ(to_json(judge(who, with_answers({}), now)),
            R"({"domain":"sip.example","reached":false,"xmpp":{"reached":false,"checks":[)"
            R"({"level":"FAIL","what":"SRV _xmpp-server._tcp","told":"none"},)"
            R"({"level":"note","what":"SRV _xmpps-server._tcp","told":"none; direct TLS is optional"}]},)"
            R"("records":[)"
            R"({"record":"_xmpp-server._tcp.sip.example. 3600 IN SRV 0 5 5269 <host>.","needed":true},)"
            R"({"record":"<host>. 3600 IN A <IPv4 address>","needed":true},)"
            R"({"record":"_xmpps-server._tcp.sip.example. 3600 IN SRV 0 5 5270 <host>.","needed":false}]})"
            "\n");
}

}  // namespace
