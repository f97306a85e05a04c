#include "doctor/checkup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace {

using namespace stox;
using namespace stox::doctor;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string number16(unsigned n) { return {static_cast<char>(n >> 8), static_cast<char>(n & 0xFF)}; }

std::string wire_name(std::string_view name) {
  std::string out;
  if (!name.empty()) {
    for (const auto label : text::split(name, '.')) {
      out += static_cast<char>(label.size());
      out += label;
    }
  }
  return out + '\0';
}

std::string srv(unsigned port, std::string_view target) {
  return number16(0) + number16(5) + number16(port) + wire_name(target);
}

std::string a(std::string_view address) {
  const auto ip = *ip_address::parse(address);
  return {reinterpret_cast<const char*>(ip.bytes.data()) + 12, 4};
}

socket_address at(std::string_view text) { return *socket_address::parse(text); }

constexpr conn_id udp_listener{7};

/// One examination, whose DNS answers at once; what it does beyond asking is kept.
class examined {
 public:
  explicit examined(bool xmpp, bool sip) : check(who(xmpp, sip), ids) {}

  static subject who(bool xmpp, bool sip) {
    subject s;
    s.domain = s.ascii = "sip.example";
    s.from = s.from_ascii = "asker.example";
    s.xmpp = xmpp;
    s.sip = sip;
    return s;
  }

  void knows(io::record_type type, std::string name, std::vector<std::string> data) {
    zone[{type, std::move(name)}] = std::move(data);
  }
  void start() {
    check.handle(io::listening{udp_listener, transport::udp, at("0.0.0.0:40000")}, now);
    check.start(now);
    drain();
  }
  void tell(const io::event& e) {
    check.handle(e, now);
    drain();
  }
  void receive(conn_id conn, std::string_view bytes) { tell(io::received{conn, {}, bytes}); }
  void advance(duration d) {
    now = now + d;
    check.handle_timeout(now);
    drain();
  }
  std::string take_sent() {
    std::string out;
    for (auto& s : sends) out += s.bytes;
    sends.clear();
    return out;
  }

  instant now{steady_time(1h), wall_time(50 * 365 * 24h)};
  std::map<dns::question, std::vector<std::string>> zone;
  bool dns_is_silent = false;
  std::vector<io::open> opens;
  std::vector<io::send> sends;
  std::vector<io::start_tls> secures;
  std::vector<conn_id> closes;
  unsigned cancelled = 0;
  counting_ids ids;
  checkup check;

 private:
  void drain() {
    while (auto action = check.poll()) {
      if (auto* q = std::get_if<io::lookup>(&*action)) {
        if (!dns_is_silent) answer(*q);
      } else if (auto* o = std::get_if<io::open>(&*action)) {
        opens.push_back(*o);
      } else if (auto* s = std::get_if<io::send>(&*action)) {
        sends.push_back(*s);
      } else if (auto* t = std::get_if<io::start_tls>(&*action)) {
        secures.push_back(*t);
      } else if (auto* c = std::get_if<io::close>(&*action)) {
        closes.push_back(c->conn);
      } else {
        ++cancelled;
      }
    }
  }
  void answer(const io::lookup& q) {
    const auto known = zone.find({q.type, q.name});
    io::looked_up l{q.id, io::lookup_status::no_data, 60, {}, false};
    if (known != zone.end()) {
      l.status = io::lookup_status::found;
      l.data = known->second;
    }
    check.handle(l, now);
  }
};

constexpr std::string_view header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
    "xmlns:stream='http://etherx.jabber.org/streams' "
    "from='sip.example' to='asker.example' id='1' version='1.0'>";
constexpr std::string_view starttls =
    "<stream:features><starttls "
    "xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>";
constexpr std::string_view proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr std::string_view features =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism>"
    "</mechanisms><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
    "<bidi xmlns='urn:xmpp:features:bidi'/></stream:features>";

