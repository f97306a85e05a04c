#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/sip_script.hpp"

namespace stox::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr conn_id tls4{7};
constexpr conn_id peer{9};

peer_identity proves(std::vector<std::string> domains) {
  peer_identity who;
  who.chain_ok = true;
  who.has_san = true;
  who.san_dns = std::move(domains);
  who.fingerprint = "00";
  return who;
}

peer_identity from_a_wrong_authority(std::vector<std::string> domains) {
  auto who = proves(std::move(domains));
  who.chain_ok = false;
  who.why_not = "unable to get local issuer certificate";
  return who;
}

std::string ip4(std::string_view text) {
  const auto ip = *ip_address::parse(text);
  return {ip.bytes.end() - 4, ip.bytes.end()};
}

/// A gateway with a TLS listener that trusts who proves sip.example.
struct tls_world : sip_world {
  explicit tls_world(sip::endpoint_options o = tls_defaults()) : sip_world(std::move(o)) {
    handle(io::listening{tls4, transport::tls, address("127.0.0.1:5061")});
  }
  static sip::endpoint_options tls_defaults() {
    auto o = defaults();
    o.trusted_domains = {"sip.example"};
    o.advertise = {{std::nullopt, "gw.example", 0}};
    return o;
  }
  static sip_text text(const std::string& domain = "sip.example") {
    sip_text t;
    t.uri = "sip:bo@" + domain;
    t.via.clear();
    t.max_forwards.clear();
    return t;
  }
  /// Sends to a domain by TLS; it has these addresses.
  void send_to(const std::string& domain, const std::vector<std::string>& addresses,
               const sip_text& what = text()) {
    request_to(what, "sip:" + domain + ":5061;transport=tls");
    answer(io::lookup_status::no_data);  // AAAA
    std::vector<std::string> records;
    for (const auto& a : addresses) records.push_back(ip4(a));
    answer(io::lookup_status::found, std::move(records));
  }
  void open_as(conn_id conn, std::optional<peer_identity> who) {
    handle(io::opened{conn, address("127.0.0.1:41000"), {}, std::move(who)});
  }
  void accept_as(conn_id conn, const std::string& from, std::optional<peer_identity> who) {
    handle(io::accepted{conn, conn_use::sip, transport::tls, address("127.0.0.1:5061"), address(from),
                        std::move(who)});
  }
  /// The rim confirms what was closed.
  void confirm_closes() {
    for (const auto& c : std::exchange(closes, {})) handle(io::closed{c.conn, io::fail::closed_here});
  }
  std::string logged(std::string_view event) const {
    for (const auto& r : log) {
      if (r.event != event) continue;
      std::string out;
      for (const auto& [key, value] : r.fields) out += std::string(key) + "=" + value + " ";
      return out;
    }
    return {};
  }
};

sip_text over_tls(const std::string& via_params = "") {
  sip_text t;
  t.via = "SIP/2.0/TLS proxy.sip.example:5071;branch=z9hG4bKt1" + via_params;
  return t;
}

TEST(tls, sends_once_the_server_has_proved_the_domain) {
  tls_world w;
  w.send_to("sip.example", {"192.0.2.1"});
  ASSERT_EQ(w.opens.size(), 1U);
  EXPECT_EQ(w.opens[0].via, transport::tls);
  EXPECT_EQ(w.opens[0].server_name, "sip.example");
  EXPECT_EQ(w.opens[0].own_name, "gw.example");
  EXPECT_THAT(w.sends, IsEmpty());
  w.open_as(w.opens[0].conn, proves({"sip.example"}));
  ASSERT_EQ(w.sends.size(), 1U);
  EXPECT_THAT(header_of(w.last(), "Via"), HasSubstr("SIP/2.0/TLS gw.example:5061;"));
  EXPECT_THAT(header_of(w.last(), "Via"), HasSubstr(";alias"));
  w.stream(w.opens[0].conn, answer_to(w.last(), 200));
  EXPECT_EQ(w.all<sip::response_received>().size(), 1U);
}

