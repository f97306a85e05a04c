// Requests of ours that are challenged.
#include "sip/wire/auth.hpp"
#include "unit/sip_machine/client_support.hpp"

namespace stox::test {
namespace {

using namespace std::chrono_literals;
using sip::digest_credentials;
using sip::failure;
using sip::header;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

sip::endpoint_options with_accounts() {
  auto o = sip_world::defaults();
  o.credentials = {{{"proxy.example", "stox", redacted("one")}},
                   {{"user.example", "gate \"way\"", redacted("two")}}};
  return o;
}

/// A response to the last request sent, with whole header lines.
std::string refused(const sip_world& w, int code, const std::string& lines) {
  std::string text = answer_to(w.last(), code);
  return text.insert(text.find("Content-Length"), lines);
}
std::string proxy_challenge(const std::string& nonce, const std::string& more = {}) {
  return "Proxy-Authenticate: Digest realm=\"proxy.example\", nonce=\"" + nonce + "\", qop=\"auth\"" + more +
         "\r\n";
}
std::string user_challenge(const std::string& nonce, const std::string& more = {}) {
  return "WWW-Authenticate: Digest realm=\"user.example\", nonce=\"" + nonce + "\", algorithm=SHA-256" +
         more + "\r\n";
}

sip::request sent(const sip_world& w) {
  auto parsed = sip::parse_message(w.last(), sip::framing::datagram, {});
  EXPECT_TRUE(parsed);
  return std::get<sip::request>(*parsed);
}
digest_credentials credentials(const sip::request& r, header which) {
  const auto value = r.headers.find(which);
  EXPECT_TRUE(value);
  const auto c = sip::parse_digest_credentials(value.value_or(""));
  EXPECT_TRUE(c);
  return c ? *c : digest_credentials{};
}
bool is_right(const sip::request& r, header which, const char* user, const char* password) {
  const auto c = credentials(r, which);
  return c.username == user && c.uri == r.uri &&
         sip::matches(c, sip::digest_secret(*c.algorithm, user, c.realm, password), r.method_name, r.body);
}
std::string logged(const sip_world& w) {
  std::string out;
  for (const log_record& r : w.log) {
    if (r.event != "sip.challenge_unanswered") continue;
    for (const auto& [name, value] : r.fields) out += std::string(name) + "=" + value + ";";
  }
  return out;
}

TEST(challenge, is_answered_with_the_next_cseq_and_all_else_as_it_was) {
  sip_world w(with_accounts());
  w.request(ours(), {a, b});
  const std::string first = w.last();
  w.datagram(refused(w, 407, proxy_challenge("n1")));
  EXPECT_THAT(w.events, IsEmpty());
  ASSERT_EQ(w.sends.size(), 2U);
  EXPECT_EQ(w.sends[1].what.to, a.to);
  EXPECT_EQ(header_of(w.last(), "CSeq"), "2 MESSAGE");
  for (const char* name : {"From", "To", "Call-ID", "Max-Forwards"})
    EXPECT_EQ(header_of(w.last(), name), header_of(first, name)) << name;
  EXPECT_NE(header_of(w.last(), "Via"), header_of(first, "Via"));
  const auto r = sent(w);
  EXPECT_TRUE(is_right(r, header::proxy_authorization, "stox", "one"));
  EXPECT_EQ(credentials(r, header::proxy_authorization).nonce_count, 1U);
  EXPECT_FALSE(r.headers.find(header::authorization));
  w.datagram(answer_to(w.last(), 200));
  EXPECT_EQ(only_status(w), 200);
  EXPECT_EQ(w.all<sip::response_received>()[0].challenges, 1U);
  EXPECT_EQ(w.ep.stats().challenges_answered, 1U);
}

TEST(challenge, of_a_cancelled_invite_is_not_answered_and_a_late_one_ends_nothing) {
  sip_world w(with_accounts());
  const auto tx = w.request(ours("INVITE"), {a, b});
  const std::string first = w.last();
  const auto challenged = [](const std::string& invite) {
    std::string text = answer_to(invite, 407);
    return text.insert(text.find("Content-Length"), proxy_challenge("n1"));
  };
  w.advance(6s);  // no word from a: b is tried
  const std::string second = w.last();
  ASSERT_NE(first, second);
  w.cancel(tx);
  w.datagram(challenged(first));
  EXPECT_EQ(w.last().substr(0, 4), "ACK ");
  EXPECT_THAT(w.all<sip::response_received>(), IsEmpty());
  w.datagram(answer_to(second, 180));
  EXPECT_EQ(w.last().substr(0, 7), "CANCEL ");
  w.datagram(challenged(second));
  EXPECT_EQ(w.last().substr(0, 4), "ACK ") << "and no second INVITE";
  ASSERT_EQ(w.all<sip::response_received>().size(), 2U);
  EXPECT_EQ(w.all<sip::response_received>()[1].response.status, 407);
}

TEST(challenge, from_the_proxy_and_from_the_user_are_both_answered) {
  sip_world w(with_accounts());
  w.request(ours(), {a});
  w.datagram(refused(w, 407, proxy_challenge("n1")));
  w.datagram(refused(w, 401, user_challenge("n2", ", opaque=\"o\\\"p\"")));
  ASSERT_EQ(w.sends.size(), 3U);
  const auto r = sent(w);
  EXPECT_EQ(header_of(w.last(), "CSeq"), "3 MESSAGE");
  EXPECT_TRUE(is_right(r, header::proxy_authorization, "stox", "one"));
  EXPECT_EQ(credentials(r, header::proxy_authorization).nonce_count, 2U);
  EXPECT_TRUE(is_right(r, header::authorization, "gate \"way\"", "two"));
  const auto user = credentials(r, header::authorization);
  EXPECT_EQ(user.opaque, "o\"p");
  EXPECT_EQ(user.nonce_count, std::nullopt);  // RFC 2069's form: no qop was offered
  EXPECT_EQ(user.cnonce, std::nullopt);
  w.datagram(answer_to(w.last(), 202));
  EXPECT_EQ(only_status(w), 202);
  EXPECT_EQ(w.all<sip::response_received>()[0].challenges, 2U);
}

TEST(challenge, of_both_kinds_in_one_response_is_answered_at_once) {
  sip_world w(with_accounts());
  w.request(ours(), {a});
  w.datagram(refused(w, 401,
                     user_challenge("n2") + proxy_challenge("n1") +
                         "Proxy-Authenticate: Digest realm=\"elsewhere\", nonce=\"x\"\r\n"));
  ASSERT_EQ(w.sends.size(), 2U);
  EXPECT_TRUE(is_right(sent(w), header::proxy_authorization, "stox", "one"));
  EXPECT_TRUE(is_right(sent(w), header::authorization, "gate \"way\"", "two"));
}

TEST(challenge, is_answered_with_the_account_of_the_domain_for_which_the_request_was_sent) {
  auto o = with_accounts();
  o.credentials = {{{"proxy.example", "all", redacted("one")}},
                   {{"proxy.example", "ours", redacted("two")}, {"sip.example", "second.example"}},
                   {{"user.example", "theirs", redacted("three")}, {"other.example"}}};
  sip_world w(o);
  w.request(ours(), {a}, "sip.example");
  w.datagram(refused(w, 407, proxy_challenge("n1")));
  EXPECT_TRUE(is_right(sent(w), header::proxy_authorization, "ours", "two"));
  w.datagram(answer_to(w.last(), 200));
  w.forget();
  // The nonce that one tenant was given is not used with the account of another one.
  w.request(ours(), {a}, "third.example");
  EXPECT_EQ(header_of(w.last(), "Proxy-Authorization"), "");
  w.datagram(refused(w, 407, proxy_challenge("n2")));
  EXPECT_TRUE(is_right(sent(w), header::proxy_authorization, "all", "one"));
  w.datagram(answer_to(w.last(), 200));
  w.forget();
  // Who serves one tenant learns nothing of the account of another one by naming its realm.
  w.request(ours(), {a}, "sip.example");
  w.datagram(refused(w, 401, user_challenge("n3")));
  EXPECT_EQ(only_status(w), 401);
  EXPECT_THAT(logged(w), HasSubstr("\"user.example\": no credential"));
}

TEST(challenge, takes_the_first_algorithm_that_we_have) {
  sip_world w(with_accounts());
  w.request(ours(), {a});
  w.datagram(refused(w, 407,
                     proxy_challenge("n0", ", algorithm=SHA-999") +
                         proxy_challenge("n1", ", algorithm=SHA-512-256") +
                         proxy_challenge("n2", ", algorithm=MD5")));
  const auto c = credentials(sent(w), header::proxy_authorization);
  EXPECT_EQ(c.nonce, "n1");
  EXPECT_EQ(c.algorithm_name, "SHA-512-256");
  EXPECT_EQ(sent(w).headers.count(header::proxy_authorization), 1U);  // RFC 8760 §2.4: one for each realm
}

TEST(challenge, of_a_realm_or_algorithm_without_credential_ends_the_request) {
  struct row {
    int code;
    std::string lines;
    const char* words;
  };
  for (const auto& [code, lines, words] :
       {row{407, "Proxy-Authenticate: Digest realm=\"other\", nonce=\"n\"\r\n", "\"other\": no credential"},
        row{401, "WWW-Authenticate: Digest realm=\"USER.example\", nonce=\"n\"\r\n", "\"USER.example\""},
        row{407, proxy_challenge("n", ", algorithm=SHA-999"), "\"proxy.example\": no challenge that we"},
        row{407, "Proxy-Authenticate: Basic realm=\"proxy.example\"\r\n", "no challenge that we can answer"},
        row{407, proxy_challenge(std::string(2100, 'n')), "\"proxy.example\": too long"}, row{401, "", ""}}) {
    sip_world w(with_accounts());
    w.request(ours(), {a, b});
    w.datagram(refused(w, code, lines));
    EXPECT_EQ(only_status(w), code);
    EXPECT_EQ(w.sends.size(), 1U);
    EXPECT_THAT(logged(w), HasSubstr(words));
    EXPECT_EQ(w.ep.stats().challenges_unanswered, 1U);
    expect_nothing_left(w);
  }
}

TEST(challenge, a_refused_password_is_tried_once) {
  sip_world w(with_accounts());
  w.request(ours(), {a});
  w.datagram(refused(w, 407, proxy_challenge("n1")));
  w.datagram(refused(w, 407, proxy_challenge("n2")));
  EXPECT_EQ(only_status(w), 407);
  EXPECT_EQ(w.sends.size(), 2U);
  EXPECT_THAT(logged(w), HasSubstr("\"proxy.example\": the credential was refused"));
  EXPECT_THAT(logged(w), testing::Not(HasSubstr("one")));
  // The next request begins anew, without what was refused.
  w.forget();
  w.request(ours(), {a});
  EXPECT_EQ(header_of(w.last(), "Proxy-Authorization"), "");
}

TEST(challenge, a_stale_nonce_is_retried_once_more) {
  sip_world w(with_accounts());
  w.request(ours(), {a});
  w.datagram(refused(w, 407, proxy_challenge("n1")));
  w.datagram(refused(w, 407, proxy_challenge("n2", ", stale=TRUE")));
  ASSERT_EQ(w.sends.size(), 3U);
  EXPECT_EQ(credentials(sent(w), header::proxy_authorization).nonce, "n2");
  EXPECT_EQ(header_of(w.last(), "CSeq"), "3 MESSAGE");
  w.datagram(refused(w, 407, proxy_challenge("n3", ", stale=true")));
  EXPECT_EQ(w.sends.size(), 3U);
  EXPECT_EQ(only_status(w), 407);
}

TEST(challenge, servers_that_invent_realms_do_not_keep_a_request_going) {
  auto o = sip_world::defaults();
  for (int i = 0; i < 20; ++i) o.credentials.push_back({{"r" + std::to_string(i), "u", redacted("p")}});
  sip_world w(o);
  w.request(ours(), {a});
  for (int i = 0; i < 20 && w.events.empty(); ++i)
    w.datagram(
        refused(w, 401, "WWW-Authenticate: Digest realm=\"r" + std::to_string(i) + "\", nonce=\"n\"\r\n"));
  EXPECT_LE(w.sends.size(), 9U);
  ASSERT_EQ(w.events.size(), 1U);
}

TEST(challenge, from_the_last_target_does_not_hide_that_an_earlier_one_is_in_doubt) {
  sip_world w(with_accounts());
  w.request(ours(), {a, b});
  w.advance(6s);
  w.datagram(refused(w, 407, "Proxy-Authenticate: Digest realm=\"other.example\", nonce=\"n\"\r\n"));
  EXPECT_THAT(w.all<sip::response_received>(), IsEmpty());
  EXPECT_EQ(only_failure(w).why, failure::timed_out);
  EXPECT_TRUE(only_failure(w).may_have_arrived);
}

TEST(known_nonce, saves_the_round_trip_and_counts_up) {
  sip_world w(with_accounts());
  w.request(ours(), {a});
  w.datagram(refused(w, 407, proxy_challenge("n1")));
  const auto first = credentials(sent(w), header::proxy_authorization);
  w.datagram(answer_to(w.last(), 200));
  for (std::uint32_t nc = 2; nc < 12; ++nc) {
    w.forget();
    auto text = ours();
    text.cseq = std::to_string(nc);
    w.request(text, {a});
    ASSERT_EQ(w.sends.size(), 1U);
    const auto r = sent(w);
    EXPECT_TRUE(is_right(r, header::proxy_authorization, "stox", "one"));
    const auto c = credentials(r, header::proxy_authorization);
    EXPECT_EQ(c.nonce_count, nc);
    EXPECT_EQ(c.cnonce, first.cnonce) << "RFC 7616 §3.4.2: a -sess secret is made of nonce and cnonce";
    EXPECT_EQ(header_of(w.last(), "CSeq"), text.cseq + " MESSAGE");
    w.datagram(answer_to(w.last(), 200));
    EXPECT_EQ(only_status(w), 200);
    EXPECT_EQ(w.all<sip::response_received>()[0].challenges, 0U);
  }
  // A nonce that is asked for again goes on counting.
  w.forget();
  w.request(ours(), {a});
  w.datagram(refused(w, 407, proxy_challenge("n1")));
  EXPECT_EQ(credentials(sent(w), header::proxy_authorization).nonce_count, 13U);
}

TEST(known_nonce, goes_only_to_the_server_and_the_domain_that_it_came_from) {
  sip_world w(with_accounts());
  w.request(ours(), {a});
  w.datagram(refused(w, 407, proxy_challenge("n1")));
  w.datagram(answer_to(w.last(), 200));
  w.request(ours(), {b});
  EXPECT_EQ(header_of(w.last(), "Proxy-Authorization"), "");
  auto elsewhere = ours();
  elsewhere.uri = "sip:ana@other.example";
  w.request(elsewhere, {a});
  EXPECT_EQ(header_of(w.last(), "Proxy-Authorization"), "");
  // Also where the request has been at the first server already.
  w.forget();
  w.request(ours(), {a, b});
  EXPECT_NE(header_of(w.last(), "Proxy-Authorization"), "");
  w.datagram(answer_to(w.last(), 503));
  EXPECT_EQ(w.sends.back().what.to, b.to);
  EXPECT_EQ(header_of(w.last(), "Proxy-Authorization"), "");
}

TEST(known_nonce, that_expired_costs_one_round_trip) {
  for (const char* stale : {"", ", stale=true"}) {
    sip_world w(with_accounts());
    w.request(ours(), {a});
    w.datagram(refused(w, 407, proxy_challenge("n1")));
    w.datagram(answer_to(w.last(), 200));
    w.forget();
    w.request(ours(), {a});
    w.datagram(refused(w, 407, proxy_challenge("n2", stale)));
    ASSERT_EQ(w.sends.size(), 2U) << stale;
    EXPECT_EQ(credentials(sent(w), header::proxy_authorization).nonce, "n2");
    EXPECT_EQ(credentials(sent(w), header::proxy_authorization).nonce_count, 1U);
    w.datagram(answer_to(w.last(), 200));
    EXPECT_EQ(only_status(w), 200);
  }
}

TEST(known_nonce, is_replaced_by_nextnonce) {
  sip_world w(with_accounts());
  w.request(ours(), {a});
  w.datagram(refused(w, 401, user_challenge("n1", ", qop=\"auth\"")));
  w.datagram(refused(w, 200, "Authentication-Info: nextnonce=\"n2\", qop=auth\r\n"));
  EXPECT_EQ(only_status(w), 200);
  w.forget();
  w.request(ours(), {a});
  auto c = credentials(sent(w), header::authorization);
  EXPECT_EQ(c.nonce, "n2");
  EXPECT_EQ(c.nonce_count, 1U);
  w.datagram(refused(w, 200, "Authentication-Info: nextnonce=\"" + std::string(3000, 'n') + "\"\r\n"));
  w.request(ours(), {a});
  c = credentials(sent(w), header::authorization);
  EXPECT_EQ(c.nonce, "n2");
  EXPECT_EQ(c.nonce_count, 2U);
}

TEST(known_nonce, of_a_session_is_not_replaced_by_nextnonce) {
  sip_world w(with_accounts());
  w.request(ours(), {a});
  w.datagram(refused(w, 401,
                     "WWW-Authenticate: Digest realm=\"user.example\", nonce=\"n1\", algorithm=SHA-256-sess, "
                     "qop=\"auth\"\r\n"));
  w.datagram(refused(w, 200, "Authentication-Info: nextnonce=\"n2\", qop=auth\r\n"));
  w.forget();
  w.request(ours(), {a});
  EXPECT_EQ(credentials(sent(w), header::authorization).nonce, "n1");
}

TEST(known_nonce, follows_the_configuration) {
  sip_world w(with_accounts());
  w.request(ours(), {a});
  w.datagram(refused(w, 407, proxy_challenge("n1")));
  w.datagram(answer_to(w.last(), 200));
  auto changed = with_accounts();
  changed.credentials[0].account.password = redacted("new");
  w.ep.configure(changed);
  w.request(ours(), {a});
  EXPECT_TRUE(is_right(sent(w), header::proxy_authorization, "stox", "new"));
  w.ep.configure(sip_world::defaults());
  w.request(ours(), {a});
  EXPECT_EQ(header_of(w.last(), "Proxy-Authorization"), "");
}

TEST(known_nonce, ends_with_the_domains_of_its_credential) {
  auto o = with_accounts();
  o.credentials = {{{"proxy.example", "stox", redacted("one")}, {"sip.example"}}};
  sip_world w(o);
  w.request(ours(), {a}, "sip.example");
  w.datagram(refused(w, 407, proxy_challenge("n1")));
  w.datagram(answer_to(w.last(), 200));
  w.request(ours(), {a}, "sip.example");
  EXPECT_NE(header_of(w.last(), "Proxy-Authorization"), "");
  o.credentials[0].domains = {"other.example"};
  w.ep.configure(o);
  w.request(ours(), {a}, "sip.example");
  EXPECT_EQ(header_of(w.last(), "Proxy-Authorization"), "");
}

TEST(known_nonce, is_remembered_for_a_bounded_number_of_domains) {
  sip_world w(with_accounts());
  const auto ask = [&w](int domain) {
    auto text = ours();
    text.uri = "sip:ana@d" + std::to_string(domain) + ".example";
    w.forget();
    w.request(text, {a});
    const bool known = !header_of(w.last(), "Proxy-Authorization").empty();
    if (!known) w.datagram(refused(w, 407, proxy_challenge("n" + std::to_string(domain))));
    w.datagram(answer_to(w.last(), 200));
    return known;
  };
  for (int i = 0; i < 300; ++i) EXPECT_FALSE(ask(i));
  EXPECT_TRUE(ask(299));
  EXPECT_TRUE(ask(60));
  EXPECT_FALSE(ask(0));
  w.advance(40s);
  EXPECT_GT(w.memory.used(), 0U);  // what is remembered is in the account
  EXPECT_LT(w.memory.used(), 256U * 1024);
  w.ep.tidy(w.now + 59min);
  EXPECT_GT(w.memory.used(), 0U);
  w.ep.tidy(w.now + 60min);
  EXPECT_EQ(w.memory.used(), 0U);
}

TEST(challenge, makes_a_message_too_large_only_with_words) {
  sip_world w(with_accounts());
  auto text = ours();
  text.body = std::string(950, 'x');
  w.request(text, {a});
  ASSERT_EQ(w.sends.size(), 1U);
  w.datagram(refused(w, 407, proxy_challenge(std::string(100, 'n'))));
  EXPECT_EQ(w.sends.size(), 1U);
  EXPECT_EQ(only_failure(w).why, failure::too_large);
  EXPECT_FALSE(only_failure(w).may_have_arrived);
  EXPECT_EQ(only_failure(w).challenges, 1U);
  EXPECT_THAT(only_failure(w).detail, HasSubstr("1300"));
}

TEST(challenge, moves_a_message_that_grows_too_long_to_a_stream_where_the_way_is_safe) {
  sip_world w(with_accounts());
  auto text = ours();
  text.body = std::string(950, 'x');
  w.request(text, {a}, {}, 16'384);
  ASSERT_EQ(w.sends.size(), 1U);
  w.datagram(refused(w, 407, proxy_challenge(std::string(100, 'n'))));
  EXPECT_EQ(w.sends.size(), 1U);
  ASSERT_EQ(w.opens.size(), 1U);
  EXPECT_EQ(w.opens[0].to, a.to);
  const auto conn = w.opens[0].conn;
  w.open(conn);
  EXPECT_THAT(header_of(w.last(), "Via"), testing::StartsWith("SIP/2.0/TCP "));
  // What was learned over UDP is not said over another transport.
  EXPECT_FALSE(sent(w).headers.find(header::proxy_authorization));
  w.stream(conn, refused(w, 407, proxy_challenge(std::string(100, 'm'))));
  EXPECT_TRUE(is_right(sent(w), header::proxy_authorization, "stox", "one"));
  EXPECT_GT(w.last().size(), 1300U);
  w.stream(conn, answer_to(w.last(), 200));
  EXPECT_EQ(only_status(w), 200);
  // With what is remembered of the server it is too long from the beginning.
  w.forget();
  w.request(text, {a}, {}, 16'384);
  ASSERT_EQ(w.sends.size(), 1U);
  EXPECT_THAT(header_of(w.last(), "Via"), testing::StartsWith("SIP/2.0/TCP "));
  EXPECT_TRUE(is_right(sent(w), header::proxy_authorization, "stox", "one"));
}

TEST(challenge, is_answered_within_the_one_budget_and_over_streams) {
  sip_world w(with_accounts());
  w.request(ours(), {tcp_a});
  w.open(w.opens.at(0).conn);
  w.advance(20s);
  w.stream(w.opens[0].conn, refused(w, 407, proxy_challenge("n1")));
  ASSERT_EQ(w.sends.size(), 2U);
  EXPECT_EQ(w.opens.size(), 1U);
  w.advance(12s);
  EXPECT_EQ(only_failure(w).why, failure::timed_out);
  EXPECT_TRUE(only_failure(w).may_have_arrived);
  EXPECT_EQ(only_failure(w).challenges, 1U);
}

TEST(challenge, of_a_server_that_was_left_is_not_answered) {
  sip_world w(with_accounts());
  w.request(ours(), {a, b});
  const std::string late = refused(w, 407, proxy_challenge("n1"));
  w.advance(6s);
  w.datagram(late);
  EXPECT_THAT(w.events, IsEmpty());
  w.datagram(answer_to(w.last(), 482));  // a said that it did not do it
  EXPECT_EQ(only_status(w), 482);
}

TEST(challenge, repeated_over_udp_is_answered_once) {
  sip_world w(with_accounts());
  w.request(ours(), {a});
  const std::string refusal = refused(w, 407, proxy_challenge("n1"));
  w.datagram(refusal);
  w.datagram(refusal);
  EXPECT_EQ(w.sends.size(), 2U);
  w.datagram(answer_to(w.last(), 200));
  w.datagram(refusal);
  EXPECT_EQ(only_status(w), 200);
}

TEST(challenge, to_an_invite_is_acknowledged) {
  sip_world w(with_accounts());
  w.request(ours("INVITE"), {a});
  const std::string refusal = refused(w, 407, proxy_challenge("n1"));
  w.datagram(refusal);
  EXPECT_THAT(w.timeline(), ElementsAre("0 INVITE", "0 ACK", "0 INVITE"));
  EXPECT_EQ(header_of(w.sends[1].what.bytes, "CSeq"), "1 ACK");
  EXPECT_EQ(header_of(w.last(), "CSeq"), "2 INVITE");
}

}  // namespace
}  // namespace stox::test
