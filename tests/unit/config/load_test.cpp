#include "unit/config/config_file.hpp"

namespace stox::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(configuration, of_the_contract_is_read_whole) {
  const auto r = parse(R"([gateway]
sip_domains  = ["sip.example"]
xmpp_domains = ["xmpp.example"]
[[gateway.domain]]
sip = "example.com"
xmpp = "sip.example.com"
[sip]
listen = ["udp:127.0.0.1:5060", "tcp:[::1]:5060"]
advertise = "gw.sip.example"
outbound_proxy = ["sip:127.0.0.1:5080", "sip:127.0.0.2;transport=tcp"]
trusted_peers = ["127.0.0.0/8"]
[[xmpp.component]]
domain = "sip.example"
server = "127.0.0.1:5347"
secret = "hunter2"
[[xmpp.component]]
domain = "sip.example.com"
server = "xmpp.example.com"
secret = "hunter3"
[store]
path = "/var/lib/stox/stox.db"
[admin]
listen = "127.0.0.1:9464"
control = "/run/stox/ctl"
[limits]
memory = "512MiB"
[log]
level = "info"
)",
                       "stox.toml");
  ASSERT_TRUE(r.has_value()) << testing::PrintToString(r.error());
  EXPECT_EQ(r->warnings, texts{});
  settings::all s;
  s.gateway.sip_domains = {"sip.example"};
  s.gateway.xmpp_domains = {"xmpp.example"};
  s.gateway.domains = {{"example.com", "sip.example.com"}};
  s.sip.listen = {{transport::udp, *socket_address::parse("127.0.0.1:5060")},
                  {transport::tcp, *socket_address::parse("[::1]:5060")}};
  s.sip.advertise = {{std::nullopt, "gw.sip.example", 0}};
  s.sip.outbound_proxy = {{"sip:127.0.0.1:5080", "127.0.0.1", 5080, transport::udp},
                          {"sip:127.0.0.2;transport=tcp", "127.0.0.2", 5060, transport::tcp}};
  s.sip.trusted_peers = {*ip_prefix::parse("127.0.0.0/8")};
  s.components = {{"sip.example", "127.0.0.1", 5347, redacted("hunter2"), ""},
                  {"sip.example.com", "xmpp.example.com", 5347, redacted("hunter3"), ""}};
  s.store.path = "/var/lib/stox/stox.db";
  s.admin = {"127.0.0.1:9464", "/run/stox/ctl"};
  EXPECT_EQ(r->settings, s);
}

TEST(unknown_key, names_the_nearest_one_and_its_line) {
  EXPECT_THAT(errors_of(with("outbound_proxy", "outbound_proxi")),
              ElementsAre("stox.toml:5: sip.outbound_proxi: unknown key; did you mean sip.outbound_proxy?"));
  EXPECT_THAT(
      errors_of(std::string(good) + "sekret = \"hunter2\"\n"),
      ElementsAre("stox.toml:11: xmpp.component.sekret: unknown key; did you mean xmpp.component.secret?"));
  EXPECT_THAT(errors_of(std::string(good) + "[logs]\nlevel = \"info\"\n"),
              ElementsAre("stox.toml:11: logs: unknown key; did you mean log?"));
  EXPECT_THAT(errors_of("replication = true\n" + std::string(good)),
              ElementsAre("stox.toml:1: replication: unknown key; --print-reference lists all keys"));
}

TEST(unknown_key, in_the_wrong_section_names_the_right_one) {
  EXPECT_THAT(errors_of(with("trusted_peers", "memory = \"1GiB\"\ntrusted_peers")),
              ElementsAre("stox.toml:6: sip.memory: unknown key; did you mean limits.memory?"));
}

TEST(unknown_key, that_resembles_nothing_points_to_the_list) {
  EXPECT_THAT(
      errors_of(with("trusted_peers", "quantum_entanglement = 1\ntrusted_peers")),
      ElementsAre("stox.toml:6: sip.quantum_entanglement: unknown key; --print-reference lists all keys"));
}