TEST(tls, tells_a_server_that_proves_another_domain_nothing) {
  struct row {
    std::optional<peer_identity> who;
    const char* why;
  };
  for (const auto& r :
       {row{proves({"evil.example", "*.example"}), "its certificate is for evil.example"},
        row{from_a_wrong_authority({"sip.example"}), "unable to get local issuer certificate"},
        row{proves({}), "its certificate is for no SIP domain"}}) {
    SCOPED_TRACE(r.why);
    tls_world w;
    w.send_to("sip.example", {"192.0.2.1"});
    w.open_as(w.opens[0].conn, r.who);
    w.confirm_closes();
    EXPECT_THAT(w.sends, IsEmpty());
    const auto failed = w.all<sip::request_failed>();
    ASSERT_EQ(failed.size(), 1U);
    EXPECT_EQ(failed[0].why, sip::failure::transport);
    EXPECT_FALSE(failed[0].may_have_arrived);
    EXPECT_THAT(failed[0].detail, HasSubstr("did not prove to be sip.example"));
    EXPECT_THAT(failed[0].detail, HasSubstr(r.why));
    EXPECT_EQ(w.logged("sip.unproven_server"),
              std::string("peer=192.0.2.1:5061 domain=sip.example why=") + r.why + " ");
    EXPECT_EQ(w.ep.stats().unproven, 1U);
    EXPECT_EQ(w.ep.stats().connections, 0U);
  }
}

TEST(tls, goes_on_to_a_server_that_proves_the_domain) {
  tls_world w;
  w.send_to("sip.example", {"192.0.2.1", "192.0.2.2"});
  w.open_as(w.opens[0].conn, proves({"other.example"}));
  w.confirm_closes();
  ASSERT_EQ(w.opens.size(), 2U);
  EXPECT_EQ(w.opens[1].to, sip_world::address("192.0.2.2:5061"));
  w.open_as(w.opens[1].conn, proves({"sip.example"}));
  EXPECT_EQ(w.sends.size(), 1U);
  EXPECT_THAT(w.logged("sip.failover"), HasSubstr("did not prove to be sip.example"));
}

TEST(tls, tells_the_words_of_a_handshake_that_failed) {
  tls_world w;
  w.send_to("sip.example", {"192.0.2.1"});
  w.handle(io::closed{w.opens[0].conn, io::fail::tls, "tlsv1 alert unknown ca"});
  ASSERT_EQ(w.all<sip::request_failed>().size(), 1U);
  EXPECT_THAT(w.all<sip::request_failed>()[0].detail, HasSubstr("TLS failed: tlsv1 alert unknown ca"));
  EXPECT_EQ(w.logged("sip.tls_failed"), "peer=192.0.2.1:5061 domain=sip.example why=tlsv1 alert unknown ca ");
}

TEST(tls, shares_a_stream_between_requests_to_one_domain_only) {
  tls_world w;
  w.send_to("sip.example", {"192.0.2.1"});
  w.send_to("other.example", {"192.0.2.1"}, tls_world::text("other.example"));
  ASSERT_EQ(w.opens.size(), 2U);
  EXPECT_EQ(w.opens[1].server_name, "other.example");
  w.open_as(w.opens[0].conn, proves({"sip.example", "other.example"}));
  w.open_as(w.opens[1].conn, proves({"sip.example", "other.example"}));
  ASSERT_EQ(w.sends.size(), 2U);
  EXPECT_NE(w.sends[0].what.conn, w.sends[1].what.conn);
  w.request_to(tls_world::text(), "sip:sip.example:5061;transport=tls");
  ASSERT_EQ(w.sends.size(), 3U);
  EXPECT_EQ(w.sends[2].what.conn, w.opens[0].conn);
  EXPECT_EQ(w.opens.size(), 2U);
}

TEST(tls, uses_the_peers_stream_for_the_domain_that_it_proved) {
  tls_world w;
  w.accept_as(peer, "192.0.2.1:40000", proves({"sip.example", "more.example"}));
  w.stream(peer, over_tls(";alias").str());
  w.request_to(tls_world::text(), "sip:sip.example:5071;transport=tls");
  w.answer(io::lookup_status::no_data);
  w.answer(io::lookup_status::found, {ip4("192.0.2.1")});
  EXPECT_THAT(w.opens, IsEmpty());
  ASSERT_EQ(w.sends.size(), 1U);
  EXPECT_EQ(w.sends[0].what.conn, peer);
  // A domain that it did not prove, and another port at its address, are not there.
  w.request_to(tls_world::text("third.example"), "sip:third.example:5071;transport=tls");
  w.answer(io::lookup_status::no_data);
  w.answer(io::lookup_status::found, {ip4("192.0.2.1")});
  ASSERT_EQ(w.opens.size(), 1U);
  EXPECT_EQ(w.opens[0].server_name, "third.example");
  w.request_to(tls_world::text(), "sip:sip.example:5061;transport=tls");
  EXPECT_EQ(w.opens.size(), 2U);
  // Once it has ended, a new one is opened.
  w.handle(io::closed{peer, io::fail::peer_closed});
  w.request_to(tls_world::text(), "sip:sip.example:5071;transport=tls");
  EXPECT_EQ(w.opens.size(), 3U);
}

