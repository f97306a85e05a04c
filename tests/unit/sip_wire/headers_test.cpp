#include "sip/wire/headers.hpp"

#include <gtest/gtest.h>

namespace stox::sip {
namespace {

template <class T>
std::string text_of(const T& value) {
  std::string out;
  write_to(out, value);
  return out;
}

/// The detail of the error, "" when there is none.
template <class T>
std::string why(const result<T>& r) {
  return r ? "" : r.error().detail.empty() ? r.error().to_string() : r.error().detail;
}

TEST(via, keeps_received_and_rport) {
  const auto v =
      parse_via("SIP/2.0/UDP pc33.Atlanta.com:5066;branch=z9hG4bK776;received=192.0.2.1;rport=9;x=\"a;b\"");
  ASSERT_TRUE(v);
  EXPECT_EQ(v->protocol, "SIP/2.0");
  EXPECT_EQ(v->transport, "UDP");
  EXPECT_EQ(v->host, "pc33.atlanta.com");
  EXPECT_EQ(v->port, 5066);
  EXPECT_EQ(v->branch(), "z9hG4bK776");
  EXPECT_TRUE(v->has_magic_cookie());
  EXPECT_EQ(find_param(v->params, "rport")->value, "9");
  EXPECT_EQ(text_of(*v),
            "SIP/2.0/UDP pc33.atlanta.com:5066;branch=z9hG4bK776;received=192.0.2.1;rport=9;x=\"a;b\"");
}

TEST(via, takes_blanks_where_the_grammar_has_them) {
  const auto v = parse_via(" sip /\t2.0 / tcp   first.example.com : 4000 ; branch = z9hG4bKa7 ;rport ");
  ASSERT_TRUE(v) << why(v);
  EXPECT_EQ(text_of(*v), "SIP/2.0/TCP first.example.com:4000;branch=z9hG4bKa7;rport");
}

TEST(via, takes_ipv6_with_and_without_brackets_in_received) {
  EXPECT_EQ(
      text_of(*parse_via("SIP/2.0/UDP [2001:DB8::9:1]:6050;received=[2001:db8::9:255];branch=z9hG4bKa")),
      "SIP/2.0/UDP [2001:db8::9:1]:6050;received=[2001:db8::9:255];branch=z9hG4bKa");
  EXPECT_EQ(find_param(parse_via("SIP/2.0/UDP [::1];received=2001:db8::9:255")->params, "received")->value,
            "2001:db8::9:255");
}

TEST(via, a_bare_cookie_names_no_transaction) {
  EXPECT_FALSE(parse_via("SIP/2.0/UDP a;branch=z9hG4bK")->has_magic_cookie());
  EXPECT_FALSE(parse_via("SIP/2.0/UDP a;branch=Z9HG4BK1")->has_magic_cookie());
  EXPECT_FALSE(parse_via("SIP/2.0/UDP a")->has_magic_cookie());
  EXPECT_EQ(parse_via("SIP/2.0/UDP a")->branch(), "");
}

TEST(via, keeps_other_versions) { EXPECT_EQ(text_of(*parse_via("SIP/7.0/UDP a")), "SIP/7.0/UDP a"); }

TEST(via, sets_a_parameter_in_place) {
  auto v = *parse_via("SIP/2.0/UDP a;rport;branch=z9hG4bK1");
  v.set_param("RPORT", "5099");
  v.set_param("received", "192.0.2.7");
  EXPECT_EQ(text_of(v), "SIP/2.0/UDP a;rport=5099;branch=z9hG4bK1;received=192.0.2.7");
}

TEST(via, is_refused_when_malformed) {
  for (const char* text : {"",
                           "SIP/2.0",
                           "SIP/2.0/UDP",
                           "SIP/2.0/UDP ",
                           "SIP/2.0 UDP a",
                           "SIP/2.0/UDPa",
                           "/2.0/UDP a",
                           "SIP//UDP a",
                           "SIP/2.0/UDP a:",
                           "SIP/2.0/UDP a:65536",
                           "SIP/2.0/UDP a;",
                           "SIP/2.0/UDP a;;",
                           "SIP/2.0/UDP a;=b",
                           "SIP/2.0/UDP a;b=",
                           "SIP/2.0/UDP a b",
                           "SIP/2.0/UDP a;branch=1;Branch=2",
                           "SIP/2.0/UDP [::1",
                           "SIP/2.0/UDP ::1",
                           "SIP/2.0/UDP a;x=\"open",
                           "SIP/2.0/UDP a, SIP/2.0/UDP b"}) {
    EXPECT_FALSE(parse_via(text)) << text;
  }
}

TEST(name_addr, round_trips) {
  for (const char* text : {
           "<sip:alice@atlanta.example>",
           "<sip:alice@atlanta.example;lr?Subject=x>;tag=1928301774",
           "\"A. G. Bell\" <sip:agb@bell-telephone.example>;tag=a48s;x",
           "\"quo\\\"te \\\\ and \xE2\x82\xAC\" <sips:a@b:5061>",
           "\"nul \\\x01 tab\t\" <tel:+1-201-555-0123>",
           "<https://example.com/x?y=z>;purpose=icon",
       }) {
    const auto a = parse_name_addr(text);
    ASSERT_TRUE(a) << text << ": " << why(a);
    EXPECT_EQ(text_of(*a), text);
  }
}

TEST(name_addr, reads_the_display_name) {
  EXPECT_EQ(parse_name_addr("Alice  of\tOz <sip:a@b>")->display, "Alice of Oz");
  EXPECT_EQ(parse_name_addr("caller<sip:a@b>")->display, "caller");
  EXPECT_EQ(parse_name_addr("\"\" <sip:a@b>")->display, "");
  EXPECT_EQ(parse_name_addr("\"50%41 \\\"\\a\"<sip:a@b>")->display, "50%41 \"a");
  EXPECT_EQ(parse_name_addr("J\xC3\xB6rg <sip:a@b>")->display, "J\xC3\xB6rg");
  EXPECT_EQ(parse_name_addr("\"<sip:x@y>\" <sip:a@b>")->uri.host, "b");
}

TEST(name_addr, without_brackets_the_parameters_are_the_headers) {
  const auto a = parse_name_addr("sip:alice@atlanta.example ;\ttag = 887s;x");
  ASSERT_TRUE(a);
  EXPECT_TRUE(a->uri.params.empty());
  EXPECT_EQ(a->tag(), "887s");
  EXPECT_EQ(text_of(*a), "<sip:alice@atlanta.example>;tag=887s;x");
  EXPECT_EQ(parse_name_addr("<sip:alice@atlanta.example;tag=1>")->tag(), "");
}

TEST(name_addr, is_refused_when_malformed) {
  for (const char* text : {"",
                           "<>",
                           "<sip:a@b",
                           "sip:a@b>",
                           "\"open <sip:a@b>",
                           "\"x\" sip:a@b",
                           "Bell, Alexander <sip:a@b>",
                           "a;b <sip:a@b>",
                           "< sip:a@b>",
                           "<sip:a@b >",
                           "<sip:a@b>x",
                           "<sip:a@b>;",
                           "<sip:a@b>;;x",
                           "<sip:a@b>;tag=",
                           "<sip:a@b>;tag=1;TAG=2",
                           "<sip:a@b>;x=\"open",
                           "<sip:a@b>, <sip:c@d>",
                           "sip:a@b?x=1",
                           "sip:a,b@c",
                           "sip:a?b@c",
                           "sip:a@b x",
                           "sip:a@b, sip:c@d",
                           "\"a\"\"b\" <sip:a@b>",
                           "\"a\\",
                           "<<sip:a@b>>",
                           "no-uri"}) {
    EXPECT_FALSE(parse_name_addr(text)) << text;
  }
}

TEST(name_addr, a_hostile_display_name_cannot_leave_its_quotes) {
  name_addr a;
  a.display = "x\" <sip:evil@e>\r\nEvil: 1\\";
  a.uri = *parse_uri("sip:a@b");
  a.params = {{"p", "v;tag=evil\r\nX: \"y"}};
  EXPECT_EQ(text_of(a), "\"x\\\" <sip:evil@e>  Evil: 1\\\\\" <sip:a@b>;p=\"v;tag=evil  X: \\\"y\"");
  const auto back = parse_name_addr(text_of(a));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->uri.host, "b");
  EXPECT_EQ(back->tag(), "");
}

TEST(contact, may_be_a_star) {
  EXPECT_TRUE(parse_contact(" * ")->star);
  const auto c = parse_contact("<sip:a@b>;expires=60");
  ASSERT_TRUE(c);
  EXPECT_FALSE(c->star);
  EXPECT_EQ(find_param(c->address.params, "expires")->value, "60");
  EXPECT_FALSE(parse_contact("*;expires=0"));
  EXPECT_FALSE(parse_contact("sip:user@example.com?Route=%3Csip:sip.example.com%3E"));
}

TEST(cseq, round_trips_and_has_its_range) {
  const auto c = parse_cseq(" 0009  INVITE ");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->number, 9U);
  EXPECT_EQ(c->method, method::invite);
  EXPECT_EQ(write(*c), "9 INVITE");
  EXPECT_EQ(write(*parse_cseq("2147483647 NEW!")), "2147483647 NEW!");
  EXPECT_EQ(write(cseq{1, method::message, ""}), "1 MESSAGE");
  for (const char* text :
       {"", "1", "INVITE", "1INVITE", "-1 INVITE", "2147483648 INVITE", "36893488147419103232 INVITE",
        "1 IN(VITE", "1 INVITE x", "1.0 INVITE", "0x1 INVITE"}) {
    EXPECT_FALSE(parse_cseq(text)) << text;
  }
}