TEST(errors, are_all_reported_in_the_order_of_the_file) {
  EXPECT_THAT(
      errors_of(R"([gateway]
sip_domains = ["sip.example", "a b"]
[sip]
listen = ["udp:127.0.0.1:5060",
          "udp:nowhere"]
accept_wait = "1s"
lisen = []
[[xmpp.component]]
domain = "sip.example"
server = 5347
)"),
      ElementsAre(
          "stox.toml:2: gateway.sip_domains: \"a b\" is not a domain name; write it like \"sip.example\"",
          "stox.toml:5: sip.listen: \"udp:nowhere\" is not a listening address; write "
          "\"udp:HOST:PORT\", \"tcp:HOST:PORT\" or \"tls:HOST:PORT\", IPv6 in brackets",
          "stox.toml:6: sip.accept_wait: 1s is out of bounds; write 0ms to 250ms, never above half of SIP's "
          "T1 of 500ms: "
          "the answer must come before the peer sends again",
          "stox.toml:7: sip.lisen: unknown key; did you mean sip.listen?",
          "stox.toml:10: xmpp.component.server: is an integer; write a string",
          "stox.toml:8: xmpp.component.secret: missing; write secret or secret_file"));
}

TEST(errors, a_section_and_an_array_of_tables_are_told_apart) {
  EXPECT_THAT(errors_of(with("[[xmpp.component]]", "[xmpp.component]")),
              ElementsAre("stox.toml:7: xmpp.component: is a list of tables; write [[xmpp.component]]"));
  EXPECT_THAT(errors_of(std::string(good) + "[[log]]\nlevel = \"info\"\n"),
              ElementsAre("stox.toml:11: log: is a section; write [log]"));
  EXPECT_THAT(errors_of("log = \"info\"\n" + std::string(good)),
              ElementsAre("stox.toml:1: log: is a section; write [log]"));
}

TEST(errors, of_syntax_name_the_line) {
  const auto errors = errors_of(with("secret = \"hunter2\"", "secret = hunter2"));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_THAT(errors[0], testing::StartsWith("stox.toml:10: "));
  EXPECT_THAT(errors[0], testing::Not(HasSubstr("hunter2")));
}

TEST(cross_check, an_empty_file_misses_domain_and_listener) {
  EXPECT_THAT(
      errors_of(""),
      ElementsAre(
          "stox.toml: gateway.sip_domains: missing; name at least one domain whose users live on SIP",
          "stox.toml: sip.listen: missing; name at least one address, e.g. [\"udp:127.0.0.1:5060\"]"));
}

TEST(cross_check, every_served_domain_needs_its_component) {
  EXPECT_THAT(errors_of(with("[\"sip.example\"]", "[\"sip.example\", \"two.example\"]")),
              ElementsAre("stox.toml:2: gateway.sip_domains: \"two.example\" has no [[xmpp.component]]; add "
                          "one with domain = \"two.example\", or an [xmpp.s2s] table to federate"));
  EXPECT_THAT(
      errors_of(
          with("[sip]", "[[gateway.domain]]\nsip = \"example.com\"\nxmpp = \"sip.example.com\"\n[sip]")),
      ElementsAre(
          "stox.toml:3: gateway.domain: \"sip.example.com\" has no [[xmpp.component]]; add one with domain = "
          "\"sip.example.com\", or an [xmpp.s2s] table to federate"));
}

TEST(cross_check, a_component_serves_the_xmpp_name_of_a_served_domain) {
  EXPECT_THAT(
      errors_of(std::string(good) +
                "[[xmpp.component]]\ndomain = \"x.example\"\nserver = \"127.0.0.1\"\nsecret = \"s\"\n"),
      ElementsAre(
          "stox.toml:12: xmpp.component.domain: \"x.example\" is not served; add it to gateway.sip_domains"));
  EXPECT_THAT(
      errors_of(with("[sip]", "[[gateway.domain]]\nsip = \"sip.example\"\nxmpp = \"other.example\"\n[sip]")),
      ElementsAre("stox.toml:3: gateway.domain: \"other.example\" has no [[xmpp.component]]; add one with "
                  "domain = \"other.example\", or an [xmpp.s2s] table to federate",
                  "stox.toml:11: xmpp.component.domain: \"sip.example\" is the SIP name; its XMPP name is "
                  "\"other.example\""));
}

