#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "sip/wire/auth.hpp"
#include "sip/wire/event.hpp"
#include "sip/wire/session.hpp"

namespace stox::sip {
namespace {

template <class Parse>
void expect_refused(Parse parse, std::initializer_list<const char*> texts) {
  for (const char* text : texts) EXPECT_FALSE(parse(text)) << text;
}

/// Each text is parsed and written as it was.
template <class Parse>
void expect_round_trips(Parse parse, std::initializer_list<const char*> texts) {
  for (const char* text : texts) {
    const auto value = parse(text);
    ASSERT_TRUE(value) << text << ": " << value.error().to_string();
    EXPECT_EQ(write(*value), text);
  }
}

// ---- authentication ----

TEST(auth, takes_any_scheme) {
  const auto other = parse_auth("SecretHandshake wink=left , nod=\"a, b\"");
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->is("secrethandshake"));
  ASSERT_EQ(other->params.size(), 2U);
  EXPECT_EQ(other->params[1].value, "\"a, b\"");
  EXPECT_EQ(write(*other), "SecretHandshake wink=left, nod=\"a, b\"");
  EXPECT_EQ(parse_auth("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")->token68, "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  expect_round_trips(parse_auth, {"Negotiate", "Basic abc=", "X a=1"});
  expect_refused(parse_auth, {"", "=", "Digest ,", "Digest a=1,", "Digest a=1 b=2", "Digest a=1, a=2",
                              "Digest a=\"open", "Digest a, b=1", "Digest=x"});
}

TEST(digest_challenge, round_trips) {
  const auto c = parse_digest_challenge(
      "digest realm=\"biloxi \\\"x\\\"\", domain=\"sip:a sip:b\", nonce=\"n0\", opaque=\"\", stale=TRUE, "
      "algorithm=SHA-256, "
      "qop=\"auth, AUTH-int\", userhash=true, charset=UTF-8");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->realm, "biloxi \"x\"");
  EXPECT_EQ(c->opaque, "");
  EXPECT_TRUE(c->stale);
  EXPECT_TRUE(c->userhash);
  EXPECT_EQ(c->algorithm, digest_algorithm::sha256);
  EXPECT_TRUE(c->offers("auth"));
  EXPECT_TRUE(c->offers("auth-int"));
  EXPECT_FALSE(c->offers("auth-conf"));
  const auto text = write(*c);
  EXPECT_EQ(text,
            "Digest realm=\"biloxi \\\"x\\\"\", domain=\"sip:a sip:b\", nonce=\"n0\", opaque=\"\", "
            "stale=true, algorithm=SHA-256, "
            "qop=\"auth,auth-int\", userhash=true");
  EXPECT_EQ(*parse_digest_challenge(text), *c);
  EXPECT_EQ(parse_digest_challenge("Digest realm=r, nonce=n")->algorithm, digest_algorithm::md5);
  EXPECT_EQ(parse_digest_challenge("Digest realm=r, nonce=n, algorithm=FOO")->algorithm, std::nullopt);
  EXPECT_FALSE(parse_digest_challenge("Digest realm=r, nonce=n, algorithm=a/b"))
      << "no token, so no algorithm";
  expect_refused(parse_digest_challenge, {"", "Basic realm=\"x\"", "Digest realm=\"x\"", "Digest nonce=\"x\"",
                                          "Digest", "Digest realm"});
}

TEST(digest_challenge, the_topmost_usable_one_of_each_realm_is_answered) {
  header_list h;
  h.add(header::www_authenticate, "Digest realm=\"a\", nonce=\"1\", algorithm=SHA-3, qop=\"auth\"");
  h.add(header::www_authenticate, "Digest realm=\"a\", nonce=\"2\", algorithm=SHA-256, qop=\"auth\"");
  h.add(header::www_authenticate, "Digest realm=\"a\", nonce=\"3\", qop=\"auth\"");
  h.add(header::www_authenticate, "Digest realm=\"b\", nonce=\"4\", qop=\"auth-conf\"");
  h.add(header::www_authenticate, "Digest realm=\"b\", nonce=\"5\"");
  h.add(header::www_authenticate, "Bearer x=1");
  h.add(header::proxy_authenticate, "Digest realm=\"p\", nonce=\"6\"");
  const auto usable = usable_challenges(h, header::www_authenticate);
  ASSERT_EQ(usable.size(), 2U);
  EXPECT_EQ(usable[0].nonce, "2");
  EXPECT_EQ(usable[1].nonce, "5");
  EXPECT_EQ(usable_challenges(h, header::proxy_authenticate).at(0).nonce, "6");
}

TEST(digest_credentials, round_trip) {
  const std::string text =
      "Digest username=\"bob\", realm=\"biloxi\", nonce=\"n\", uri=\"sip:bob@biloxi\", response=\"66\", "
      "algorithm=MD5, cnonce=\"c\", "
      "opaque=\"o\", qop=auth, nc=0000000a";
  const auto c = parse_digest_credentials(text);
  ASSERT_TRUE(c);
  EXPECT_EQ(c->nonce_count, 10U);
  EXPECT_EQ(write(*c), text);
  EXPECT_EQ(parse_digest_credentials(
                "Digest username*=UTF-8''J%c3%a4s%c3%b8n, realm=r, nonce=n, uri=\"u\", response=\"AB\"")
                ->username,
            "J\xC3\xA4s\xC3\xB8n");
  EXPECT_EQ(
      parse_digest_credentials("Digest username=u, realm=r, nonce=n, uri=\"u\", response=\"AB\"")->response,
      "ab");
  const std::string rest = ", realm=r, nonce=n, uri=\"u\", response=\"a\"";
  for (const auto& bad : std::initializer_list<std::string>{
           "Digest realm=r, nonce=n, uri=\"u\", response=\"a\"",
           "Digest username=u, username*=UTF-8''u" + rest, "Digest username=u",
           "Digest username*=UTF-8''%zz" + rest, "Digest username*=latin1''x" + rest,
           "Digest username*=UTF-8''%ff" + rest, "Digest username=u, qop=auth" + rest,
           "Digest username=u, qop=auth, cnonce=c, nc=1" + rest, "Digest username=u, nc=0000000g" + rest,
           "Digest username=u, nc=-0000001" + rest, "Digest username*=UTF-8''u, userhash=true" + rest}) {
    EXPECT_FALSE(parse_digest_credentials(bad)) << bad;
  }
}

TEST(digest, computes_what_the_rfcs_print) {
  // RFC 7616 §3.9.1.
  const std::string_view user = "Mufasa";
  const std::string_view realm = "http-auth@example.org";
  const digest_input in{"GET",
                        "/dir/index.html",
                        "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                        "00000001",
                        "auth",
                        ""};
  const auto answer = [&](digest_algorithm a) {
    return digest_response(a, digest_secret(a, user, realm, "Circle of Life"), in);
  };
  EXPECT_EQ(answer(digest_algorithm::md5), "8ca523f5e9506fed4657c9700eebdbec");
  EXPECT_EQ(answer(digest_algorithm::sha256),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
  // RFC 7616 §3.9.2 as its erratum 4897 corrects it.
  EXPECT_EQ(digest_userhash(digest_algorithm::sha512_256, "J\xC3\xA4s\xC3\xB8n Doe", "api@example.org"),
            "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b");
}

TEST(digest, covers_every_algorithm_and_qop) {
  struct row {
    digest_algorithm algorithm;
    const char* qop;
    const char* response;
  };
  // Computed by another implementation (Python's hashlib).
  for (const auto& [algorithm, qop, response] : {
           row{digest_algorithm::md5, "", "270c00de01b4561fbf0960f5ee40ad78"},
           row{digest_algorithm::md5, "auth", "1df94e25932d212dae9991f23eff7017"},
           row{digest_algorithm::md5_sess, "auth", "49e0c4718b6364979a00cc5d55446596"},
           row{digest_algorithm::md5, "auth-int", "14161e5782c8c31d9557bde4dd80813f"},
           row{digest_algorithm::md5_sess, "auth-int", "697e0159fdd68906c92734e7959f0a5b"},
           row{digest_algorithm::sha256, "",
               "dfb0890074a83fe4465ed3f73d3d032cb506dc02a929a207fd2563f2a0f68b41"},
           row{digest_algorithm::sha256, "auth",
               "5d9f70019172e8c3c5c96dc7cdd602d94b73863ca4f16b33bb4f4cd91be6ee6f"},
           row{digest_algorithm::sha256_sess, "auth",
               "c03e16996b284ff0c4dd3f2687e329f0d69c695fa4830c854febd2516b0b6ea6"},
           row{digest_algorithm::sha256, "auth-int",
               "965a4725fd95233f04f14c661fcb1d2e0b6f01359913741c0da5e0577b580824"},
           row{digest_algorithm::sha256_sess, "auth-int",
               "8f7aaddd4ac538aa27abd95b3606ef6415e728951739b3e06c5319be8897cdb2"},
           row{digest_algorithm::sha512_256, "",
               "a20cfd81d9a21c342b8e6f9cbcae9fe81dd9291eef29ae6aa334ab9de73be9d1"},
           row{digest_algorithm::sha512_256, "auth",
               "f05c0d1dd762a9e9e242f6bb9f9756d636952b976f986972f8415da99fb6e433"},
           row{digest_algorithm::sha512_256_sess, "auth",
               "a0470e9a6c981bdecb6aa8c2a88c54609b9224aafdef497b51afffe9660f8973"},
           row{digest_algorithm::sha512_256, "auth-int",
               "cc9760461e9bada3f7b8b9762e365f26b3af5a87ed32067dc451c6cb3550753c"},
           row{digest_algorithm::sha512_256_sess, "auth-int",
               "489db2dbc406eec0d8d8d91a98332f020f2f0013a71ce6de2edae92c39d71260"},
       }) {
    const auto secret = digest_secret(algorithm, "odd", "club.example", "e2e4!");
    digest_credentials c;
    c.username = "odd";
    c.realm = "club.example";
    c.nonce = "nonce-77";
    c.uri = "sip:tove@board.example";
    c.algorithm = algorithm;
    c.cnonce = "cnonce-5";
    c.qop = qop;
    c.nonce_count = 42;
    c.response = response;
    EXPECT_TRUE(matches(c, secret, "MESSAGE", "check")) << to_string(algorithm) << " " << qop;
    EXPECT_FALSE(matches(c, secret, "INVITE", "check")) << to_string(algorithm) << " " << qop;
    EXPECT_EQ(matches(c, secret, "MESSAGE", "mate"), c.qop != "auth-int");
    c.response.back() ^= 1;
    EXPECT_FALSE(matches(c, secret, "MESSAGE", "check"));
    EXPECT_EQ(parse_digest_algorithm(to_string(algorithm)), algorithm);
  }
  digest_credentials unknown;
  EXPECT_FALSE(matches(unknown, "", "MESSAGE", ""));
  EXPECT_EQ(parse_digest_algorithm("SHA-1"), std::nullopt);
  EXPECT_EQ(digest_userhash(digest_algorithm::sha256, "odd", "club.example"),
            "9834506e759f972a69ab959103e0d82b243e2aefdc54c14893fa699e53552b98");
}

TEST(authentication_info, round_trips) {
  expect_round_trips(parse_authentication_info, {"nextnonce=\"47364c23432d2e131a5fb210812c\"",
                                                 "qop=auth, rspauth=\"ab\", cnonce=\"c\", nc=00000001"});
  expect_refused(parse_authentication_info,
                 {"", "nextnonce", "nextnonce=\"x\",", "nc=1", "a=1 b=2", "a=1", "qop=\"\"", "qop=a/b"});
}

// ---- events and dialogs ----

TEST(event, round_trips) {
  expect_round_trips(parse_event, {"presence", "presence.winfo", "dialog;id=7;call-id=\"a@b\""});
  EXPECT_EQ(parse_event("refer ; id = 93809824")->id(), "93809824");
  EXPECT_EQ(parse_event("refer")->id(), std::nullopt);
  expect_refused(parse_event, {"", ";id=1", "a b", "presence;", "presence;id=1;id=2", "presence, dialog"});
}

TEST(subscription_state, round_trips) {
  expect_round_trips(
      parse_subscription_state,
      {"active;expires=3600", "pending", "terminated;reason=probation;retry-after=60", "waiting;expires=1"});
  const auto s = parse_subscription_state("Terminated;reason=NoResource");
  EXPECT_EQ(s->state, substate::terminated);
  EXPECT_EQ(s->reason, "noresource");
  EXPECT_EQ(parse_subscription_state("waiting")->state, substate::other);
  expect_refused(parse_subscription_state,
                 {"", ";expires=1", "active;expires=x", "active;expires", "active;expires=4294967296",
                  "active;retry-after=-1", "active;reason=\"a b\"", "active;reason", "active x"});
}

TEST(entity_tag, is_one_token) {
  EXPECT_EQ(*parse_entity_tag(" dx200xyz "), "dx200xyz");
  expect_refused(parse_entity_tag, {"", "a b", "\"a\"", "a,b"});
}

TEST(refer, headers_round_trip) {
  std::string out;
  write_to(out, *parse_refer_to("\"Tove\" <sip:tove@b;method=INVITE?Replaces=a%3Bto-tag%3D1>"));
  EXPECT_EQ(out, "\"Tove\" <sip:tove@b;method=INVITE?Replaces=a%3Bto-tag%3D1>");
  expect_refused(parse_refer_to, {"", "sip:a@b?x=1", "<sip:a@b>, <sip:c@d>"});
  EXPECT_TRUE(*parse_refer_sub("TRUE"));
  EXPECT_FALSE(*parse_refer_sub(write_refer_sub(false)));
  EXPECT_TRUE(*parse_refer_sub(write_refer_sub(true)));
  expect_refused(parse_refer_sub, {"", "yes", "true false", "true;"});
  expect_round_trips(
      parse_referred_by,
      {"<sip:odd@club.example>", "\"Odd\" <sip:odd@club.example>;cid=\"<20398823.2UWQFN309@club.example>\""});
  EXPECT_EQ(parse_referred_by("sip:a@b;cid=\"<x@y>\"")->content_id(), "x@y");
  EXPECT_EQ(parse_referred_by("sip:a@b")->content_id(), std::nullopt);
  expect_refused(parse_referred_by, {"", "<sip:a@b>;cid=\"open"});
}

TEST(replaces, round_trips) {
  expect_round_trips(parse_replaces, {"425928@bobster.example.org;to-tag=7743;from-tag=6472",
                                      "12adf2f34456gs5;to-tag=0;from-tag=0;early-only"});
  expect_round_trips(parse_join, {"12adf2f34456gs5;to-tag=12345;from-tag=54321"});
  EXPECT_EQ(write(*parse_replaces("a(\"<b@c ; from-tag=f;to-tag=t;x=y")), "a(\"<b@c;to-tag=t;from-tag=f");
  EXPECT_FALSE(parse_join("a;to-tag=1;from-tag=2;early-only")->early_only);
  const auto bad = {"",
                    ";to-tag=1;from-tag=2",
                    "a",
                    "a;to-tag=1",
                    "a;from-tag=1",
                    "a;to-tag=1;from-tag=2;to-tag=3",
                    "a b;to-tag=1;from-tag=2",
                    "a@b@c;to-tag=1;from-tag=2",
                    "a;to-tag=\"1\";from-tag=2",
                    "a;to-tag;from-tag=2"};
  expect_refused(parse_replaces, bad);
  expect_refused(parse_join, bad);
}

TEST(target_dialog, round_trips) {
  expect_round_trips(parse_target_dialog,
                     {"fa77as7dad8-sd98ajzz@host.example.com;remote-tag=6544;local-tag=kkaz-"});
  expect_refused(parse_target_dialog, {"", "a", "a;local-tag=1", "a;remote-tag=1",
                                       "a;local-tag=1;remote-tag=", ";local-tag=1;remote-tag=2"});
}

TEST(call_id, is_one_or_two_words) {
  EXPECT_EQ(*parse_call_id(" f81d4fae@foo.bar.com "), "f81d4fae@foo.bar.com");
  expect_refused(parse_call_id, {"", "@", "a@", "@b", "a@b@c", "a b", "a;b", "a,b"});
}

// ---- sessions, routes, identity, preferences ----

TEST(session_expires, round_trips) {
  expect_round_trips(parse_session_expires, {"4000", "1800;refresher=uac", "90;refresher=uas;x=y"});
  EXPECT_EQ(parse_session_expires("90 ; Refresher = UAS")->refresher, refresher::uas);
  expect_refused(parse_session_expires,
                 {"", "x", "-1", "4294967296", "90;refresher=me", "90;refresher", "90;", "90 90"});
  EXPECT_EQ(*parse_min_se("60;x=y"), 60U);
  expect_refused(parse_min_se, {"", "x", "60;", "60 60"});
}

TEST(reliability, headers_round_trip) {
  EXPECT_EQ(*parse_rseq(" 988789 "), 988789U);
  expect_refused(parse_rseq, {"", "0", "4294967296", "-1", "1 2"});
  expect_round_trips(parse_rack, {"776656 1 INVITE"});
  expect_refused(parse_rack,
                 {"", "1", "1 INVITE", "0 1 INVITE", "1 2147483648 INVITE", "1 1", "1 1 INVITE x"});
}

TEST(timestamp, round_trips) {
  expect_round_trips(parse_timestamp,
                     {"54", "54.12", "54.", "54.0 0.5", "1 .5", "99999999999999999999999999"});
  expect_refused(parse_timestamp, {"", ".5", "x", "1.2.3", "-1", "1 x", "1 .", "1 2 3"});
}

TEST(addresses, are_collected_over_all_fields) {
  header_list h;
  h.add(header::path, "<sip:p1.example;lr>,<sip:p2.example;lr>");
  h.add(header::path, "<sip:p3.example;lr>");
  const auto a = parse_addresses(h, header::path);
  ASSERT_TRUE(a);
  EXPECT_EQ(write(*a), "<sip:p1.example;lr>, <sip:p2.example;lr>, <sip:p3.example;lr>");
  EXPECT_TRUE(parse_addresses(h, header::service_route)->empty());
  h.add(header::path, "<sip:broken");
  EXPECT_EQ(parse_addresses(h, header::path).error().to_string(),
            "sip.wire/bad_header: Path: no > after the URI");
}

TEST(history_info, round_trips) {
  expect_round_trips(parse_history_entry,
                     {"<sip:bob@example.com?Reason=SIP%3Bcause%3D302>;index=1.10.1;rc=1", "<sip:a@b>"});
  EXPECT_EQ(parse_history_entry("<sip:a@b>;mp=1;index=1.2")->index, (std::vector<std::uint32_t>{1, 2}));
  expect_refused(parse_history_entry, {"", "<sip:a@b>;index", "<sip:a@b>;index=1.", "<sip:a@b>;index=.1",
                                       "<sip:a@b>;index=1.x", "<sip:a@b>;index=4294967296"});
}

TEST(reason, round_trips) {
  expect_round_trips(parse_reason, {"SIP;cause=200;text=\"Call completed elsewhere\"",
                                    "Q.850;cause=16;text=\"\"", "preemption", "SIP;cause=600;x=\"y z\""});
  EXPECT_EQ(write(reason_value{"SIP", 404, "a\r\nb\"", {}}), "SIP;cause=404;text=\"a  b\\\"\"");
  expect_refused(parse_reason, {"", ";cause=1", "SIP;cause=x", "SIP;cause", "SIP;cause=65536", "SIP;",
                                "SIP;text=\"open", "SIP x"});
}

TEST(privacy, tells_who_must_not_be_shown) {
  expect_round_trips(parse_privacy, {"id", "header;session;user;critical", "none"});
  EXPECT_EQ(write(*parse_privacy("ID ; user, id")), "id;user");
  EXPECT_TRUE(parse_privacy("session;Id")->hides_identity());
  EXPECT_TRUE(parse_privacy("user")->hides_identity());
  EXPECT_TRUE(parse_privacy("header")->hides_identity());
  EXPECT_FALSE(parse_privacy("session;critical")->hides_identity());
  EXPECT_FALSE(parse_privacy("none")->hides_identity());
  expect_refused(parse_privacy, {"", ";", "id;", "id;;user", "id user", "\"id\""});
}

TEST(identity, round_trips) {
  expect_round_trips(parse_identity, {"eyJhbGciOiJFUzI1NiJ9..rq3pjT1hoRwakEGj_-x==;info=<https://"
                                      "biloxi.example.org/biloxi.cer>;alg=ES256;ppt=shaken",
                                      "..abc;info=<https://a.example/b;c?d>;x=y"});
  const auto i = parse_identity("abc ; Alg = ES256 ; Info = <https://a.example/> ; ppt=\"div\"");
  ASSERT_TRUE(i);
  EXPECT_EQ(i->algorithm, "ES256");
  EXPECT_EQ(i->type, "div");
  EXPECT_EQ(i->info.scheme, "https");
  expect_refused(
      parse_identity,
      {"", "abc", ";info=<https://a>", "a b;info=<https://a/>", "abc;info=https://a/", "abc;info=<https://a/",
       "abc;info=<>", "abc;info=<https://a/>;info=<https://b/>", "abc;info=<https://a/>x", "abc;info"});
}

TEST(info, round_trips) {
  expect_round_trips(parse_info, {"<http://wwww.example.com/alice/photo.jpg>;purpose=icon", "<urn:x:y>"});
  EXPECT_EQ(parse_info("<http://a/>;purpose=\"card\"")->purpose(), "card");
  EXPECT_EQ(parse_info("<http://a/>")->purpose(), std::nullopt);
  expect_refused(parse_info,
                 {"", "http://a/", "<http://a/", "<>", "<http://a/>;", "<http://a/> x", "\"n\" <http://a/>"});
}

TEST(accept, weighs_types) {
  expect_round_trips(parse_accept_range,
                     {"application/sdp;level=1", "text/*;q=0.5", "*/*;q=0", "application/x;q=0.123"});
  EXPECT_EQ(parse_accept_range("text/html;q=1.000")->weight, 1000U);
  EXPECT_EQ(parse_accept_range("text/html;q=0.05")->weight, 50U);
  expect_refused(parse_accept_range, {"", "text", "*/plain", "text/html;q=", "text/html;q=2",
                                      "text/html;q=1.001", "text/html;q=0.1234", "text/html;q=.5",
                                      "text/html;q=-1", "text/html;q=0x1", "text/html;q"});
  header_list h;
  EXPECT_EQ(acceptance(h, "text", "plain"), 1000U);
  h.add(header::accept, "text/*;q=0.3, text/html;q=0.7, text/html;q=bad");
  h.add(header::accept, "*/*;q=0.1");
  EXPECT_EQ(acceptance(h, "text", "html"), 700U);
  EXPECT_EQ(acceptance(h, "text", "plain"), 300U);
  EXPECT_EQ(acceptance(h, "message", "cpim"), 100U);
  header_list none;
  none.add(header::accept, "");
  EXPECT_EQ(acceptance(none, "text", "plain"), 0U);
}

TEST(accept_language, round_trips) {
  expect_round_trips(parse_weighted_token, {"da", "en-gb;q=0.8", "*;q=0.001", "gzip;x=y;q=0.5"});
  EXPECT_EQ(parse_weighted_token("GZIP ; q = 1.0")->value, "gzip");
  expect_refused(parse_weighted_token, {"", ";q=1", "a b", "en;q=1.1", "en;", "en/us"});
}

TEST(small_headers, have_their_grammar) {
  EXPECT_EQ(*parse_language_tag(" zh-Hant-TW "), "zh-Hant-TW");
  EXPECT_EQ(*parse_language_tag("de-1996"), "de-1996");
  expect_refused(parse_language_tag, {"", "-", "en-", "e1", "abcdefghi", "en-abcdefghi", "en us", "en_US"});
  EXPECT_EQ(*parse_priority("Emergency"), "emergency");
  expect_refused(parse_priority, {"", "non urgent", "\"urgent\""});
  EXPECT_EQ(parse_text("  Boxes\tby \x01 Bob\xFF ", 64), "Boxes by Bob\xEF\xBF\xBD");
  EXPECT_EQ(parse_text("abcdef", 3), "abc");
  expect_round_trips(parse_mime_version, {"1.0", "12.34"});
  expect_refused(parse_mime_version, {"", "1", "1.", ".0", "a.b", "1.0.0", "4294967296.0"});
}

TEST(token_lists, are_collected_over_all_fields) {
  header_list h;
  h.add(header::supported, "path, 100rel,");
  h.add(header::supported, "Timer");
  EXPECT_EQ(*parse_tokens(h, header::supported), (std::vector<std::string>{"path", "100rel", "Timer"}));
  EXPECT_TRUE(has_token(h, header::supported, "timer"));
  EXPECT_FALSE(has_token(h, header::supported, "gruu"));
  EXPECT_TRUE(parse_tokens(h, header::require)->empty());
  EXPECT_EQ(write_tokens({"a", "b\r\nEvil: 1", "", "c"}), "a, c");
  h.add(header::supported, "two words");
  EXPECT_EQ(parse_tokens(h, header::supported).error().to_string(),
            "sip.wire/bad_header: Supported: not a list of tokens");
}

}  // namespace
}  // namespace stox::sip