TEST(numbers, have_their_ranges) {
  EXPECT_EQ(*parse_max_forwards("0068"), 68U);
  EXPECT_EQ(*parse_max_forwards(" 0 "), 0U);
  EXPECT_EQ(*parse_max_forwards("255"), 255U);
  for (const char* text : {"", "256", "-1", "7 0", "seventy", "18446744073709551616"})
    EXPECT_FALSE(parse_max_forwards(text)) << text;
  EXPECT_EQ(*parse_delta_seconds("4294967295"), 4294967295U);
  for (const char* text : {"", "4294967296", "-1", "1.5"}) EXPECT_FALSE(parse_delta_seconds(text)) << text;
}

TEST(media_type, round_trips) {
  const auto m = parse_media_type("Text/PLAIN ; charset = UTF-8;x=\"a \\\"b\"");
  ASSERT_TRUE(m);
  EXPECT_TRUE(m->is("text", "plain"));
  EXPECT_EQ(m->param_value("CHARSET"), "UTF-8");
  EXPECT_EQ(m->param_value("x"), "a \"b");
  EXPECT_EQ(m->param_value("y"), std::nullopt);
  EXPECT_EQ(text_of(*m), "text/plain;charset=UTF-8;x=\"a \\\"b\"");
  for (const char* text : {"", "text", "text/", "/plain", "text/plain;", "text/plain;=x", "text/plain x",
                           "te xt/plain", "text/plain;a=1;A=2", "text/plain, text/html"}) {
    EXPECT_FALSE(parse_media_type(text)) << text;
  }
}