TEST(cross_check, nothing_stands_twice) {
  EXPECT_THAT(errors_of(with("[\"sip.example\"]", "[\"sip.example\", \"SIP.example\"]")),
              ElementsAre("stox.toml:2: gateway.sip_domains: \"SIP.example\" stands twice; remove one"));
  EXPECT_THAT(errors_of(with("[\"udp:127.0.0.1:5060\"]", "[\"udp:127.0.0.1:5060\", \"udp:127.0.0.1:5060\"]")),
              ElementsAre("stox.toml:4: sip.listen: \"udp:127.0.0.1:5060\" stands twice; remove one"));
  EXPECT_THAT(
      errors_of(std::string(good) +
                "[[xmpp.component]]\ndomain = \"sip.example\"\nserver = \"127.0.0.2\"\nsecret = \"s\"\n"),
      ElementsAre("stox.toml:12: xmpp.component.domain: \"sip.example\" has two components; remove one"));
  const std::string twice = "[[gateway.domain]]\nsip = \"a.example\"\nxmpp = \"sip.example\"\n";
  EXPECT_THAT(errors_of(with("sip_domains = [\"sip.example\"]\n", twice + twice)),
              ElementsAre("stox.toml:6: gateway.domain.sip: \"a.example\" stands in two tables; one domain "
                          "has one name on each side",
                          "stox.toml:7: gateway.domain.xmpp: \"sip.example\" stands in two tables; one "
                          "domain has one name on each side"));
}

TEST(cross_check, listeners_on_port_0_may_repeat_because_the_kernel_chooses) {
  EXPECT_THAT(errors_of(with("[\"udp:127.0.0.1:5060\"]", "[\"udp:127.0.0.1:0\", \"udp:127.0.0.1:0\"]")),
              ElementsAre());
}

TEST(cross_check, a_wildcard_listener_needs_a_name_for_the_via) {
  EXPECT_THAT(errors_of(with("\"udp:127.0.0.1:5060\"", "\"udp:127.0.0.1:5060\", \"tcp:[::]:5060\"")),
              ElementsAre("stox.toml:4: sip.listen: \"tcp:[::]:5060\" is every address; name one, or say in "
                          "sip.advertise what peers reach"));
}

TEST(cross_check, a_wildcard_listener_needs_a_name_of_its_transport_and_family) {
  const auto advertising = [](const std::string& listener, const std::string& names) {
    return errors_of(with("[\"udp:127.0.0.1:5060\"]", "[\"" + listener + "\"]\nadvertise = " + names));
  };
  EXPECT_THAT(advertising("udp:0.0.0.0:5060", "\"gw.example\""), ElementsAre());
  EXPECT_THAT(advertising("udp:0.0.0.0:5060", "[\"tcp:gw.example\", \"udp:192.0.2.1:15060\"]"),
              ElementsAre());
  EXPECT_THAT(advertising("udp:[::]:5060", "\"192.0.2.1\""), ElementsAre());
  EXPECT_THAT(advertising("udp:0.0.0.0:5060", "\"tcp:gw.example\""),
              ElementsAre(HasSubstr("is every address")));
  EXPECT_THAT(advertising("udp:0.0.0.0:5060", "\"2001:db8::1\""), ElementsAre(HasSubstr("is every address")));
}

TEST(cross_check, a_domain_is_the_same_in_u_labels_and_a_labels) {
  const std::string same =
      with("[\"sip.example\"]", R"(["sip.example", "m\u00FCnchen.example", "XN--MNCHEN-3ya.example"])");
  EXPECT_THAT(errors_of(same), Contains("stox.toml:2: gateway.sip_domains: \"XN--MNCHEN-3ya.example\" stands "
                                        "twice; remove one"));
  const std::string component = "[[xmpp.component]]\nserver = \"127.0.0.1\"\nsecret = \"s\"\n";
  const std::string served = with("[\"sip.example\"]", R"(["sip.example", "m\u00FCnchen.example"])");
  EXPECT_THAT(errors_of(served + component + "domain = \"xn--mnchen-3ya.example\"\n"), IsEmpty());
  EXPECT_THAT(errors_of(served + component + "domain = \"xn--mnchen-3ya.example\"\n" + component +
                        "domain = \"m\\u00FCnchen.example\"\n"),
              ElementsAre(HasSubstr("\"m\xC3\xBCnchen.example\" has two components; remove one")));
  const std::string other_side = with("[sip]",
                                      "xmpp_domains = [\"xn--mnchen-3ya.example\"]\n[[gateway.domain]]\n"
                                      "sip = \"m\\u00FCnchen.example\"\n[sip]");
  EXPECT_THAT(errors_of(other_side + component + "domain = \"m\\u00FCnchen.example\"\n"),
              ElementsAre(HasSubstr("\"m\xC3\xBCnchen.example\" is a served SIP domain too")));
}

