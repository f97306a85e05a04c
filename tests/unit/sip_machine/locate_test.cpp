#include "sip/machine/locate.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "base/text.hpp"

namespace {

using namespace stox;
using namespace stox::sip;
using dns::question;
using io::lookup_status;
using io::record_type;

// A zone in lines: "a.example A 192.0.2.1", "_sip._udp.x SRV 10 60 5060 a.example", "x NAPTR 10 50 s SIP+D2U
// target", "dead.example FAIL". Names without a line are not there.
class zone {
 public:
  explicit zone(const std::string& lines) {
    std::istringstream in(lines);
    for (std::string line; std::getline(in, line);) add(line);
  }
  dns::answer answer(const question& q) const {
    if (failing_.contains(q.name)) return {lookup_status::failed, {}};
    const auto at = records_.find(q);
    if (at != records_.end()) return {lookup_status::found, at->second};
    return {names_.contains(q.name) ? lookup_status::no_data : lookup_status::no_name, {}};
  }

 private:
  void add(const std::string& line) {
    std::istringstream in(line);
    std::string name, type;
    if (!(in >> name >> type)) return;
    names_.insert(name);
    if (type == "FAIL") failing_.insert(name);
    if (type == "A" || type == "AAAA") {
      std::string ip;
      in >> ip;
      records_[{type == "A" ? record_type::a : record_type::aaaa, name}].emplace_back(*ip_address::parse(ip));
    }
    if (type == "SRV") {
      dns::srv_record r;
      in >> r.priority >> r.weight >> r.port >> r.target;
      if (r.target == ".") r.target.clear();
      records_[{record_type::srv, name}].emplace_back(r);
    }
    if (type == "NAPTR") {
      dns::naptr_record r;
      in >> r.order >> r.preference >> r.flags >> r.service >> r.replacement;
      r.service = text::to_lower(r.service);
      if (r.replacement == "regexp") r.replacement = "x", r.regexp = "!.*!x!";
      records_[{record_type::naptr, name}].emplace_back(r);
    }
  }
  std::map<question, std::vector<dns::record>> records_;
  std::set<std::string> names_, failing_;
};

struct outcome {
  std::string asked, targets;
  located::reason why{};
};

std::string_view word(located::reason r) {
  switch (r) {
    case located::reason::none: return "none";
    case located::reason::no_name: return "no_name";
    case located::reason::no_answer: return "no_answer";
    case located::reason::no_transport: return "no_transport";
  }
  return "?";
}

outcome run(const std::string& uri_text, const std::string& lines, const reach& can = {}) {
  const zone z(lines);
  counting_ids ids;
  dns_answers known;
  const auto where = destination_of(*parse_uri(uri_text));
  if (!where) return {"", "no destination", {}};
  outcome out;
  for (int round = 0; round < 10; ++round) {
    const auto step = locate(*where, can, known, ids);
    for (const auto& q : step.questions) {
      out.asked += to_string(q) + "\n";
      EXPECT_FALSE(known.contains(q)) << "asked twice: " << to_string(q);
      known[q] = z.answer(q);
    }
    if (!step.questions.empty()) {
      EXPECT_TRUE(step.targets.empty());
      continue;
    }
    for (const auto& t : step.targets)
      out.targets +=
          (out.targets.empty() ? "" : ", ") + std::string(to_string(t.via)) + " " + t.to.to_string();
    out.why = step.why;
    if (step.targets.empty()) out.targets = word(step.why);
    return out;
  }
  ADD_FAILURE() << "does not end";
  return out;
}

constexpr reach everything{true, true, true, true, true};
constexpr reach v4_only{true, true, true, true, false};

TEST(locate, asks_nothing_about_an_address) {
  EXPECT_EQ(run("sip:a@192.0.2.1", "").targets, "udp 192.0.2.1:5060");
  EXPECT_EQ(run("sip:a@192.0.2.1:5070;transport=tcp", "").targets, "tcp 192.0.2.1:5070");
  EXPECT_EQ(run("sip:a@[2001:db8::1]", "").targets, "udp [2001:db8::1]:5060");
  EXPECT_EQ(run("sips:a@192.0.2.1", "", everything).targets, "tls 192.0.2.1:5061");
  EXPECT_EQ(run("sip:a@192.0.2.1;transport=tls", "", everything).targets, "tls 192.0.2.1:5061");
  EXPECT_EQ(run("sip:a@192.0.2.1", "").asked, "");
}

TEST(locate, asks_only_for_addresses_when_there_is_a_port) {
  const auto got = run("sip:a@Example.com:5070", "example.com A 192.0.2.1\nexample.com AAAA 2001:db8::1");
  EXPECT_EQ(got.asked, "AAAA example.com\nA example.com\n");
  EXPECT_EQ(got.targets, "udp [2001:db8::1]:5070, udp 192.0.2.1:5070");
}

TEST(locate, leaves_out_a_family_that_we_do_not_have) {
  const auto got =
      run("sip:a@example.com:5070", "example.com A 192.0.2.1\nexample.com AAAA 2001:db8::1", v4_only);
  EXPECT_EQ(got.asked, "A example.com\n");
  EXPECT_EQ(got.targets, "udp 192.0.2.1:5070");
}

// The example of RFC 3263 §4.1: the server prefers TLS over TCP, then TCP, then UDP.
constexpr char rfc_zone[] = R"(example.com NAPTR 50 50 s SIPS+D2T _sips._tcp.example.com
example.com NAPTR 90 50 s SIP+D2T _sip._tcp.example.com
example.com NAPTR 100 50 s SIP+D2U _sip._udp.example.com
_sip._tcp.example.com SRV 0 1 5060 server1.example.com
_sip._tcp.example.com SRV 1 2 5060 server2.example.com
_sip._udp.example.com SRV 0 1 5060 server1.example.com
_sips._tcp.example.com SRV 0 1 5061 server1.example.com
server1.example.com A 192.0.2.1
server2.example.com A 192.0.2.2)";