TEST(disposition, round_trips) {
  const auto d = parse_disposition("Session ;handling=optional");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->type, "session");
  EXPECT_EQ(d->param_value("handling"), "optional");
  EXPECT_EQ(text_of(*d), "session;handling=optional");
  for (const char* text : {"", ";x", "a b", "a/b", "a;"}) EXPECT_FALSE(parse_disposition(text)) << text;
}

TEST(warning, round_trips) {
  const auto w = parse_warning("307 isi.edu:5060 \"Session parameter \\\"foo\\\" not understood\"");
  ASSERT_TRUE(w);
  EXPECT_EQ(w->code, 307);
  EXPECT_EQ(w->agent, "isi.edu:5060");
  EXPECT_EQ(w->text, "Session parameter \"foo\" not understood");
  EXPECT_EQ(write(*w), "307 isi.edu:5060 \"Session parameter \\\"foo\\\" not understood\"");
  EXPECT_EQ(write(warning_value{399, "a b", "x\r\ny"}), "399 - \"x  y\"");
  EXPECT_EQ(write(warning_value{7, "a", "b"}), "007 a \"b\"");
  for (const char* text : {"", "307", "307 a", "307 a b", "1812 overture \"x\"", "30 a \"x\"", "307 \"x\"",
                           "307 a \"x", "307 a \"x\" y"}) {
    EXPECT_FALSE(parse_warning(text)) << text;
  }
}