TEST(tables, a_domain_may_have_rules_of_its_own_and_one_name) {
  const auto r = parse(with("sip_domains = [\"sip.example\"]\n", R"([[gateway.domain]]
sip = "sip.example"
outbound_proxy = ["sip:192.0.2.1;lr", "sip:192.0.2.2;transport=tcp"]
trusted_peers = ["192.0.2.0/24"]
message_type = "normal"
max_message_bytes = 16384
late_notices = false
first_form = "cpim"
messages_per_sender = 7
queue_per_pair = 3
rate_per_domain = 6000
)"),
                       "stox.toml");
  ASSERT_TRUE(r.has_value()) << testing::PrintToString(r.error());
  ASSERT_EQ(r->settings.gateway.domains.size(), 1U);
  const auto& d = r->settings.gateway.domains[0];
  EXPECT_EQ(d.xmpp, "sip.example");
  ASSERT_TRUE(d.outbound_proxy && d.trusted_peers);
  EXPECT_THAT(*d.outbound_proxy, testing::SizeIs(2));
  EXPECT_EQ(*d.trusted_peers, std::vector{*ip_prefix::parse("192.0.2.0/24")});
  EXPECT_EQ(d.message_type, settings::message_type::normal);
  EXPECT_EQ(d.late_notices, false);
  EXPECT_EQ(d.max_message_bytes, 16384U);
  EXPECT_EQ(d.first_form, settings::first_form::cpim);
  EXPECT_EQ(d.messages_per_sender, 7U);
  EXPECT_EQ(d.queue_per_pair, 3U);
  EXPECT_EQ(d.rate_per_domain, 6000U);
  // What is empty is not what is left out: nobody is trusted, no proxy is used.
  const auto none = parse(
      with("[sip]", "[[gateway.domain]]\nsip = \"sip.example\"\ntrusted_peers = []\n[sip]"), "stox.toml");
  ASSERT_TRUE(none.has_value());
  EXPECT_EQ(none->settings.gateway.domains[0].trusted_peers, std::vector<ip_prefix>{});
  EXPECT_EQ(none->settings.gateway.domains[0].outbound_proxy, std::nullopt);
}

TEST(tables, a_domains_own_peers_and_proxies_are_warned_about_like_those_of_all) {
  const auto own = [](const std::string& line) {
    return warnings_of(with("[sip]", "[[gateway.domain]]\nsip = \"sip.example\"\n" + line + "\n[sip]"));
  };
  EXPECT_THAT(own("trusted_peers = [\"0.0.0.0/0\"]"),
              ElementsAre(HasSubstr("gateway.domain.trusted_peers: \"0.0.0.0/0\" trusts everybody")));
  EXPECT_THAT(
      own("outbound_proxy = \"sip:127.0.0.1:5060\""),
      ElementsAre(HasSubstr("gateway.domain.outbound_proxy: \"sip:127.0.0.1:5060\" is our own listener")));
  EXPECT_THAT(
      own("outbound_proxy = [\"sip:127.0.0.1:5081\", \"sip:127.0.0.1:5082;lr\"]"),
      ElementsAre(HasSubstr("gateway.domain.outbound_proxy: \"sip:127.0.0.1:5082;lr\" is one of several")));
}

TEST(cross_check, the_users_of_a_domain_live_on_one_side) {
  EXPECT_THAT(errors_of(with("[sip]", "xmpp_domains = [\"sip.example\"]\n[sip]")),
              ElementsAre("stox.toml:3: gateway.xmpp_domains: \"sip.example\" is a served SIP domain too; "
                          "the users of a domain live on one "
                          "side"));
}

TEST(cross_check, one_xmpp_name_never_means_two_domains) {
  EXPECT_THAT(
      errors_of(with("[sip]", "[[gateway.domain]]\nsip = \"example.com\"\nxmpp = \"sip.example\"\n[sip]")),
      ElementsAre("stox.toml:2: gateway.sip_domains: \"sip.example\" is also the XMPP name of "
                  "\"example.com\"; give it a "
                  "[[gateway.domain]] of its own"));
}

