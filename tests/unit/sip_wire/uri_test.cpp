#include "sip/wire/uri.hpp"

#include <gtest/gtest.h>

#include "sip/wire/headers.hpp"

namespace stox::sip {
namespace {

uri parsed(std::string_view text) {
  const auto u = parse_uri(text);
  EXPECT_TRUE(u) << text << ": " << (u ? "" : u.error().to_string());
  return u ? *u : uri{};
}

TEST(uri, has_all_its_parts) {
  const auto u = parsed(
      "SIP:alice:se%20cret@Atlanta.Example:5070;transport=TCP;lr;x=%41?Subject=hi%20you&Priority=urgent");
  EXPECT_EQ(u.scheme, "sip");
  EXPECT_EQ(u.user, "alice");
  EXPECT_EQ(u.password, "se%20cret");
  EXPECT_EQ(u.host, "atlanta.example");
  EXPECT_EQ(u.port, 5070);
  ASSERT_EQ(u.params.size(), 3U);
  EXPECT_EQ(u.find("Transport")->value, "TCP");
  ASSERT_NE(u.find("LR"), nullptr);
  EXPECT_EQ(u.find("lr")->value, std::nullopt);
  EXPECT_EQ(u.find("x")->value, "%41");
  EXPECT_EQ(u.find("absent"), nullptr);
  EXPECT_EQ(u.headers, "Subject=hi%20you&Priority=urgent");
  EXPECT_TRUE(u.is_sip());
}

TEST(uri, writes_what_it_parsed) {
  for (const char* text : {
           "sip:alice@atlanta.example",
           "sips:1212@gateway.example",
           "sip:gateway.example",
           "sip:gateway.example:5061;transport=tls",
           "sip:alice;day=tuesday@atlanta.example",
           "sip:+1-212-555-1212:1234@gateway.example;user=phone",
           "sip:alice@atlanta.example;maddr=239.255.255.1;ttl=15",
           "sip:%00%40@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31",
           "sip:juliet@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
           "sip:juliet@example.com;gr",
           "sip:u@[2001:db8::9:1]:5070;lr",
           "sip:user:@host.example",
           "sip:a@192.0.2.4",
           "sip:alice@atlanta.example?subject=project%20x&priority=urgent&empty=",
           "tel:+358-555-1234567;postd=pp22",
           "im:alice@example.com",
           "urn:service:sos",
           "http://www.example.com/photos?x=1&y=[2]",
           "soap.beep://192.0.2.103:3002",
       }) {
    EXPECT_EQ(write(parsed(text)), text);
  }
}

TEST(uri, keeps_other_schemes_as_they_came) {
  const auto u = parsed("TEL:+1-201-555-0123;phone-context=Example.COM");
  EXPECT_EQ(u.scheme, "tel");
  EXPECT_EQ(u.opaque, "+1-201-555-0123;phone-context=Example.COM");
  EXPECT_FALSE(u.is_sip());
  EXPECT_TRUE(u.host.empty());
}

TEST(uri, takes_user_characters_that_look_like_delimiters) {
  const auto u = parsed("sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1@example.com");
  EXPECT_EQ(u.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
  EXPECT_EQ(u.password, "&it+has=1");
}

TEST(uri, is_refused_when_malformed) {
  for (const char* text : {
           "",
           "sip",
           "sip:",
           ":x",
           "1sip:a@b",
           "s_p:a@b",
           "sip:@host",
           "sip:user@",
           "sip:us er@host",
           "sip:user@ho st",
           "sip:us<er@host",
           "sip:us\"er@host",
           "sip:u%4@host",
           "sip:u%zz@host",
           "sip:u%@host",
           "sip:a@b@c",
           "sip:a@b:",
           "sip:a@b:65536",
           "sip:a@b:-1",
           "sip:a@b:5060x",
           "sip:a@b:99999999999999999999",
           "sip:a@b;",
           "sip:a@b;;lr",
           "sip:a@b;=x",
           "sip:a@b;x=",
           "sip:a@b;x=a b",
           "sip:a@b;x=\"q\"",
           "sip:a@b;x=a@c",
           "sip:a@b;lr;LR",
           "sip:a@b;lr=1;%6cr=2",
           "sip:a@b?",
           "sip:a@b?x",
           "sip:a@b?=x",
           "sip:a@b?x=1&",
           "sip:a@b?x=<y>",
           "sip:2001:db8::10",
           "sip:a@[2001:db8::10",
           "sip:a@2001:db8::10]",
           "sip:a@[]",
           "sip:a@[::1%25eth0]",
           "sip:a@[[::1]]",
           "sip:a@[192.0.2.1]",
           "sip:a@[1:2]",
           "sip:a@[::g]",
           "sip:a@[2001:db8:::1]",
           "sip:a@.example",
           "sip:a@b..c",
           "sip:a@300.1.2.3",
           "sip:a@1.2.3",
           "sip:a@h\xC3\xB6st",
           "sip:\xC3\xB6@host",
           "sip:a#b@host",
           "tel:",
           "tel:1 2",
           "http://x/<y>",
           "http://x/%4",
           "x:\r\n",
           "sip:a@b\r\nX: y",
           "<sip:a@b>",
       }) {
    const auto u = parse_uri(text);
    EXPECT_FALSE(u) << text;
    if (!u) {
      EXPECT_EQ(u.error().code, make_error_code(errc::bad_uri)) << text;
    }
  }
}

TEST(uri, bounds_the_number_of_parameters) {
  std::string text = "sip:a@b";
  for (int i = 0; i < 64; ++i) text += ";p" + std::to_string(i);
  EXPECT_TRUE(parse_uri(text));
  EXPECT_FALSE(parse_uri(text + ";one-more"));
}

TEST(uri, reads_hosts_of_every_kind) {
  EXPECT_EQ(parsed("sip:a@[2001:DB8::A]").host, "[2001:db8::a]");
  EXPECT_EQ(parsed("sip:a@[::ffff:192.0.2.10]:19823").host, "[::ffff:192.0.2.10]");
  EXPECT_EQ(parsed("sip:a@[2001:db8::10:5070]").port, std::nullopt);
  EXPECT_EQ(parsed("sip:a@example.").host, "example.");
  EXPECT_EQ(parsed("sip:a@my_container-1.3f2a").host, "my_container-1.3f2a");
  EXPECT_EQ(parsed("sip:a@xn--hxajbheg2az3al.xn--jxalpdlp").host, "xn--hxajbheg2az3al.xn--jxalpdlp");
}

TEST(uri, tolerates_the_third_colon_and_does_not_keep_it) {
  EXPECT_EQ(parsed("sip:user@[2001:db8:::192.0.2.1]").host, "[2001:db8::192.0.2.1]");
}

struct pair {
  const char* a;
  const char* b;
};

// RFC 3261 §19.1.4 lists such pairs.
TEST(uri, equivalence_holds_where_the_rfc_says_so) {
  for (const auto& [a, b] : {
           pair{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"},
           pair{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
           pair{"sip:carol@chicago.com", "sip:carol@chicago.com;security=on"},
           pair{"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"},
           pair{"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"},
           pair{"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x"},
           pair{"sip:a%3bb@h", "sip:a%3Bb@h"},
           pair{"sip:a@h;lr", "sip:a@h"},
           pair{"sip:a@h;gr=x", "sip:a@h"},  // RFC 5627 §4.1: a public GRUU equals its address of record
           pair{"tel:+1", "TEL:+1"},
       }) {
    EXPECT_TRUE(equivalent(parsed(a), parsed(b))) << a << " " << b;
    EXPECT_TRUE(equivalent(parsed(b), parsed(a))) << b << " " << a;
  }
}

TEST(uri, equivalence_fails_where_the_rfc_says_so) {
  for (const auto& [a, b] : {
           pair{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"},
           pair{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
           pair{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
           pair{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
           pair{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"},
           pair{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
           pair{"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"},
           pair{"sip:a@h", "sips:a@h"},
           pair{"sip:a@h", "sip:h"},
           pair{"sip:a@h", "sip:a:@h"},
           pair{"sip:a:x@h", "sip:a:y@h"},
           pair{"sip:a@h;user=phone", "sip:a@h"},
           pair{"sip:a@h;ttl=1", "sip:a@h"},
           pair{"sip:a@h;method=INVITE", "sip:a@h"},
           pair{"sip:a@h;maddr=1.2.3.4", "sip:a@h"},
           pair{"sip:a@h;gr=x", "sip:a@h;gr=y"},
           pair{"sip:a@h;gr", "sip:a@h;gr=y"},
           pair{"sip:a%2541@h", "sip:a%41@h"},  // escapes are decoded once
           pair{"sip:a%253B@h", "sip:a%3B@h"},
           pair{"sip:a%3Bb@h", "sip:a;b@h"},  // reserved characters differ from their escapes
           pair{"sip:a@h?x=1", "sip:a@h?x=2"},
           pair{"tel:+1", "tel:+2"},
       }) {
    EXPECT_FALSE(equivalent(parsed(a), parsed(b))) << a << " " << b;
    EXPECT_FALSE(equivalent(parsed(b), parsed(a))) << b << " " << a;
  }
}

TEST(uri, tells_which_characters_need_no_escape) {
  for (const char c : std::string_view("azAZ09-_.!~*'()&=+$,;?/")) EXPECT_TRUE(is_user_char(c)) << c;
  for (const char c : std::string_view("@:%#<>[]\\^`{|}\" \t\r\n\x7f\x80\xff"))
    EXPECT_FALSE(is_user_char(c)) << int(c);
  for (const char c : std::string_view("azAZ09-_.!~*'()[]/:&+$")) EXPECT_TRUE(is_param_char(c)) << c;
  for (const char c : std::string_view(";?@=,%#<>\\^`{|}\" \t\r\n\x7f\x80\xff"))
    EXPECT_FALSE(is_param_char(c)) << int(c);
  EXPECT_FALSE(is_user_char('\0'));
  EXPECT_FALSE(is_param_char('\0'));
}

}  // namespace
}  // namespace stox::sip