TEST(retry_after, round_trips) {
  for (const char* text :
       {"18000", "18000;duration=3600", "120 (I'm in a meeting)", "120 (a (nested\\) one));duration=60"}) {
    const auto r = parse_retry_after(text);
    ASSERT_TRUE(r) << text;
    EXPECT_EQ(write(*r), text);
  }
  EXPECT_EQ(parse_retry_after("120 (I'm in a meeting)")->comment, "I'm in a meeting");
  EXPECT_EQ(write(retry_after_value{5, "open (", {}}), "5");
  for (const char* text :
       {"", "x", "-1", "949302838503028349304023988", "1 (open", "1 x", "1;", "Mon, 1 Jan 2024"}) {
    EXPECT_FALSE(parse_retry_after(text)) << text;
  }
}

TEST(date, round_trips) {
  EXPECT_EQ(*parse_date("Sat, 13 Nov 2010 23:29:00 GMT"), 1289690940);
  EXPECT_EQ(*parse_date("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
  EXPECT_EQ(write_date(1289690940), "Sat, 13 Nov 2010 23:29:00 GMT");
  EXPECT_EQ(write_date(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(write_date(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(*parse_date(write_date(253402300799)), 253402300799);
  EXPECT_EQ(write_date(INT64_MAX), write_date(253402300799));
  for (const char* text :
       {"", "Sat, 13 Nov 2010 23:29:00 EST", "Sat, 13 Nov 2010 23:29:00 UTC", "Sat, 31 Feb 2010 23:29:00 GMT",
        "Sat, 13 Nov 2010 24:29:00 GMT", "Sat, 3 Nov 2010 23:29:00 GMT", "Xxx, 13 Nov 2010 23:29:00 GMT",
        "Sat, 13 Nox 2010 23:29:00 GMT", "Sat, -3 Nov 2010 23:29:00 GMT", "Sat, 00 Nov 2010 23:29:00 GMT"}) {
    EXPECT_FALSE(parse_date(text)) << text;
  }
}

TEST(quoting, round_trips_any_text_but_line_ends) {
  for (const char* text : {"", "plain", "a\"b\\c", "\x01\x7f\t", "\xE2\x82\xAC"}) {
    EXPECT_EQ(unquote(quote(text)), text);
  }
  EXPECT_EQ(quote("a\r\nb"), "\"a  b\"");
  EXPECT_EQ(quote("say \"hi\""), "\"say \\\"hi\\\"\"");
  EXPECT_EQ(unquote("token"), "token");
  EXPECT_EQ(unquote("\""), "\"");
  EXPECT_EQ(unquote("\"a\\\""), "a\\");
}

TEST(clean_text, is_safe_whatever_came) {
  EXPECT_EQ(clean_text("Not Found", 100), "Not Found");
  EXPECT_EQ(clean_text("a\r\nEvil: 1\t\x01 b\x7f", 100), "a Evil: 1 b");
  EXPECT_EQ(clean_text("  \xC2\x85 x\xE2\x80\xA8y ", 100), "x y");
  EXPECT_EQ(clean_text("bad \xC3( \xFF", 100), "bad \xEF\xBF\xBD( \xEF\xBF\xBD");
  EXPECT_EQ(clean_text("\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 7), "\xF0\x9F\x98\x80");
  EXPECT_EQ(clean_text("cut \xC3", 100), "cut \xEF\xBF\xBD");
  EXPECT_EQ(clean_text("abc", 0), "");
}

request minimal() {
  request r;
  r.method = method::message;
  r.method_name = "MESSAGE";
  r.uri = "sip:tove@board.example";
  r.headers.add(header::via, "SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b");
  r.headers.add(header::from, "<sip:odd@club.example>;tag=1");
  r.headers.add(header::to, "sip:tove@board.example");
  r.headers.add(header::call_id, "c-1@x");
  r.headers.add(header::cseq, "1 MESSAGE");
  r.headers.add(header::max_forwards, "70");
  return r;
}

std::string refusal(const request& r) {
  const auto e = check_mandatory(r);
  return e ? "" : e.error().to_string();
}

TEST(check_mandatory, reads_the_essentials) {
  const auto e = check_mandatory(minimal());
  ASSERT_TRUE(e);
  EXPECT_EQ(e->top_via.host, "a");
  EXPECT_EQ(e->top_via.branch(), "z9hG4bK1");
  EXPECT_EQ(e->from.tag(), "1");
  EXPECT_EQ(e->to.uri.user, "tove");
  EXPECT_EQ(e->call_id, "c-1@x");
  EXPECT_EQ(e->cseq.number, 1U);
  EXPECT_EQ(e->max_forwards, 70U);
}

TEST(check_mandatory, asks_for_each_header_that_must_be_there) {
  for (const auto h : {header::via, header::from, header::to, header::call_id, header::cseq}) {
    auto r = minimal();
    r.headers.remove(h);
    EXPECT_EQ(refusal(r), "sip.wire/missing_header: no " + std::string(to_string(h)));
  }
  auto r = minimal();
  r.headers.remove(header::max_forwards);
  EXPECT_EQ(check_mandatory(r)->max_forwards, std::nullopt);
}

TEST(check_mandatory, refuses_what_stands_twice) {
  for (const auto h : {header::from, header::to, header::call_id, header::cseq, header::max_forwards}) {
    auto r = minimal();
    r.headers.add(h, *r.headers.find(h));
    EXPECT_EQ(refusal(r), "sip.wire/repeated_header: " + std::string(to_string(h)) + " given twice");
  }
  auto r = minimal();
  r.headers.add(header::content_type, "text/plain");
  r.headers.add(header::content_type, "text/plain");
  EXPECT_EQ(refusal(r), "sip.wire/repeated_header: Content-Type given twice");
  r = minimal();
  r.headers.add(header::via, "SIP/2.0/UDP c");
  r.headers.add(header::contact, "<sip:a@b>");
  r.headers.add(header::contact, "<sip:a@c>");
  EXPECT_EQ(refusal(r), "");
}

TEST(check_mandatory, refuses_malformed_values) {
  const std::tuple<header, const char*, const char*> rows[] = {
      {header::via, "SIP/2.0/UDP", "sip.wire/bad_header: Via: malformed transport"},
      {header::from, "\"open <sip:a@b>", "sip.wire/bad_header: From: malformed display name"},
      {header::to, "<sip:>", "sip.wire/bad_uri: To: malformed host"},
      {header::call_id, "a b", "sip.wire/bad_header: Call-ID: illegal character"},
      {header::call_id, "", "sip.wire/bad_header: Call-ID: illegal character"},
      {header::cseq, "1", "sip.wire/bad_header: CSeq: no method"},
      {header::cseq, "1 OPTIONS", "sip.wire/bad_method: CSeq names another method"},
      {header::max_forwards, "256", "sip.wire/bad_header: Max-Forwards: not a number up to 255"},
  };
  for (const auto& [h, value, expected] : rows) {
    auto r = minimal();
    r.headers.set(h, value);
    EXPECT_EQ(refusal(r), expected);
  }
}

TEST(check_mandatory, leaves_unknown_methods_to_501) {
  auto r = minimal();
  r.method = method::unknown;
  r.method_name = "CASTLE";
  EXPECT_EQ(refusal(r), "");
}

TEST(check_mandatory, refuses_headers_in_the_request_uri) {
  auto r = minimal();
  r.uri = "sip:tove@board.example?Subject=x";
  EXPECT_EQ(refusal(r), "sip.wire/bad_uri: headers in the Request-URI");
  r.uri = "SIPS:board.example?Subject=x";
  EXPECT_EQ(refusal(r), "sip.wire/bad_uri: headers in the Request-URI");
  r.uri = "sip:to?ve@board.example";
  EXPECT_EQ(refusal(r), "");
  r.uri = "http://board.example?x";
  EXPECT_EQ(refusal(r), "");
}

TEST(check_mandatory, reads_responses) {
  response r;
  r.status = 200;
  r.headers = minimal().headers;
  r.headers.set(header::cseq, "1 OPTIONS");
  EXPECT_TRUE(check_mandatory(r));
  r.headers.remove(header::to);
  EXPECT_FALSE(check_mandatory(r));
}

}  // namespace
}  // namespace stox::sip