TEST(cross_check, tables_must_be_complete) {
  EXPECT_THAT(errors_of(with("[sip]", "[[gateway.domain]]\nxmpp = \"other.example\"\n[sip]")),
              ElementsAre("stox.toml:3: gateway.domain.sip: missing; name the domain as SIP knows it"));
  EXPECT_THAT(
      errors_of(with("server = \"127.0.0.1:5347\"\n", "")),
      ElementsAre(
          "stox.toml:7: xmpp.component.server: missing; name the XMPP server, e.g. \"127.0.0.1:5347\""));
}

TEST_F(config_file, a_secret_may_stand_in_a_file_beside_it) {
  write("secret", "hunter2\n");
  const auto path = write("stox.toml", with("secret = \"hunter2\"", "secret_file = \"secret\""));
  const auto r = load({"--config", path}, no_environment);
  ASSERT_TRUE(r.has_value()) << testing::PrintToString(r.error());
  EXPECT_EQ(r->settings.components.at(0).secret, redacted("hunter2"));
  EXPECT_EQ(r->settings.components.at(0).secret_file, folder_ + "/secret");
  EXPECT_EQ(r->warnings, texts{});
  EXPECT_EQ(r->file, path);
}

TEST_F(config_file, a_domains_own_rules_are_printed_as_they_are_read) {
  const std::string rules = R"([[gateway.domain]]
sip = "sip.example"
xmpp = "sip.example"
outbound_proxy = ["sip:192.0.2.1;lr"]
trusted_peers = ["192.0.2.0/24"]
trusted_domains = ["proxy.example"]
message_type = "normal"
max_message_bytes = 16384
late_notices = false
first_form = "cpim"
messages_per_sender = 7
queue_per_pair = 3
rate_per_domain = 6000
)";
  const auto path = write("stox.toml", std::string(good) + rules);
  const auto shown = load({"--config", path, "--print-config"}, no_environment);
  ASSERT_TRUE(shown.has_value()) << testing::PrintToString(shown.error());
  EXPECT_THAT(shown->text, HasSubstr(rules));
}

TEST_F(config_file, credentials_are_read_with_their_passwords) {
  write("password", "pass word\n");
  const std::string two =
      "[[sip.credential]]\nrealm = \"a \\\"b\\\"\"\nuser = \"g\u00fc\"\npassword = \"one\"\n"
      "[[sip.credential]]\nrealm = \"c\"\nuser = \"u\"\npassword_file = \"password\"\n";
  const auto path = write("stox.toml", std::string(good) + two);
  const auto r = load({"--config", path}, no_environment);
  ASSERT_TRUE(r.has_value()) << testing::PrintToString(r.error());
  ASSERT_EQ(r->settings.credentials.size(), 2U);
  EXPECT_EQ(r->settings.credentials[0], (settings::credential{"a \"b\"", "g\u00fc", redacted("one"), ""}));
  EXPECT_EQ(r->settings.credentials[1],
            (settings::credential{"c", "u", redacted("pass word"), folder_ + "/password"}));
  const auto shown = load({"--config", path, "--print-config"}, no_environment);
  ASSERT_TRUE(shown.has_value());
  EXPECT_THAT(shown->text, HasSubstr("[[sip.credential]]\nrealm = \"c\"\nuser = \"u\"\npassword_file = "));
  EXPECT_THAT(shown->text, testing::Not(HasSubstr("pass word")));
  EXPECT_THAT(shown->text, testing::Not(HasSubstr("\"one\"")));
  // A password that changed is taken over while running.
  auto after = r->settings;
  after.credentials[0].password = redacted("two");
  const auto changed = compare(r->settings, after).live;
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].key, "sip.credential[a \"b\"].secret");
  EXPECT_EQ(changed[0].after, "...");
}

TEST(cross_check, credentials_must_be_complete_and_one_for_each_realm) {
  const auto bad = [](const std::string& table) {
    return errors_of(std::string(good) + "[[sip.credential]]\n" + table);
  };
  EXPECT_THAT(bad("user = \"u\"\npassword = \"p\"\n"),
              ElementsAre(HasSubstr("sip.credential.realm: missing")));
  EXPECT_THAT(bad("realm = \"r\"\npassword = \"p\"\n"),
              ElementsAre(HasSubstr("sip.credential.user: missing")));
  EXPECT_THAT(bad("realm = \"r\"\nuser = \"u\"\n"),
              ElementsAre(HasSubstr("sip.credential.password: missing; write password or password_file")));
  EXPECT_THAT(bad("realm = \"r\"\nuser = \"u\"\npassword = \"p\"\npassword_file = \"f\"\n"),
              ElementsAre(HasSubstr("password_file: stands beside password; keep one of the two")));
  EXPECT_THAT(bad("realm = \"r\\n\"\nuser = \"u\"\npassword = \"p\"\n"),
              ElementsAre(HasSubstr("sip.credential.realm: holds a control character")));
  EXPECT_THAT(bad("realm = \"r\"\nuser = \"\"\npassword = \"\"\n"), testing::SizeIs(2));
  const std::string one = "realm = \"r\"\nuser = \"u\"\npassword = \"p\"\n";
  EXPECT_THAT(bad(one + "[[sip.credential]]\n" + one),
              ElementsAre(HasSubstr("sip.credential.realm: \"r\" has two credentials; remove one")));
}

