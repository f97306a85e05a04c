#include "config/values.hpp"

#include <gtest/gtest.h>

#include "config/options.hpp"
#include "config/toml_file.hpp"

namespace stox::config {
namespace {

TEST(duration_text, has_a_unit_or_is_milliseconds) {
  EXPECT_EQ(parse_duration("150ms"), 150);
  EXPECT_EQ(parse_duration("150"), 150);
  EXPECT_EQ(parse_duration("2s"), 2000);
  EXPECT_EQ(parse_duration("2 s"), 2000);
  EXPECT_EQ(parse_duration("5min"), 300'000);
  EXPECT_EQ(parse_duration("1h"), 3'600'000);
  for (const auto* bad : {"", "ms", "-1s", "1.5s", "1d", "1s1", "99999999999999s", "0x10", " 1s"}) {
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
  }
}

TEST(duration_text, is_written_in_the_largest_unit_that_is_exact) {
  EXPECT_EQ(write_duration(0), "0ms");
  EXPECT_EQ(write_duration(150), "150ms");
  EXPECT_EQ(write_duration(2000), "2s");
  EXPECT_EQ(write_duration(90'000), "90s");
  EXPECT_EQ(write_duration(120'000), "2min");
  EXPECT_EQ(write_duration(3'600'000), "1h");
}

TEST(size_text, counts_by_1000_or_by_1024) {
  EXPECT_EQ(parse_size("512MiB"), 512LL << 20);
  EXPECT_EQ(parse_size("1GiB"), 1LL << 30);
  EXPECT_EQ(parse_size("64kB"), 64'000);
  EXPECT_EQ(parse_size("64KiB"), 65'536);
  EXPECT_EQ(parse_size("3MB"), 3'000'000);
  EXPECT_EQ(parse_size("2GB"), 2'000'000'000);
  EXPECT_EQ(parse_size("10000"), 10'000);
  EXPECT_EQ(parse_size("7B"), 7);
  for (const auto* bad : {"", "MiB", "-1", "1.5MiB", "1TiBB", "1000000000000GiB"})
    EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
  EXPECT_EQ(write_size(512LL << 20), "512MiB");
  EXPECT_EQ(write_size(65'536), "64KiB");
  EXPECT_EQ(write_size(10'000), "10kB");
  EXPECT_EQ(write_size(10'001), "10001B");
}

TEST(domain_text, is_lowered_and_checked) {
  EXPECT_EQ(parse_domain("SIP.Example"), "sip.example");
  EXPECT_EQ(parse_domain("b\xC3\xBC"
                         "cher.example"),
            "b\xC3\xBC"
            "cher.example");
  EXPECT_EQ(parse_domain(std::string(63, 'a') + ".b"), std::string(63, 'a') + ".b");
  for (const std::string& bad :
       {std::string(), std::string("a..b"), std::string("a."), std::string(".a"), std::string("-a.b"),
        std::string("a-.b"), std::string("a b"), std::string("a/b"), std::string("a@b"), std::string("a:1"),
        std::string("\xFF.b"), std::string(64, 'a') + ".b", std::string("a\nb")}) {
    EXPECT_EQ(parse_domain(bad), std::nullopt) << bad;
  }
  std::string long_name = "a";
  while (long_name.size() < 254) long_name += ".a";
  EXPECT_EQ(parse_domain(long_name), std::nullopt);
}

TEST(domain_text, has_one_spelling_in_u_labels) {
  const std::string name = "m\xC3\xBCnchen.example";
  EXPECT_EQ(parse_domain(name), name);
  EXPECT_EQ(parse_domain("XN--MNCHEN-3YA.Example"), name);
  EXPECT_EQ(parse_domain("M\xC3\x9CNCHEN.example"), name);
  EXPECT_EQ(parse_domain("mu\xCC\x88nchen.example"), name);
  EXPECT_EQ(parse_domain("xn--mnchen.example"), std::nullopt) << "stands for nothing";
  EXPECT_EQ(parse_domain("127.0.0.1"), "127.0.0.1");
}

TEST(host_port_text, has_the_name_as_the_dns_knows_it) {
  for (const auto* text : {"m\xC3\xBCnchen.example:5347", "XN--MNCHEN-3YA.example:5347"}) {
    const auto where = parse_host_port(text, std::nullopt);
    ASSERT_TRUE(where) << text;
    EXPECT_EQ(where->host, "xn--mnchen-3ya.example");
  }
  settings::advertised own;
  EXPECT_EQ(parse_advertised("m\xC3\xBCnchen.example", own), "");
  EXPECT_EQ(own.host, "xn--mnchen-3ya.example");
}

TEST(host_port_text, keeps_ipv6_apart_from_the_port) {
  const auto v6 = parse_host_port("[2001:db8::1]:5347", std::nullopt);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "2001:db8::1");
  EXPECT_EQ(v6->port, 5347);
  const auto bare = parse_host_port("[::1]", std::uint16_t{7});
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->host, "::1");
  EXPECT_EQ(bare->port, 7);
  const auto name = parse_host_port("XMPP.example:80", std::nullopt);
  ASSERT_TRUE(name);
  EXPECT_EQ(name->host, "xmpp.example");
  for (const auto* bad :
       {"", ":1", "a", "a:", "a:x", "a:65536", "::1:80", "[::1", "[1.2.3.4]:1", "[::1]80", "a:+1"}) {
    EXPECT_FALSE(parse_host_port(bad, std::nullopt)) << bad;
  }
}

TEST(listener_text, names_transport_and_address) {
  settings::listener l;
  EXPECT_EQ(parse_listener("udp:127.0.0.1:5060", l), "");
  EXPECT_EQ(l.via, transport::udp);
  EXPECT_EQ(l.at, *socket_address::parse("127.0.0.1:5060"));
  EXPECT_EQ(parse_listener("tcp:[2001:db8::1]:5062", l), "");
  EXPECT_EQ(write_listener(l), "tcp:[2001:db8::1]:5062");
}

TEST(route_text, takes_transport_and_keeps_the_uri) {
  settings::sip_route r;
  EXPECT_EQ(parse_route("sip:127.0.0.1:5080;lr", r), "");
  EXPECT_EQ(r, (settings::sip_route{"sip:127.0.0.1:5080;lr", "127.0.0.1", 5080, transport::udp}));
  EXPECT_EQ(parse_route("sip:[2001:db8::1];Transport=TCP", r), "");
  EXPECT_EQ(r,
            (settings::sip_route{"sip:[2001:db8::1];Transport=TCP", "[2001:db8::1]", 5060, transport::tcp}));
  EXPECT_EQ(parse_route("sip:Proxy.example;lr", r), "");
  EXPECT_EQ(r, (settings::sip_route{"sip:Proxy.example;lr", "proxy.example", 0, std::nullopt}));
  EXPECT_EQ(parse_route("sip:proxy.example:5070;transport=tcp", r), "");
  EXPECT_EQ(r, (settings::sip_route{"sip:proxy.example:5070;transport=tcp", "proxy.example", 5070,
                                    transport::tcp}));
  EXPECT_EQ(parse_route("sip:proxy.example;transport=TLS", r), "");
  EXPECT_EQ(r, (settings::sip_route{"sip:proxy.example;transport=TLS", "proxy.example", 0, transport::tls}));
  EXPECT_EQ(
      parse_route("sip:192.0.2.1;transport=tls", r),
      "\"sip:192.0.2.1;transport=tls\" is an address, which no certificate proves; name the proxy for TLS");
  EXPECT_EQ(parse_route("sip:192.0.2.1;x=1;lr=on", r), "");
  EXPECT_EQ(r.uri, "sip:192.0.2.1;x=1;lr=on");
}

TEST(addresses, public_ones_are_told_from_those_of_the_site) {
  for (const auto* inside : {"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
                             "169.254.1.1", "100.64.0.1", "::1", "fd00::1", "fe80::1"}) {
    EXPECT_FALSE(is_public(*ip_address::parse(inside))) << inside;
  }
  for (const auto* outside : {"0.0.0.0", "::", "192.0.2.1", "172.32.0.1", "11.0.0.1", "2001:db8::1",
                              "100.128.0.1", "126.255.255.255"}) {
    EXPECT_TRUE(is_public(*ip_address::parse(outside))) << outside;
  }
  EXPECT_TRUE(is_loopback(*ip_address::parse("127.9.9.9")));
  EXPECT_TRUE(is_loopback(*ip_address::parse("::1")));
  EXPECT_FALSE(is_loopback(*ip_address::parse("10.0.0.1")));
}

TEST(quote, gives_a_toml_string_that_reads_back) {
  const std::string hard = "a\"b\\c\nd\te\x7F\x01 \xC3\xBC";
  EXPECT_EQ(quote("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000A\"");
  const auto parsed = parse_toml("k = " + quote(hard));
  ASSERT_TRUE(std::holds_alternative<node>(parsed));
  EXPECT_EQ(std::get<node>(parsed).members.at(0).value.text, hard);
}

TEST(option_names, follow_from_the_key) {
  EXPECT_EQ(flag_name("sip.accept_wait"), "--sip.accept-wait");
  EXPECT_EQ(environment_name("sip.accept_wait"), "STOX_SIP_ACCEPT_WAIT");
  EXPECT_EQ(section_of("xmpp.component.domain"), "xmpp.component");
  EXPECT_EQ(leaf_of("xmpp.component.domain"), "domain");
}

TEST(toml, a_syntax_error_has_a_line_and_repeats_nothing_of_the_file) {
  for (const std::string& bad :
       {std::string("a = 1\n[x]\nsecret = hunter2\n"), std::string("a = 1\n\nsecret = \"hunter2\n"),
        std::string("a = 1\n\nsecret = 'hunter2'hunter2\n"),
        std::string("a = 1\n\nsecret = \"hunter2\\q\"\n"),
        std::string("a = 1\n\nsecret = hunter2hunter2 = 3\n"), std::string("a = 1\n\nhunter2 hunter2\n"),
        std::string("hunter2 = 1\n\nhunter2 = 2\n"), std::string("[hunter2]\n\n[hunter2]\n")}) {
    const auto parsed = parse_toml(bad);
    ASSERT_TRUE(std::holds_alternative<syntax_error>(parsed)) << bad;
    const auto& e = std::get<syntax_error>(parsed);
    EXPECT_EQ(e.line, 3U) << bad << e.what;
    EXPECT_EQ(e.what.find("hunter2"), std::string::npos) << e.what;
    EXPECT_EQ(e.what.find('\n'), std::string::npos) << e.what;
    EXPECT_GT(e.what.size(), 10U) << bad;
  }
}

TEST(toml, hostile_nesting_and_size_are_refused) {
  EXPECT_TRUE(std::holds_alternative<syntax_error>(parse_toml("a = " + std::string(100'000, '['))));
  EXPECT_TRUE(std::holds_alternative<syntax_error>(parse_toml(std::string((1 << 20) + 1, '#'))));
  std::string dotted = "a";
  for (int i = 0; i < 200; ++i) dotted += ".a";
  EXPECT_TRUE(std::holds_alternative<node>(parse_toml(dotted + " = 1")));
}

}  // namespace
}  // namespace stox::config