/// A gateway that is known by no name, with a certificate for each of two tenants, and one more.
sip::endpoint_options of_two_tenants() {
  auto o = tls_world::tls_defaults();
  o.advertise.clear();
  o.sip_domains = {"one.example", "two.example", "three.example"};
  o.certificates = {{"gw.example", {"gw.example"}},
                    {"One.example", {"one.example"}},
                    {"both.example", {"both.example", "two.example"}}};
  return o;
}

TEST(tls, shows_the_certificate_of_the_domain_for_which_it_sends) {
  tls_world w(of_two_tenants());
  const auto send_for = [&w](const std::string& domain) {
    const auto before = w.opens.size();
    w.request(tls_world::text(domain), {{transport::tls, tls_world::address("192.0.2.1:5061"), {}}}, domain);
    return w.opens.size() == before ? std::string("-") : w.opens.back().own_name;
  };
  EXPECT_EQ(send_for("one.example"), "One.example");
  EXPECT_EQ(send_for("two.example"), "both.example");
  EXPECT_EQ(send_for("three.example"), "gw.example") << "it has none: the first";
  EXPECT_EQ(send_for("one.example"), "-");
  EXPECT_EQ(send_for(""), "-") << "that of the first";
  // Who is known by one name is it for all.
  auto o = of_two_tenants();
  o.advertise = {{std::nullopt, "gw.example", 0}};
  w.ep.configure(o);
  EXPECT_EQ(send_for("one.example"), "-");
  o.advertise = {{transport::tls, "other.example", 0}};
  w.ep.configure(o);
  EXPECT_EQ(send_for("one.example"), "other.example");
  EXPECT_EQ(send_for("two.example"), "-");
}

TEST(tls, uses_the_peers_stream_for_the_domain_as_which_it_knows_us) {
  for (const auto& [sni, domain] :
       {std::pair{"ONE.example", "one.example"}, std::pair{"", "one.example"},
        std::pair{"nobody.example", "one.example"}, std::pair{"two.example", "two.example"},
        std::pair{"gw.example", "three.example"}}) {
    for (const std::string asked : {"one.example", "two.example", "three.example"}) {
      SCOPED_TRACE(std::string(sni) + " " + asked);
      tls_world w(of_two_tenants());
      auto who = proves({"sip.example"});
      who.sni = sni;
      w.accept_as(peer, "192.0.2.1:40000", who);
      w.stream(peer, over_tls(";alias").str());
      auto parsed = sip::parse_message(tls_world::text(asked).str(), sip::framing::datagram, {});
      w.request_by(std::get<sip::request>(*parsed), {{"sip.example", 5071, transport::tls, false}}, asked);
      w.answer(io::lookup_status::no_data);
      w.answer(io::lookup_status::found, {ip4("192.0.2.1")});
      EXPECT_EQ(w.opens.empty(), asked == domain);
    }
  }
}

TEST(tls, uses_no_stream_of_a_peer_that_did_not_offer_it_or_is_nobody) {
  struct row {
    const char* what;
    std::string from, via_params;
    peer_identity who;
  };
  for (const auto& r :
       {row{"not offered", "192.0.2.1:40000", "", proves({"sip.example"})},
        row{"no valid chain", "127.0.0.1:40000", ";alias", from_a_wrong_authority({"sip.example"})},
        row{"not trusted", "192.0.2.1:40000", ";alias", proves({"stranger.example"})}}) {
    SCOPED_TRACE(r.what);
    tls_world w;
    w.accept_as(peer, r.from, r.who);
    w.stream(peer, over_tls(r.via_params).str());
    const auto domain = r.who.san_dns.front();
    w.request_to(tls_world::text(domain), "sip:" + domain + ":5071;transport=tls");
    w.answer(io::lookup_status::no_data);
    w.answer(io::lookup_status::found, {ip4(r.from.substr(0, r.from.find(':')))});
    EXPECT_EQ(w.opens.size(), 1U);
  }
}