constexpr std::string_view two_domains = R"([gateway]
sip_domains = ["sip.example"]
[[gateway.domain]]
sip = "second.example"
xmpp = "xmpp-name.example"
[sip]
listen = ["udp:127.0.0.1:5060"]
outbound_proxy = "sip:127.0.0.1:5080"
trusted_peers = ["127.0.0.0/8"]
[[xmpp.component]]
domain = "sip.example"
server = "127.0.0.1:5347"
secret = "hunter2"
[[xmpp.component]]
domain = "xmpp-name.example"
server = "127.0.0.1:5348"
secret = "hunter2"
)";

TEST(cross_check, credentials_of_one_realm_are_told_apart_by_their_domains) {
  const auto table = [](const std::string& user, const std::string& more) {
    return "[[sip.credential]]\nrealm = \"r\"\nuser = \"" + user + "\"\npassword = \"p\"\n" + more;
  };
  const auto both = std::string(two_domains) + table("a", "domains = [\"sip.example\"]\n") +
                    table("b", "domains = [\"Second.example\"]\n") + table("c", "");
  const auto r = parse(both, "stox.toml");
  ASSERT_TRUE(r.has_value()) << testing::PrintToString(r.error());
  EXPECT_EQ(r->settings.credentials.at(1).domains, (texts{"second.example"}));
  EXPECT_EQ(r->settings.credentials.at(2).domains, std::nullopt);
  // What changed is told apart, too.
  auto after = r->settings;
  after.credentials.at(1).user = "d";
  const auto changed = compare(r->settings, after).live;
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].key, "sip.credential[r for second.example].user");
  after = r->settings;
  after.credentials.pop_back();
  after.credentials.pop_back();
  auto fewer = after;
  fewer.credentials.at(0).domains.reset();
  const auto wider = compare(after, fewer).live;
  ASSERT_EQ(wider.size(), 1U);
  EXPECT_EQ(wider[0].key, "sip.credential[r].domains");
  EXPECT_EQ(wider[0].before, "sip.example");

  EXPECT_THAT(errors_of(both + table("d", "domains = [\"second.example\"]\n")),
              ElementsAre(HasSubstr("sip.credential.realm: \"r\" has two credentials; remove one")));
}

TEST(cross_check, credential_is_for_served_domains) {
  const auto bad = [](const std::string& domains) {
    return errors_of(
        std::string(two_domains) +
        "[[sip.credential]]\nrealm = \"r\"\nuser = \"u\"\npassword = \"p\"\ndomains = " + domains + "\n");
  };
  EXPECT_THAT(bad("[\"sip.exmaple\"]"),
              ElementsAre("stox.toml:22: sip.credential.domains: \"sip.exmaple\" is not served; did you mean "
                          "\"sip.example\"?"));
  EXPECT_THAT(bad("[\"sip.example\", \"elsewhere.test\"]"),
              ElementsAre(HasSubstr("\"elsewhere.test\" is not served; add it to gateway.sip_domains")));
  EXPECT_THAT(bad("[\"xmpp-name.example\"]"),
              ElementsAre(HasSubstr("is the XMPP name; its SIP name is \"second.example\"")));
  EXPECT_THAT(bad("[]"), ElementsAre(HasSubstr("names no domain; name one, or leave it out for all")));
  EXPECT_THAT(bad("[\"no domain\"]"), ElementsAre(HasSubstr("is not a domain name")));
}

TEST_F(config_file, only_the_last_line_end_of_a_secret_file_is_cut) {
  write("secret", " a b\n\r\n");
  const auto r =
      load({"--config", write("stox.toml", with("secret = \"hunter2\"", "secret_file = \"secret\""))},
           no_environment);
  ASSERT_TRUE(r.has_value());
  EXPECT_EQ(r->settings.components.at(0).secret, redacted(" a b\n"));
}

