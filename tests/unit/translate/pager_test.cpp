#include <gtest/gtest.h>

#include <random>

#include "sip/wire/headers.hpp"
#include "translate/identity.hpp"
#include "translate/language.hpp"
#include "translate/loop.hpp"
#include "translate/pager.hpp"
#include "translate/xmpp_uri.hpp"

/// What golden files cannot hold: bytes that are no text, and laws over random input.
namespace stox::translate {

namespace {

sip::request request_with(std::string content_type, std::string body) {
  const std::string head =
      "MESSAGE sip:ana@xmpp.test SIP/2.0\r\nVia: SIP/2.0/TCP ua.test;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
      "From: <sip:bo@sip.test>;tag=1\r\nTo: <sip:ana@xmpp.test>\r\nCall-ID: c1\r\nCSeq: 1 "
      "MESSAGE\r\nContent-Length: 0\r\n\r\n";
  auto r = std::get<sip::request>(sip::parse_message(head, sip::framing::stream, {}).value());
  r.headers.set(sip::header::content_type, std::move(content_type));
  r.body = std::move(body);
  return r;
}

boost::system::result<translated<xmpp::message>, sip_status> translate(const sip::request& r) {
  const auto head = sip::check_mandatory(r).value();
  pager::xmpp_context c;
  c.id = "x-1";
  return pager::to_xmpp(r, head, sip::parse_uri(r.uri).value(), head.from.uri, {}, c, {});
}

std::string body_of(const std::string& content_type, const std::string& body) {
  const auto out = translate(request_with(content_type, body));
  return out ? out->value.bodies.front().text : std::to_string(out.error().code);
}

TEST(pager_body, latin1_becomes_utf8) {
  EXPECT_EQ(body_of("text/plain;charset=ISO-8859-1", "caf\xE9 \xFC\xFF"), "café üÿ");
  EXPECT_EQ(body_of("text/plain;charset=\"iso-8859-1\"", "\x80\xA0"), "\xC2\x80\xC2\xA0");
}

TEST(pager_body, bytes_that_the_charset_does_not_allow_are_a_bad_request) {
  EXPECT_EQ(body_of("text/plain", "a\xFF\xFE"), "400");
  EXPECT_EQ(body_of("text/plain;charset=utf-8", "\xC0\xAF"), "400");
  EXPECT_EQ(body_of("text/plain;charset=utf-8", "\xED\xA0\x80"), "400");
  EXPECT_EQ(body_of("text/plain;charset=us-ascii", "\x80"), "400");
}

TEST(pager_body, nul_and_noncharacters_become_replacements_and_a_loss) {
  const auto out =
      translate(request_with("text/plain", std::string("a\0b\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xBF\xBD", 12)));
  ASSERT_TRUE(out);
  EXPECT_EQ(out->value.bodies.front().text,
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  ASSERT_EQ(out->losses.size(), 1U);
  EXPECT_EQ(out->losses.front().what, "sip body");
}

TEST(pager_body, a_subject_holds_only_what_xml_allows) {
  auto r = request_with("text/plain", "x");
  r.headers.add(sip::header::subject, "a\xEF\xBF\xBF\xFF\x1A");
  const auto out = translate(r);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->value.subjects.front().text, "a\xEF\xBF\xBD\xEF\xBF\xBD");
  ASSERT_EQ(out->losses.size(), 1U);
  EXPECT_EQ(out->losses.front().what, "sip Subject");
}

TEST(pager_body, line_ends_become_lf) {
  EXPECT_EQ(body_of("text/plain", "a\r\nb\rc\nd\r\r\n"), "a\nb\nc\nd\n\n");
}

TEST(pager_body, only_blanks_are_a_text) { EXPECT_EQ(body_of("text/plain", " "), " "); }

TEST(pager_headers, nothing_from_a_peer_starts_a_line) {
  xmpp::message m;
  m.from = {"a\\27b", "xmpp.test", "x\"<>;gr=y"};
  m.to = xmpp::jid{"bo", "sip.test", {}};
  m.lang = "en\r\nEvil: 1";
  m.subjects = {{m.lang, "s\r\nEvil: 2\nEvil: 3\x0b"}};
  m.bodies = {{m.lang, "\r\n\r\nEvil: 4"}};
  m.thread = "t\r\nEvil: 5";
  m.id = "i\r\nEvil: 6";
  pager::sip_context c;
  c.call_id = pager::call_id_of(*m.thread);
  c.from_tag = "t-1";
  const auto out = pager::to_sip(m, xmpp::read_extras(m), c, {});
  ASSERT_TRUE(out);
  const auto wire = sip::write(out->value);
  const auto head = wire.substr(0, wire.find("\r\n\r\n"));
  EXPECT_EQ(head.find("\nEvil"), std::string::npos) << head;
  const auto again = sip::parse_message(wire, sip::framing::stream, {});
  ASSERT_TRUE(again);
  EXPECT_EQ(std::get<sip::request>(*again).body, "\r\n\r\nEvil: 4");
}

TEST(call_id, gives_back_every_thread_of_at_most_64_bytes) {
  std::mt19937 engine(7572);
  const std::string pieces = "ab-@.%/ th5\xC3\xBC<>";
  for (int i = 0; i < 20'000; ++i) {
    std::string thread;
    for (auto n = engine() % 40; n > 0; --n) thread += pieces[engine() % pieces.size()];
    if (engine() % 3 == 0) thread = "th-" + thread;
    const auto id = pager::call_id_of(thread);
    ASSERT_EQ(pager::thread_of(id), thread) << id;
    ASSERT_EQ(id.find_first_of(" \r\n\t,;\xC3"), std::string::npos) << id;
  }
}

TEST(call_id, gives_back_every_call_id_of_at_most_128_bytes) {
  std::mt19937 engine(3261);
  const std::string hex = "0123456789abcdef";
  for (int i = 0; i < 20'000; ++i) {
    std::string id = engine() % 2 == 0 ? "th-" : "x";
    for (auto n = engine() % 60; n > 0; --n) id += hex[engine() % hex.size()];
    // 65 bytes and more of code have no thread of ours behind them.
    ASSERT_EQ(pager::call_id_of(pager::thread_of(id)), id);
  }
}

TEST(call_id, codes_of_codes_unfold_one_by_one) {
  const auto once = pager::call_id_of("ü");
  const auto twice = pager::call_id_of(once);
  EXPECT_EQ(once, "th-c3bc");
  EXPECT_EQ(twice, "th-74682d63336263");
  EXPECT_EQ(pager::thread_of(twice), once);
  EXPECT_EQ(pager::thread_of(once), "ü");
}

TEST(call_id, of_long_threads_is_a_hash) {
  const std::string thread(65, ' ');
  EXPECT_EQ(pager::call_id_of(thread).size(), 4U + 64U);
  EXPECT_NE(pager::call_id_of(thread), pager::call_id_of(thread + " "));
  // A legal one may have 128 bytes.
  EXPECT_EQ(pager::call_id_of(std::string(128, 'a')), std::string(128, 'a'));
  EXPECT_TRUE(pager::call_id_of(std::string(129, 'a')).starts_with("th5-"));
  EXPECT_EQ(pager::call_id_of(pager::call_id_of(thread)), pager::call_id_of(thread));
}

TEST(call_id, of_each_message_of_a_thread_is_another_and_gives_the_thread) {
  const std::string plain = "t1", coded = "gr\xC3\xBC\xC3\x9F e", marked = "t1~m.x";
  for (const auto& thread : {plain, coded, marked}) {
    const auto one = pager::call_id_of(thread, "abc"), two = pager::call_id_of(thread, "abd");
    EXPECT_NE(one, two);
    EXPECT_EQ(pager::thread_of(one), thread) << one;
    EXPECT_EQ(pager::thread_of(two), thread) << two;
  }
  EXPECT_EQ(pager::call_id_of(plain, "abc"), "t1~m.abc");
}

TEST(hop_mark, counts_and_names_each_gateway) {
  EXPECT_EQ(next_hop_mark("", "a1"), "1;a1");
  EXPECT_EQ(next_hop_mark("1;a1", "b2"), "2;a1;b2");
  EXPECT_EQ(next_hop_mark("4;a;b;c;d", "e"), "5;a;b;c;d;e");
}

TEST(hop_mark, finds_loops_and_refuses_what_it_cannot_read) {
  for (const char* mark :
       {"1;a1", "2;b;a1", "5;a;b;c;d;e", "6;a;b;c;d;e;f", "2;a", "1;a;b", "0", "1", "1;", ";a", "x;a", "-1;a",
        "1;a b", "1;aaaaaaaaaaaaaaaaa", "1;\xC3\xBC", " 1;a", "1;a;", "99999999999999999999;a"}) {
    EXPECT_EQ(next_hop_mark(mark, "a1"), std::nullopt) << mark;
  }
  EXPECT_EQ(next_hop_mark("1;a" + std::string(1'000'000, ';'), "b"), std::nullopt);
}

TEST(language_tag, has_the_shape_of_rfc_3066) {
  for (const char* good : {"en", "en-GB", "i-klingon", "zh-Hant-TW", "de-1996", "x-a1"})
    EXPECT_TRUE(is_language_tag(good)) << good;
  for (const char* bad : {"", "-", "en-", "-en", "en--GB", "e1", "en_GB", "en,de", "en\r\n", "abcdefghi",
                          "en-abcdefghi", "ü"}) {
    EXPECT_FALSE(is_language_tag(bad)) << bad;
  }
  EXPECT_FALSE(is_language_tag(std::string(63, 'a') + "-b"));
}

TEST(xmpp_uri, round_trips) {
  for (const auto& j :
       {xmpp::jid{"ana", "xmpp.test", {}}, xmpp::jid{"o\\27neil", "bücher.example", "a b/☕?#%@"},
        xmpp::jid{{}, "xmpp.test", "x"}, xmpp::jid{"ana", "[2001:db8::1]", {}}}) {
    EXPECT_EQ(parse_xmpp_uri(write_xmpp_uri(j)), j) << write_xmpp_uri(j);
  }
  EXPECT_EQ(write_xmpp_uri({"o\\27neil", "bücher.example", "a b"}),
            "xmpp:o%5C27neil@b%C3%BCcher.example/a%20b");
}

TEST(xmpp_uri, reads_iris_and_ignores_queries) {
  EXPECT_EQ(parse_xmpp_uri(" XMPP:Änne@bücher.example?message;body=x \n").value().to_string(),
            "änne@bücher.example");
  EXPECT_EQ(parse_xmpp_uri("xmpp:a@b.test#f").value().to_string(), "a@b.test");
}

TEST(xmpp_uri, refuses_what_is_no_address) {
  for (const char* bad :
       {"", "xmpp:", "a@b.test", "sip:a@b.test", "xmpp://me@x.test/a@b.test", "xmpp:@b.test", "xmpp:a@",
        "xmpp:a@b.test/", "xmpp:a%@b.test", "xmpp:%FF@b.test", "xmpp:a%00@b.test", "xmpp:a@b.test/x%0D%0A"}) {
    EXPECT_EQ(parse_xmpp_uri(bad), std::nullopt) << bad;
  }
}

TEST(error_text, no_answer_grows_with_the_words_of_a_peer) {
  const auto s = to_sip({xmpp::error_type::wait, xmpp::condition::conflict, std::string(100'000, 'x'),
                         std::string(100'000, 'y')},
                        true, {}, {});
  EXPECT_EQ(s.reason, std::string(120, 'x'));
  const auto e = to_xmpp(480, std::string(100'000, 'z'), std::nullopt, {});
  EXPECT_EQ(e.text, "480 " + std::string(200, 'z'));
  auto long_contact = sip::parse_uri("sips:" + std::string(2000, 'c') + "@x.test");
  ASSERT_TRUE(long_contact);
  EXPECT_EQ(to_xmpp(302, "", *long_contact, {}).new_address, "");
}

TEST(error_text, statuses_outside_of_failures_are_our_own_failure) {
  EXPECT_EQ(to_xmpp(200, "OK", std::nullopt, {}).condition, xmpp::condition::internal_server_error);
  EXPECT_EQ(to_xmpp(0, "", std::nullopt, {}).text, "0");
}

TEST(identity, is_looked_up_in_the_served_domains_without_case) {
  auto r = request_with("text/plain", "x");
  auto head = sip::check_mandatory(r).value();
  head.from.uri = sip::parse_uri("sip:bo@SIP.test.;transport=tcp").value();
  const auto who = identity_of(r, head, {"other.test", "sip.test"});
  ASSERT_TRUE(who);
  EXPECT_EQ(sip::write(who->aor), "sip:bo@sip.test");
  EXPECT_EQ(identity_of(r, head, {}).error().code, 403);
}

TEST(identity, keeps_nothing_of_a_uri_but_user_host_and_device) {
  auto r = request_with("text/plain", "x");
  auto head = sip::check_mandatory(r).value();
  head.from.uri =
      sip::parse_uri("sip:bo:secret@sip.test:5070;maddr=192.0.2.1;gr=dev;user=phone?Subject=x").value();
  head.from.display = "Bo";
  const auto who = identity_of(r, head, {"sip.test"});
  ASSERT_TRUE(who);
  EXPECT_EQ(sip::write(who->aor), "sip:bo@sip.test;user=phone;gr=dev");
  EXPECT_EQ(who->display, "Bo");
}

TEST(identity, takes_a_name_only_from_where_the_address_comes_from) {
  const auto name_of = [](const char* from, const char* asserted) {
    auto r = request_with("text/plain", "x");
    r.headers.set(sip::header::from, from);
    r.headers.add(sip::header::p_asserted_identity, asserted);
    const auto who = identity_of(r, sip::check_mandatory(r).value(), {"sip.test"});
    return who ? who->display : who.error().reason;
  };
  EXPECT_EQ(name_of("\"Anna Boss\" <sip:anna@sip.test>;tag=1", "<sip:eve@sip.test>"), "");
  EXPECT_EQ(name_of("\"Anna Boss\" <sip:anna@sip.test>;tag=1", "Eve <sip:eve@sip.test>"), "Eve");
  EXPECT_EQ(name_of("Bo <sips:bo@SIP.test;gr=x>;tag=1", "<sip:bo@sip.test>"), "Bo");
  EXPECT_EQ(name_of("Boss <sip:bo@sip.test>;tag=1", "Bo <sip:bo@sip.test>"), "Bo");
}

TEST(identity, reads_privacy_in_every_form) {
  for (const char* value :
       {"id", "ID", "header", "user;id", " session ; user", "none,id", "critical;HEADER"}) {
    auto r = request_with("text/plain", "x");
    r.headers.add(sip::header::privacy, value);
    EXPECT_EQ(identity_of(r, sip::check_mandatory(r).value(), {"sip.test"}).error().reason,
              "Anonymous not accepted")
        << value;
  }
  for (const char* value : {"none", "session", "critical", "identity", ""}) {
    auto r = request_with("text/plain", "x");
    r.headers.add(sip::header::privacy, value);
    EXPECT_TRUE(identity_of(r, sip::check_mandatory(r).value(), {"sip.test"})) << value;
  }
}

}  // namespace

}  // namespace stox::translate