TEST(tls, trusts_a_peer_by_the_domain_that_it_proves) {
  tls_world w;
  w.accept_as(peer, "198.51.100.1:40000", proves({"SIP.example"}));
  w.stream(peer, over_tls().str());
  ASSERT_EQ(w.all<sip::request_received>().size(), 1U);
  EXPECT_TRUE(w.all<sip::request_received>()[0].peer.trusted);
  w.advance(30s);
  EXPECT_THAT(w.closes, IsEmpty());
  EXPECT_EQ(w.ep.stats().strangers, 0U);
}

TEST(tls, an_offered_stream_ends_with_the_trust_in_its_peer) {
  tls_world w;
  w.accept_as(peer, "192.0.2.1:40000", proves({"sip.example"}));
  w.stream(peer, over_tls(";alias").str());
  auto options = tls_world::tls_defaults();
  options.trusted_domains.clear();
  w.ep.configure(options);
  w.request_to(tls_world::text(), "sip:sip.example:5071;transport=tcp");
  ASSERT_EQ(w.closes.size(), 1U);
  EXPECT_EQ(w.closes[0].conn, peer);
  w.request_to(tls_world::text(), "sip:sip.example:5071;transport=tls");
  w.answer(io::lookup_status::no_data);
  w.answer(io::lookup_status::found, {ip4("192.0.2.1")});
  EXPECT_FALSE(w.opens.empty());
  for (const auto& s : w.sends) EXPECT_NE(s.what.conn, peer);
}

TEST(tls, forgets_what_was_proved_under_other_authorities) {
  tls_world w;
  w.accept_as(peer, "198.51.100.1:40000", proves({"sip.example"}));
  w.stream(peer, over_tls(";alias").str());
  w.ep.forget_proofs();
  w.request_to(tls_world::text(), "sip:sip.example:5071;transport=tls");
  ASSERT_EQ(w.closes.size(), 1U);
  EXPECT_EQ(w.closes[0].conn, peer);
  w.answer(io::lookup_status::no_data);
  w.answer(io::lookup_status::found, {ip4("198.51.100.1")});
  EXPECT_FALSE(w.opens.empty());
}

TEST(tls, takes_others_for_strangers_whatever_they_claim) {
  for (const auto& who : {peer_identity{}, from_a_wrong_authority({"sip.example"}),
                          proves({"sub.sip.example"}), proves({"*.example"}), proves({"example"})}) {
    tls_world w;
    w.accept_as(peer, "198.51.100.1:40000", who);
    EXPECT_EQ(w.ep.stats().strangers, 1U);
    w.stream(peer, over_tls().str());
    EXPECT_THAT(w.all<sip::request_received>(), IsEmpty());
    EXPECT_THAT(w.last(), HasSubstr("SIP/2.0 403"));
    EXPECT_EQ(w.closes.size(), 1U);
  }
}

TEST(tls, takes_no_word_for_it_over_tcp) {
  tls_world w;
  w.accept(peer, "198.51.100.1:40000");
  w.stream(peer, over_tls().str());
  EXPECT_THAT(w.last(), HasSubstr("SIP/2.0 403"));
}

TEST(tls, keeps_an_asserted_identity_among_trusted_domains) {
  for (const bool trusted : {true, false}) {
    auto o = tls_world::tls_defaults();
    if (!trusted) o.trusted_domains.clear();
    tls_world w(o);
    auto text = tls_world::text();
    text.extra = "P-Asserted-Identity: <sip:ana@xmpp.example>\r\n";
    w.send_to("sip.example", {"192.0.2.1"}, text);
    w.open_as(w.opens[0].conn, proves({"sip.example"}));
    EXPECT_EQ(!header_of(w.last(), "P-Asserted-Identity").empty(), trusted);
  }
}