TEST_F(config_file, a_secret_file_that_is_missing_empty_or_large_is_an_error) {
  const auto path = write("stox.toml", with("secret = \"hunter2\"", "secret_file = \"secret\""));
  const auto where = path + ":10: xmpp.component.secret_file: ";
  const auto errors = [&] {
    const auto r = load({"--config", path}, no_environment);
    return r.has_value() ? texts{} : r.error();
  };
  EXPECT_THAT(errors(), ElementsAre(where + "cannot read \"" + folder_ +
                                    "/secret\": No such file or directory; check its path and mode"));
  write("secret", "\n");
  EXPECT_THAT(errors(), ElementsAre(where + "\"" + folder_ + "/secret\" is empty; write the secret into it"));
  write("secret", std::string(5000, 'x'));
  EXPECT_THAT(errors(), ElementsAre(where + "cannot read \"" + folder_ +
                                    "/secret\": larger than 4096 bytes; check its path and mode"));
}

TEST_F(config_file, secret_and_secret_file_exclude_each_other) {
  write("secret", "hunter3\n");
  const auto path = write("stox.toml", std::string(good) + "secret_file = \"secret\"\n");
  const auto r = load({"--config", path}, no_environment);
  ASSERT_FALSE(r.has_value());
  EXPECT_EQ(r.error(),
            texts{path + ":11: xmpp.component.secret_file: stands beside secret; keep one of the two"});
}

TEST_F(config_file, that_is_missing_is_an_error) {
  const auto r = load({"--config", folder_ + "/none.toml"}, no_environment);
  ASSERT_FALSE(r.has_value());
  EXPECT_EQ(r.error(), texts{folder_ + "/none.toml: cannot be read: No such file or directory"});
  const auto directory = load({"--config", folder_}, no_environment);
  ASSERT_FALSE(directory.has_value());
  EXPECT_EQ(directory.error(), texts{folder_ + ": cannot be read: Is a directory"});
}

TEST_F(config_file, is_named_by_the_environment_when_no_flag_does) {
  const auto path = write("stox.toml", good);
  const auto r = load(
      {}, [&](std::string_view name) { return name == "STOX_CONFIG" ? std::optional(path) : std::nullopt; });
  ASSERT_TRUE(r.has_value());
  EXPECT_EQ(r->file, path);
  EXPECT_EQ(r->what, what::run);
}

TEST_F(config_file, never_shows_its_secret) {
  const auto path = write("stox.toml", good, 0644);
  std::string seen;
  for (const auto* flag : {"--check-config", "--print-config", "--version", "--help", "--print-sample",
                           "--print-reference", "--print-man=stoxd", "--print-man=stox.toml"}) {
    const auto r = load({"--config", path, flag}, no_environment);
    ASSERT_TRUE(r.has_value()) << flag;
    seen += r->text + testing::PrintToString(r->warnings);
  }
  // Every way to get the secret's line wrong.
  for (const auto* line :
       {"secret = hunter2", "secret = \"hunter2", "secret = [\"hunter2\"]",
        "secret = {hunter2 = \"hunter2\"}", "secret_ = \"hunter2\"", "password = \"hunter2\"",
        "secret = \"hunter2\" x", "secret = \"\"\"hunter2\\\n\"",
        "secret = \"hunter2\"\nsecret = \"hunter2\"", "secret = \"hunter2\\x\"", "secret == \"hunter2\"",
        "secret: hunter2", "\"secret = hunter2\"", "secret = \"hunter2\"\nsecret_file = \"/nonexistent\""}) {
    const auto errors = errors_of(with("secret = \"hunter2\"", line));
    EXPECT_FALSE(errors.empty()) << line;
    seen += testing::PrintToString(errors);
  }
  for (const texts& args : {texts{"--xmpp.component.secret=hunter2"},
                            texts{"--xmpp.component.secret", "hunter2"}, texts{"--secret=hunter2"}}) {
    const auto r = load(args, no_environment);
    ASSERT_FALSE(r.has_value());
    seen += testing::PrintToString(r.error());
  }
  EXPECT_THAT(seen, testing::Not(HasSubstr("hunter2")));
}