examined with_xmpp_server() { return examined(true, false); }

void name_server(examined& x) {
  x.knows(io::record_type::srv, "_xmpp-server._tcp.sip.example", {srv(5269, "gw.sip.example")});
  x.knows(io::record_type::a, "gw.sip.example", {a("192.0.2.1")});
}

TEST(checkup, sees_what_a_stranger_is_offered_over_starttls) {
  auto x = with_xmpp_server();
  name_server(x);
  x.start();
  ASSERT_EQ(x.opens.size(), 1u);
  const auto conn = x.opens[0].conn;
  EXPECT_EQ(x.opens[0].via, transport::tcp);
  EXPECT_EQ(x.opens[0].to, at("192.0.2.1:5269"));
  x.tell(io::opened{conn, at("192.0.2.9:1"), at("192.0.2.1:5269")});
  EXPECT_THAT(x.take_sent(), HasSubstr(" from='asker.example' to='sip.example' version='1.0'"));
  x.receive(conn, header);
  x.receive(conn, starttls);
  EXPECT_EQ(x.take_sent(), "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  // RFC 6120 §5.4.3.3: what somebody in the middle adds in clear is nobody's word.
  x.receive(conn, std::string(proceed) + std::string(features));
  ASSERT_EQ(x.secures.size(), 1u);
  EXPECT_EQ(x.secures[0].server_name, "sip.example");
  x.receive(conn, features);
  EXPECT_FALSE(x.check.is_done());
  peer_identity identity;
  identity.common_name = "gw";
  x.tell(io::secured{conn, identity});
  EXPECT_THAT(x.take_sent(), HasSubstr("<stream:stream"));
  x.receive(conn, std::string(header) + std::string(features));
  EXPECT_TRUE(x.check.is_done());
  EXPECT_THAT(x.closes, ElementsAre(conn));
  const auto found = x.check.found();
  ASSERT_EQ(found.xmpp.size(), 1u);
  const auto& v = found.xmpp[0];
  EXPECT_EQ(v.went.reached, stage::done);
  EXPECT_EQ(v.went.identity, identity);
  EXPECT_TRUE(v.starttls && v.external && v.dialback && v.bidi);
  EXPECT_FALSE(v.resumption);
}

TEST(checkup, asks_for_the_domain_and_the_protocol_over_direct_tls) {
  auto x = with_xmpp_server();
  x.knows(io::record_type::srv, "_xmpps-server._tcp.sip.example", {srv(5270, "gw.sip.example")});
  x.knows(io::record_type::a, "gw.sip.example", {a("192.0.2.1")});
  x.start();
  ASSERT_EQ(x.opens.size(), 1u);
  EXPECT_EQ(x.opens[0].via, transport::tls);
  EXPECT_EQ(x.opens[0].alpn, "xmpp-server");
  EXPECT_EQ(x.opens[0].server_name, "sip.example");
  x.tell(io::opened{x.opens[0].conn, {}, {}, peer_identity{}});
  x.receive(x.opens[0].conn, std::string(header) + std::string(features));
  EXPECT_TRUE(x.check.is_done());
  EXPECT_EQ(x.check.found().xmpp.at(0).went.reached, stage::done);
}

// RFC 6120 §3.2.2.
TEST(checkup, falls_back_to_the_domain_s_address_only_without_srv_records) {
  auto x = with_xmpp_server();
  x.knows(io::record_type::a, "sip.example", {a("192.0.2.7")});
  x.start();
  ASSERT_EQ(x.opens.size(), 1u);
  EXPECT_EQ(x.opens[0].to, at("192.0.2.7:5269"));
  EXPECT_TRUE(x.check.found().xmpp_by_address);

  auto with_record = with_xmpp_server();
  name_server(with_record);
  with_record.knows(io::record_type::a, "sip.example", {a("192.0.2.7")});
  with_record.start();
  ASSERT_EQ(with_record.opens.size(), 1u);
  EXPECT_EQ(with_record.opens[0].to, at("192.0.2.1:5269"));
}

TEST(checkup, tells_a_stream_error) {
  auto x = with_xmpp_server();
  name_server(x);
  x.start();
  const auto conn = x.opens.at(0).conn;
  x.tell(io::opened{conn, {}, {}});
  x.receive(conn, header);
  x.receive(conn,
            "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
            "</stream:stream>");
  EXPECT_TRUE(x.check.is_done());
  EXPECT_EQ(x.check.found().xmpp.at(0).stream_error, "host-unknown");
}

TEST(checkup, sees_that_tls_is_not_offered_or_that_it_is_no_xmpp) {
  for (const auto* bytes : {"<stream:features/>", "HTTP/1.1 400 Bad Request\r\n\r\n"}) {
    auto x = with_xmpp_server();
    name_server(x);
    x.start();
    const auto conn = x.opens.at(0).conn;
    x.tell(io::opened{conn, {}, {}});
    x.receive(conn, bytes[0] == '<' ? std::string(header) + bytes : std::string(bytes));
    EXPECT_TRUE(x.check.is_done()) << bytes;
    EXPECT_EQ(x.check.found().xmpp.at(0).went.reached, stage::greeting);
    EXPECT_THAT(x.check.found().xmpp.at(0).went.detail,
                testing::AnyOf("it offers no STARTTLS", "what it sends is no XMPP stream"));
  }
}

TEST(checkup, waits_for_each_step_and_no_longer) {
  auto x = with_xmpp_server();
  name_server(x);
  x.start();
  const auto conn = x.opens.at(0).conn;
  x.advance(4s);
  x.tell(io::opened{conn, {}, {}});
  x.advance(4s);
  EXPECT_FALSE(x.check.is_done());
  EXPECT_EQ(x.check.next_deadline(), x.now.steady + 1s);
  x.advance(1s);
  EXPECT_TRUE(x.check.is_done());
  EXPECT_EQ(x.check.found().xmpp.at(0).went.why, io::fail::timed_out);
  EXPECT_EQ(x.check.found().xmpp.at(0).went.reached, stage::greeting);
  EXPECT_THAT(x.closes, ElementsAre(conn));
}

TEST(checkup, does_not_wait_for_a_silent_dns) {
  examined x(true, true);
  x.dns_is_silent = true;
  x.start();
  x.advance(5s);
  for (int round = 0; round < 5 && !x.check.is_done(); ++round) x.advance(5s);
  EXPECT_TRUE(x.check.is_done());
  EXPECT_GT(x.cancelled, 5u);
  EXPECT_THAT(x.opens, IsEmpty());
  const auto found = x.check.found();
  for (const auto& [q, answer] : found.dns)
    EXPECT_EQ(answer.status, io::lookup_status::failed) << to_string(q);
}

constexpr std::string_view answer =
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP asker.example:40000;branch=BRANCH;rport=40000\r\n"
    "From: <sip:asker.example>;tag=t-1\r\nTo: <sip:sip.example>;tag=x\r\nCall-ID: c-1\r\nCSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n";

std::string answer_for(std::string_view branch) {
  std::string out(answer);
  return out.replace(out.find("BRANCH"), 6, branch);
}

TEST(checkup, asks_sip_servers_for_their_options_by_datagram) {
  examined x(false, true);
  x.knows(io::record_type::srv, "_sip._udp.sip.example", {srv(5070, "gw.sip.example")});
  x.knows(io::record_type::a, "gw.sip.example", {a("192.0.2.1")});
  x.start();
  ASSERT_EQ(x.sends.size(), 1u);
  EXPECT_EQ(x.sends[0].conn, udp_listener);
  EXPECT_EQ(x.sends[0].to, at("192.0.2.1:5070"));
  const auto first = x.take_sent();
  EXPECT_EQ(first,
            "OPTIONS sip:sip.example SIP/2.0\r\n"
            "Via: SIP/2.0/UDP asker.example:40000;branch=z9hG4bK-1;rport\r\n"
            "Max-Forwards: 70\r\n"
            "From: <sip:asker.example>;tag=t-1\r\n"
            "To: <sip:sip.example>\r\n"
            "Call-ID: c-1\r\n"
            "CSeq: 1 OPTIONS\r\n"
            "Content-Length: 0\r\n\r\n");
  x.advance(500ms);
  EXPECT_EQ(x.take_sent(), first) << "RFC 3261 §17.1.2.2: Timer E";
  x.receive(udp_listener, "what is this");
  x.receive(udp_listener, answer_for("z9hG4bK-2"));
  EXPECT_FALSE(x.check.is_done()) << "somebody else's answer";
  x.receive(udp_listener, answer_for("z9hG4bK-1"));
  EXPECT_TRUE(x.check.is_done());
  EXPECT_EQ(x.check.found().sip.at(0).status, 200);
  EXPECT_EQ(x.check.next_deadline(), std::nullopt);
}

TEST(checkup, hears_that_there_is_no_way_for_a_datagram) {
  examined x(false, true);
  x.knows(io::record_type::srv, "_sip._udp.sip.example", {srv(5070, "gw.sip.example")});
  x.knows(io::record_type::a, "gw.sip.example", {a("192.0.2.1"), a("192.0.2.2")});
  x.start();
  ASSERT_EQ(x.sends.size(), 2u);
  x.tell(io::send_failed{x.sends[0].tok, io::fail::unreachable});
  EXPECT_FALSE(x.check.is_done());
  x.receive(udp_listener, answer_for("z9hG4bK-2"));
  EXPECT_TRUE(x.check.is_done());
  EXPECT_EQ(x.check.found().sip.at(0).went.why, io::fail::unreachable);
  EXPECT_EQ(x.check.found().sip.at(1).status, 200);
}

TEST(checkup, asks_sip_servers_for_their_options_by_connection) {
  examined x(false, true);
  x.knows(io::record_type::srv, "_sips._tcp.sip.example", {srv(5061, "gw.sip.example")});
  x.knows(io::record_type::a, "gw.sip.example", {a("192.0.2.1")});
  x.start();
  ASSERT_EQ(x.opens.size(), 1u);
  EXPECT_EQ(x.opens[0].via, transport::tls);
  EXPECT_EQ(x.opens[0].server_name, "sip.example");
  peer_identity identity;
  identity.common_name = "gw";
  x.tell(io::opened{x.opens[0].conn, at("192.0.2.9:50000"), at("192.0.2.1:5061"), identity});
  EXPECT_THAT(x.take_sent(), HasSubstr("Via: SIP/2.0/TLS 192.0.2.9:50000;branch="));
  const auto text = answer_for("z9hG4bK-1");
  x.receive(x.opens[0].conn, std::string_view(text).substr(0, 40));
  EXPECT_FALSE(x.check.is_done());
  x.receive(x.opens[0].conn, std::string_view(text).substr(40));
  EXPECT_TRUE(x.check.is_done());
  EXPECT_EQ(x.check.found().sip.at(0).status, 200);
  EXPECT_EQ(x.check.found().sip.at(0).went.identity, identity);
  EXPECT_THAT(x.closes, ElementsAre(x.opens[0].conn));
}

TEST(checkup, asks_a_bounded_number_of_questions) {
  examined x(true, false);
  std::vector<std::string> many;
  for (int i = 0; i < 500; ++i) many.push_back(srv(5269, "h" + std::to_string(i) + ".example"));
  x.knows(io::record_type::srv, "_xmpp-server._tcp.sip.example", many);
  x.start();
  EXPECT_TRUE(x.check.is_done());
  EXPECT_LT(x.check.found().dns.size(), 121u);
}

}  // namespace