TEST(tls, answers_on_a_new_stream_only_to_the_host_that_asked) {
  tls_world w;
  w.accept_as(peer, "192.0.2.1:40000", proves({"sip.example"}));
  w.stream(peer, over_tls().str());
  w.handle(io::closed{peer, io::fail::reset});
  w.respond(w.all<sip::request_received>().at(0).tx, 200);
  ASSERT_EQ(w.opens.size(), 1U);
  EXPECT_EQ(w.opens[0].to, sip_world::address("192.0.2.1:5071"));
  EXPECT_EQ(w.opens[0].server_name, "proxy.sip.example");
  w.open_as(w.opens[0].conn, proves({"sip.example"}));
  EXPECT_THAT(w.sends, IsEmpty());
  w.confirm_closes();
  // RFC 3263 §5: then the servers of that name, which has none.
  w.answer(io::lookup_status::no_data);
  w.answer(io::lookup_status::no_data);
  EXPECT_THAT(w.logged("sip.response_lost"), HasSubstr("192.0.2.1:5071"));
}

// RFC 5626 §3.5.1, §4.4.1.
class keep_alive : public testing::Test {
 protected:
  keep_alive() {
    w.request(sip_text{.via = "", .max_forwards = ""}, {sip_world::tcp_to("127.0.0.1:5080")});
    conn = w.opens.at(0).conn;
    w.open(conn);
    w.stream(conn, answer_to(w.last(), 200));
    w.sends.clear();
  }
  std::size_t pings() const {
    return static_cast<std::size_t>(std::count_if(w.sends.begin(), w.sends.end(),
                                                  [](const auto& s) { return s.what.bytes == "\r\n\r\n"; }));
  }
  sip_world w;
  conn_id conn{};
};

TEST_F(keep_alive, pings_a_stream_of_ours_that_is_silent) {
  w.advance(119s);
  EXPECT_EQ(pings(), 0U);
  w.advance(2s);
  EXPECT_EQ(pings(), 1U);
  EXPECT_EQ(w.sends.at(0).what.conn, conn);
  EXPECT_EQ(w.ep.stats().pings, 1U);
}

TEST_F(keep_alive, does_not_ping_while_there_is_traffic) {
  for (int i = 0; i < 4; ++i) {
    w.advance(100s);
    w.stream(conn, over_tls().str());
  }
  EXPECT_EQ(pings(), 0U);
}

TEST_F(keep_alive, pings_a_stream_that_only_we_use) {
  for (int i = 0; i < 4; ++i) {
    w.advance(31s);
    w.request(sip_text{.via = "", .max_forwards = ""}, {sip_world::tcp_to("127.0.0.1:5080")});
  }
  EXPECT_EQ(pings(), 1U) << "what we send shows nothing of the peer";
}

TEST_F(keep_alive, does_not_ping_streams_that_peers_opened) {
  sip_world other;
  other.accept(peer);
  other.advance(4min);
  EXPECT_THAT(other.sends, IsEmpty());
}

TEST_F(keep_alive, does_not_judge_a_peer_that_never_answered) {
  w.advance(4min);
  EXPECT_EQ(pings(), 2U);
  EXPECT_THAT(w.closes, IsEmpty());
}

TEST_F(keep_alive, closes_a_stream_whose_peer_answers_no_more) {
  w.advance(120s);
  w.stream(conn, "\r\n");
  w.advance(120s);
  EXPECT_EQ(pings(), 2U);
  w.advance(9s);
  EXPECT_THAT(w.closes, IsEmpty());
  w.advance(1s);
  ASSERT_EQ(w.closes.size(), 1U);
  EXPECT_EQ(w.closes[0].conn, conn);
}

TEST_F(keep_alive, takes_any_word_for_an_answer) {
  w.advance(120s);
  w.stream(conn, "\r\n");
  w.advance(120s);
  w.stream(conn, "\r\n\r\n");  // its own ping
  w.advance(20s);
  EXPECT_THAT(w.closes, IsEmpty());
}

TEST_F(keep_alive, does_not_take_an_answer_for_half_of_a_ping) {
  w.advance(120s);
  w.stream(conn, "\r\n");
  w.stream(conn, "\r\n");
  EXPECT_EQ(w.sends.size(), 1U);  // our ping; no answer to theirs yet
  w.stream(conn, "\r\n");
  ASSERT_EQ(w.sends.size(), 2U);
  EXPECT_EQ(w.last(), "\r\n");
}

TEST_F(keep_alive, does_not_keep_a_stream_that_nobody_needs) {
  w.advance(120s);
  w.stream(conn, "\r\n");
  w.advance(120s);
  w.stream(conn, "\r\n");
  w.advance(59s);
  EXPECT_THAT(w.closes, IsEmpty());
  w.advance(2s);
  EXPECT_EQ(w.closes.size(), 1U);
}

}  // namespace
}  // namespace stox::test