TEST(command_line, unknown_flags_name_the_nearest_one) {
  const auto r =
      load({"--sip.acept-wait=1", "--chek-config", "stray", "--xmpp.component.domain=x"}, no_environment);
  ASSERT_FALSE(r.has_value());
  EXPECT_THAT(r.error(),
              testing::IsSupersetOf(
                  {std::string("--sip.acept-wait: unknown flag; did you mean --sip.accept-wait?"),
                   std::string("--chek-config: unknown flag; did you mean --check-config?"),
                   std::string("--xmpp.component.domain: unknown flag; tables stand only in the file")}));
}

TEST(command_line, a_stray_argument_is_an_error) {
  const auto r = load({"stox.toml"}, no_environment);
  ASSERT_FALSE(r.has_value());
  EXPECT_EQ(r.error().front(), "\"stox.toml\": unexpected argument; flags begin with \"--\"");
  EXPECT_EQ(r.error().back(), "no configuration file was given; use --config FILE");
}

TEST_F(config_file, flags_of_lists_replace_the_file_and_add_up) {
  const auto path = write("stox.toml", good);
  const auto r = load({"--config", path, "--sip.listen", "udp:127.0.0.1:1,tcp:127.0.0.1:1",
                       "--sip.listen=udp:127.0.0.1:2", "--sip.trusted-peers=", "--sip.hold=1s",
                       "--sip.hold=3s", "--record", "/tmp/trace", "--record-bodies", "--record-limit=20MB"},
                      no_environment);
  ASSERT_TRUE(r.has_value()) << testing::PrintToString(r.error());
  EXPECT_EQ(r->settings.sip.listen.size(), 3U);
  EXPECT_EQ(r->settings.sip.listen.back().at.port, 2);
  EXPECT_TRUE(r->settings.sip.trusted_peers.empty());
  EXPECT_EQ(r->settings.sip.hold, std::chrono::seconds(3));
  EXPECT_EQ(r->record_path, "/tmp/trace");
  EXPECT_TRUE(r->record_bodies);
  EXPECT_EQ(r->record_limit, 20'000'000u);
}

TEST_F(config_file, print_config_says_where_each_value_comes_from) {
  const auto path = write("stox.toml", good);
  const auto r = load({"--config", path, "--print-config", "--sip.hold=3s"}, [](std::string_view name) {
    return name == "STOX_LOG_LEVEL" ? std::optional<std::string>("debug") : std::nullopt;
  });
  ASSERT_TRUE(r.has_value());
  EXPECT_THAT(r->text, HasSubstr("\nhold = \"3s\"  # --sip.hold\n"));
  EXPECT_THAT(r->text, HasSubstr("\nlevel = \"debug\"  # STOX_LOG_LEVEL\n"));
  EXPECT_THAT(r->text, HasSubstr("\naccept_wait = \"150ms\"  # default\n"));
  EXPECT_THAT(r->text, HasSubstr("\ntrusted_peers = [\"127.0.0.0/8\"]  # " + path + ":6\n"));
  EXPECT_THAT(
      r->text,
      HasSubstr(
          "[[xmpp.component]]\ndomain = \"sip.example\"\nserver = \"127.0.0.1:5347\"\nsecret = \"...\"\n"));
}

TEST_F(config_file, an_empty_flag_is_an_empty_value_and_swallows_nothing) {
  const auto path = write("stox.toml", good);
  const auto r = load({"--sip.advertise=", "--config", path}, no_environment);
  ASSERT_TRUE(r.has_value()) << testing::PrintToString(r.error());
  EXPECT_TRUE(r->settings.sip.advertise.empty());
  EXPECT_EQ(r->file, path);
}

TEST(command_line, version_needs_no_configuration) {
  const auto r = load({"--version"}, no_environment);
  ASSERT_TRUE(r.has_value());
  EXPECT_EQ(r->what, what::version);
  EXPECT_EQ(r->text, "stoxd " STOX_VERSION "\n");
}

TEST(command_line, help_lists_every_flag) {
  const auto r = load({"--help"}, no_environment);
  ASSERT_TRUE(r.has_value());
  for (const auto* flag :
       {"--config", "--check-config", "--record", "--sip.accept-wait", "--log.level", "--admin.control"}) {
    EXPECT_THAT(r->text, HasSubstr(flag));
  }
  EXPECT_THAT(r->text, testing::Not(HasSubstr("component.secret")));
}

}  // namespace
}  // namespace stox::config