TEST(locate, does_not_fall_back_to_clear_text_where_tls_comes_first) {
  const std::string servers = R"(_sip._udp.example.com SRV 0 1 5060 a.example.com
_sips._tcp.example.com SRV 0 1 5061 a.example.com
a.example.com A 192.0.2.1
)";
  const std::string tls = "s SIPS+D2T _sips._tcp.example.com\n", udp = "s SIP+D2U _sip._udp.example.com\n";
  const auto can = reach{true, true, true, true, false};
  EXPECT_EQ(run("sip:a@example.com",
                servers + "example.com NAPTR 10 1 " + tls + "example.com NAPTR 10 2 " + udp, can)
                .targets,
            "tls 192.0.2.1:5061")
      << "whoever is in the way could make TLS fail";
  EXPECT_EQ(run("sip:a@example.com",
                servers + "example.com NAPTR 10 2 " + tls + "example.com NAPTR 10 1 " + udp, can)
                .targets,
            "udp 192.0.2.1:5060, tls 192.0.2.1:5061");
}

TEST(locate, follows_the_naming_pointer_that_comes_first_of_what_we_have) {
  EXPECT_EQ(run("sip:a@example.com", rfc_zone, {true, true, true, true, false}).targets,
            "tls 192.0.2.1:5061");
  EXPECT_EQ(run("sip:a@example.com", rfc_zone, {true, true, false, true, false}).targets,
            "tcp 192.0.2.1:5060, tcp 192.0.2.2:5060");
  EXPECT_EQ(run("sip:a@example.com", rfc_zone, {true, false, false, true, false}).targets,
            "udp 192.0.2.1:5060");
  EXPECT_EQ(run("sips:a@example.com", rfc_zone, v4_only).targets, "tls 192.0.2.1:5061");
}

TEST(locate, of_one_order_takes_all_by_preference) {
  EXPECT_EQ(run("sip:a@x.example", R"(x.example NAPTR 10 20 s SIP+D2U _sip._udp.x.example
x.example NAPTR 10 10 s SIP+D2T _sip._tcp.x.example
_sip._udp.x.example SRV 0 0 5060 a.x.example
_sip._tcp.x.example SRV 0 0 5062 a.x.example
a.x.example A 192.0.2.1)",
                v4_only)
                .targets,
            "tcp 192.0.2.1:5062, udp 192.0.2.1:5060");
}

TEST(locate, does_not_go_over_less_than_tls_for_sips) {
  EXPECT_EQ(run("sips:a@example.com", rfc_zone).targets, "no_transport");
  EXPECT_EQ(run("sips:a@192.0.2.1", "").targets, "no_transport");
  EXPECT_EQ(run("sips:a@x.example;transport=tcp",
                "_sips._tcp.x.example SRV 0 0 5061 h.example\nh.example A 192.0.2.1", v4_only)
                .targets,
            "tls 192.0.2.1:5061");
}

TEST(locate, says_when_only_other_transports_are_offered) {
  EXPECT_EQ(run("sip:a@x.example", "x.example NAPTR 10 10 s SIPS+D2T _sips._tcp.x.example").targets,
            "no_transport");
}

TEST(locate, a_pointer_to_no_service_leaves_the_address_of_the_domain) {
  const std::string zone = "x.example NAPTR 10 10 s SIP+D2T _sip._tcp.x.example\nx.example A 192.0.2.9\n";
  EXPECT_EQ(run("sip:a@x.example", zone, v4_only).targets, "tcp 192.0.2.9:5060");
  EXPECT_EQ(run("sip:a@x.example", zone + "_sip._tcp.x.example SRV 0 0 0 .", v4_only).targets, "no_name");
}

TEST(locate, a_failed_question_for_services_is_not_the_answer_that_there_are_none) {
  EXPECT_EQ(run("sip:a@x.example;transport=udp", "_sip._udp.x.example FAIL\nx.example A 192.0.2.9").targets,
            "no_answer");
}

TEST(locate, of_too_many_servers_keeps_those_to_be_tried_first) {
  std::string lines = "h.example A 192.0.2.1\n";
  for (int i = 0; i < 60; ++i)
    lines += "_sip._udp.x.example SRV " + std::to_string(60 - i) + " 0 " + std::to_string(5000 + i) +
             " h.example\n";
  EXPECT_EQ(run("sip:a@x.example;transport=udp", lines, v4_only).targets.substr(0, 18), "udp 192.0.2.1:5059");
}

TEST(locate, writes_to_nobody_who_is_no_host) {
  for (const char* ip : {"0.0.0.0", "224.0.1.75", "255.255.255.255"})
    EXPECT_EQ(run("sip:a@x.example:5060", std::string("x.example A ") + ip, v4_only).targets, "no_name")
        << ip;
  EXPECT_EQ(run("sip:a@x.example:5060", "x.example AAAA ff02::1").targets, "no_name");
  EXPECT_EQ(
      run("sip:a@x.example;transport=udp", "_sip._udp.x.example SRV 0 0 0 h.example\nh.example A 192.0.2.1")
          .targets,
      "no_name");
}

TEST(locate, ignores_pointers_that_are_not_for_sip) {
  EXPECT_EQ(run("sip:a@x.example", R"(x.example NAPTR 10 10 u E2U+sip regexp
x.example NAPTR 10 10 s SIP+D2U regexp
x.example A 192.0.2.9)",
                v4_only)
                .targets,
            "udp 192.0.2.9:5060");
}

TEST(locate, looks_for_services_where_there_are_no_pointers) {
  const auto got = run("sip:a@x.example", R"(_sip._tcp.x.example SRV 5 0 5066 b.x.example
_sip._udp.x.example SRV 10 0 5060 a.x.example
a.x.example A 192.0.2.1
b.x.example A 192.0.2.2)",
                       {true, true, false, true, false});
  EXPECT_EQ(
      got.asked,
      "NAPTR x.example\nSRV _sip._udp.x.example\nSRV _sip._tcp.x.example\nA a.x.example\nA b.x.example\n");
  EXPECT_EQ(got.targets, "udp 192.0.2.1:5060, tcp 192.0.2.2:5066");
}

TEST(locate, takes_the_services_of_the_transport_that_was_given) {
  const auto got = run("sip:a@x.example;transport=TCP", R"(_sip._tcp.x.example SRV 20 0 5060 late.x.example
_sip._tcp.x.example SRV 10 0 5060 first.x.example
first.x.example A 192.0.2.1
late.x.example A 192.0.2.2
late.x.example A 192.0.2.3)",
                       v4_only);
  EXPECT_EQ(got.asked, "SRV _sip._tcp.x.example\nA first.x.example\nA late.x.example\n");
  EXPECT_EQ(got.targets, "tcp 192.0.2.1:5060, tcp 192.0.2.2:5060, tcp 192.0.2.3:5060");
}

TEST(locate, ends_with_the_address_of_the_domain) {
  EXPECT_EQ(run("sip:a@x.example", "x.example A 192.0.2.1", v4_only).targets, "udp 192.0.2.1:5060");
  EXPECT_EQ(run("sip:a@x.example;transport=tcp", "x.example A 192.0.2.1", v4_only).targets,
            "tcp 192.0.2.1:5060");
  EXPECT_EQ(run("sips:a@x.example", "x.example A 192.0.2.1", v4_only).targets, "tls 192.0.2.1:5061");
}

TEST(locate, a_service_that_is_not_there_ends_it) {
  EXPECT_EQ(
      run("sip:a@x.example;transport=udp", "_sip._udp.x.example SRV 0 0 0 .\nx.example A 192.0.2.1").targets,
      "no_name");
}

TEST(locate, says_whether_there_is_nothing_or_nobody_answered) {
  EXPECT_EQ(run("sip:a@nowhere.example", "").targets, "no_name");
  EXPECT_EQ(run("sip:a@dead.example", "dead.example FAIL").targets, "no_answer");
  // One server of two that can be found is enough.
  EXPECT_EQ(run("sip:a@x.example;transport=udp", R"(_sip._udp.x.example SRV 0 0 5060 dead.example
_sip._udp.x.example SRV 1 0 5060 b.example
dead.example FAIL
b.example A 192.0.2.2)",
                v4_only)
                .targets,
            "udp 192.0.2.2:5060");
}

TEST(locate, is_bounded) {
  std::string lines;
  for (int i = 0; i < 60; ++i)
    lines += "_sip._udp.x.example SRV 0 0 " + std::to_string(5000 + i) + " h.example\n";
  lines += "h.example A 192.0.2.1\n";
  const auto got = run("sip:a@x.example;transport=udp", lines, v4_only);
  EXPECT_EQ(std::count(got.targets.begin(), got.targets.end(), ','), 15);
}

TEST(locate, maddr_names_the_server) {
  EXPECT_EQ(run("sip:a@x.example;maddr=192.0.2.5", "").targets, "udp 192.0.2.5:5060");
}

TEST(locate, knows_no_other_scheme_or_transport) {
  EXPECT_EQ(run("sip:a@x.example;transport=sctp", "").targets, "no destination");
  EXPECT_EQ(run("tel:+123", "").targets, "no destination");
}

}  // namespace
