#include "config/options.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/text.hpp"
#include "config/config.hpp"
#include "config/findings.hpp"

namespace stox::config {
namespace {

using texts = std::vector<std::string>;

/// A configuration that is complete without the key under test; what `extra` adds to a section stands on the
/// section's next line.
std::string file_with(std::string_view section, const std::string& extra) {
  std::string out;
  const auto add = [&](std::string_view name, const std::string& rest) {
    out += "[" + std::string(name) + "]\n" + (name == section ? extra + "\n" : "") + rest;
  };
  const bool own_domains = section == "gateway" && extra.starts_with("sip_domains");
  const bool own_listen = section == "sip" && extra.starts_with("listen");
  add("gateway", own_domains ? "" : "sip_domains = [\"sip.example\"]\n");
  add("sip", own_listen ? "" : "listen = [\"udp:127.0.0.1:5060\"]\n");
  for (const auto* name : {"tls", "chat", "dns", "store", "admin", "limits", "log"}) add(name, "");
  if (section == "xmpp.s2s") add(section, "");
  return out +
         "[[xmpp.component]]\ndomain = \"sip.example\"\nserver = \"[2001:db8::5]:5347\"\nsecret = "
         "\"s3cr3t\"\n";
}

struct sample {
  std::string in_file;   ///< TOML value
  std::string as_text;   ///< the same for a flag or variable
  texts shown;           ///< what the settings then show
  std::string bad_file;  ///< TOML value that is refused
  std::string file_error;
  std::string bad_text;  ///< refused as a flag or variable
  std::string text_error;
};

const sample up_to_a_million = {"1",
                                "1",
                                {"1"},
                                "0",
                                "0 is out of bounds; write 1 to 1000000",
                                "1000001",
                                "1000001 is out of bounds; write 1 to 1000000"};

/// One row for each key that is no table's.
const std::map<std::string, sample>& samples() {
  static const std::map<std::string, sample> all{
      {"gateway.sip_domains",
       {R"(["sip.example"])",
        "SIP.example",
        {"sip.example"},
        R"("sip.example")",
        "is a string; write a list of strings",
        "a b",
        R"("a b" is not a domain name; write it like "sip.example")"}},
      {"gateway.xmpp_domains",
       {R"(["xmpp.example", "two.example"])",
        "xmpp.example, two.example",
        {"xmpp.example", "two.example"},
        R"([7])",
        "is an integer; write a list of strings",
        "x.example,x.example",
        R"("x.example" stands twice; remove one)"}},
      {"gateway.contact",
       {R"(["mailto:admin@sip.example", "https://sip.example/help"])",
        "mailto:admin@sip.example, https://sip.example/help",
        {"mailto:admin@sip.example", "https://sip.example/help"},
        R"(["admin@sip.example"])",
        R"("admin@sip.example" is no address; write it like "mailto:admin@example.com")",
        "javascript:x",
        R"("javascript:x" is no address; write it like "mailto:admin@example.com")"}},
      {"gateway.block",
       {R"(["198.51.100.0/24", "eve@xmpp.example", "sip:eve@sip.example", "sip:sip.example"])",
        "198.51.100.0/24,eve@xmpp.example, sip:eve@sip.example,sip:sip.example",
        {"198.51.100.0/24", "eve@xmpp.example", "sip:eve@sip.example", "sip:sip.example"},
        R"(["eve@xmpp.example/desk"])",
        R"("eve@xmpp.example/desk" is no address, network, user or domain; write it like "198.51.100.0/24", "eve@xmpp.example", "xmpp.example", "sip:eve@sip.example" or "sip:sip.example")",
        "evil.example,evil.example",
        R"("evil.example" stands twice; remove one)"}},
      {"sip.listen",
       {R"(["udp:192.0.2.1:5060", "tcp:[::1]:5060"])",
        "udp:192.0.2.1:5060,tcp:[::1]:5060",
        {"udp:192.0.2.1:5060", "tcp:[::1]:5060"},
        R"(["ws:127.0.0.1:5061"])",
        R"("ws:127.0.0.1:5061" does not begin with "udp:", "tcp:" or "tls:"; write "udp:HOST:PORT", "tcp:HOST:PORT" or "tls:HOST:PORT", IPv6 in brackets)",
        "udp:localhost:5060",
        R"("udp:localhost:5060" names a host; write the IP address to listen on, e.g. "udp:127.0.0.1:5060")"}},
      {"sip.advertise",
       {R"(["udp:gw.sip.example:15060", "2001:db8::1", "tls:[2001:db8::2]:5061"])",
        "udp:gw.sip.example:15060,[2001:db8::1],tls:[2001:db8::2]:5061",
        {"udp:gw.sip.example:15060", "[2001:db8::1]", "tls:[2001:db8::2]:5061"},
        "1.5",
        "is a number with a fraction, a date or a time; write a string or a list of strings",
        "gw.example:5060",
        R"("gw.example:5060" is not a host; write a name or an address (the port is the listener's), or "udp:HOST:PORT" for one transport)"}},
      {"sip.outbound_proxy",
       {R"("sip:127.0.0.1:5080;lr")",
        "sip:127.0.0.1:5080;lr",
        {"sip:127.0.0.1:5080;lr"},
        "true",
        "is a boolean; write a string or a list of strings",
        "sip:proxy_example;lr",
        R"("sip:proxy_example;lr" has no valid host and port; write "sip:proxy.example.com;lr" or "sip:192.0.2.1:5060;lr", with ";transport=tcp" or ";transport=tls")"}},
      {"tls.ca_file",
       {R"("")",
        "",
        {""},
        "true",
        "is a boolean; write a string",
        "/etc/ssl/certs/",
        R"("/etc/ssl/certs/" is a folder; write the path of a PEM file)"}},
      {"tls.max_handshakes", up_to_a_million},
      {"tls.max_handshakes_per_network", up_to_a_million},
      {"tls.min_version",
       {R"("1.3")",
        "1.3",
        {"1.3"},
        "1.3",
        "is a number with a fraction, a date or a time; write a string",
        "1.1",
        R"("1.1" is unknown; use "1.2" or "1.3")"}},
      {"xmpp.s2s.listen",
       {R"(["tcp:192.0.2.1:5269", "tcp:[::1]:5269"])",
        "tcp:192.0.2.1:5269,tcp:[::1]:5269",
        {"tcp:192.0.2.1:5269", "tcp:[::1]:5269"},
        R"(["tls:127.0.0.1:5269"])",
        R"("tls:127.0.0.1:5269" does not begin with "tcp:"; write "tcp:HOST:PORT", IPv6 in brackets)",
        "tcp:localhost:5269",
        R"("tcp:localhost:5269" names a host; write the IP address to listen on, e.g. "tcp:[::]:5269")"}},
      {"xmpp.s2s.tls_listen",
       {R"(["tcp:0.0.0.0:5270"])",
        "tcp:0.0.0.0:5270,tcp:[::]:5270",
        {"tcp:0.0.0.0:5270"},
        R"(["tcp:[::]"])",
        R"("tcp:[::]" is not a listening address; write "tcp:HOST:PORT", IPv6 in brackets)",
        "tcp:[::]:5270,tcp:[::]:5270",
        R"("tcp:[::]:5270" stands twice; remove one)"}},
      {"xmpp.s2s.tls",
       {R"("preferred")",
        "preferred",
        {"preferred"},
        "false",
        "is a boolean; write a string",
        "optional",
        R"("optional" is unknown; use "required" or "preferred")"}},
      {"xmpp.s2s.auth",
       {R"("pkix")",
        "dane",
        {"pkix"},
        R"("none")",
        R"("none" is unknown; use "pkix", "dane" or "dialback")",
        "external",
        R"("external" is unknown; use "pkix", "dane" or "dialback")"}},
      {"xmpp.s2s.max_streams", up_to_a_million},
      {"xmpp.s2s.max_unauthenticated", up_to_a_million},
      {"xmpp.s2s.max_streams_per_address", up_to_a_million},
      {"xmpp.s2s.never_connect",
       {R"(["10.0.0.0/8", "fd00::/8"])",
        "10.0.0.0/8,fd00::/8",
        {"10.0.0.0/8", "fd00::/8"},
        R"(["10.0.0.0/33"])",
        R"("10.0.0.0/33" is not an IP address or prefix; write it like "192.0.2.0/24" or "2001:db8::/32")",
        "host.example",
        R"("host.example" is not an IP address or prefix; write it like "192.0.2.0/24" or "2001:db8::/32")"}},
      {"xmpp.s2s.max_connecting",
       {"10000",
        "10000",
        {"10000"},
        "0",
        "0 is out of bounds; write 1 to 10000",
        "10001",
        "10001 is out of bounds; write 1 to 10000"}},
      {"xmpp.s2s.login_limit",
       {R"("10s")",
        "10s",
        {"10s"},
        R"("999ms")",
        "999ms is out of bounds; write 1s to 5min",
        "6min",
        "6min is out of bounds; write 1s to 5min"}},
      {"xmpp.s2s.idle_limit",
       {R"("1h")",
        "60min",
        {"1h"},
        "0",
        "0ms is out of bounds; write 1s to 24h",
        "25h",
        "25h is out of bounds; write 1s to 24h"}},
      {"xmpp.s2s.queue_stanzas", up_to_a_million},
      {"xmpp.s2s.queue_bytes",
       {R"("1GiB")",
        "1073741824",
        {"1GiB"},
        "9999",
        "9999B is out of bounds; write 10kB to 1GiB",
        "2GiB",
        "2GiB is out of bounds; write 10kB to 1GiB"}},
      {"xmpp.s2s.queue_time",
       {R"("30s")",
        "30s",
        {"30s"},
        R"("31s")",
        "31s is out of bounds; write 1s to 30s: a SIP sender waits no longer than 32s for his answer",
        "0ms",
        "0ms is out of bounds; write 1s to 30s: a SIP sender waits no longer than 32s for his answer"}},
      {"dns.servers",
       {R"(["192.0.2.53:5353", "2001:db8::53"])",
        "192.0.2.53:5353,[2001:db8::53]",
        {"192.0.2.53:5353", "[2001:db8::53]:53"},
        "true",
        "is a boolean; write a list of strings",
        "dns.example",
        R"("dns.example" is not an IP address with or without port; write it like "192.0.2.53" or "[2001:db8::53]:5353")"}},
      {"dns.trust_anchor",
       {R"("/usr/share/dns/root.key")",
        "/usr/share/dns/root.key",
        {"/usr/share/dns/root.key"},
        "true",
        "is a boolean; write a string",
        "root.key",
        R"("root.key" does not begin with "/"; write a whole path like "/usr/share/dns/root.key")"}},
      {"sip.trusted_peers",
       {R"(["127.0.0.0/8", "2001:db8::1"])",
        "127.0.0.0/8,2001:db8::1",
        {"127.0.0.0/8", "2001:db8::1/128"},
        R"(["10.0.0.0/33"])",
        R"("10.0.0.0/33" is not an IP address or prefix; write it like "192.0.2.0/24" or "2001:db8::/32")",
        "proxy.example",
        R"("proxy.example" is not an IP address or prefix; write it like "192.0.2.0/24" or "2001:db8::/32")"}},
      {"sip.trusted_domains",
       {R"(["Proxy.example", "two.example"])",
        "proxy.example,two.example",
        {"proxy.example", "two.example"},
        R"(["a b"])",
        R"("a b" is not a domain name; write it like "sip.example")",
        "x.example,x.example",
        R"("x.example" stands twice; remove one)"}},
      {"sip.accept_wait",
       {"250",
        "0ms",
        {"250ms"},
        R"("300ms")",
        "300ms is out of bounds; write 0ms to 250ms, never above half of SIP's T1 of 500ms: the answer must "
        "come before the peer sends again",
        "soon",
        R"("soon" is not a duration; write it like "150ms" or "2s" (units ms, s, min, h))"}},
      {"sip.accepted_code",
       {"202",
        "202",
        {"202"},
        "204",
        "204 is unknown; use 200 or 202",
        "ok",
        R"("ok" is not an integer; write 200 or 202)"}},
      {"gateway.drain",
       {R"("30s")",
        "30s",
        {"30s"},
        "false",
        R"(is a boolean; write a duration like "150ms" or "2s")",
        "11min",
        "11min is out of bounds; write 0ms to 10min"}},
      {"sip.hold",
       {R"("5s")",
        "5s",
        {"5s"},
        "false",
        R"(is a boolean; write a duration like "150ms" or "2s")",
        "17s",
        "17s is out of bounds; write 0ms to 16s"}},
      {"sip.global_failure",
       {"true",
        "true",
        {"true"},
        R"("yes")",
        "is a string; write true or false",
        "yes",
        R"("yes" is not a boolean; write true or false)"}},
      {"sip.max_message_bytes",
       {"16384",
        "16384",
        {"16384"},
        "true",
        "is a boolean; write an integer",
        "1299",
        "1299 is out of bounds; write 1300 to 65535"}},
      {"sip.untrusted_answers",
       {"0",
        "0",
        {"0"},
        "-1",
        "-1 is out of bounds; write 0 to 10000",
        "10001",
        "10001 is out of bounds; write 0 to 10000"}},
      {"sip.max_connections", up_to_a_million},
      {"sip.queue_per_pair",
       {"0",
        "0",
        {"0"},
        R"("7")",
        "is a string; write an integer",
        "-1",
        R"("-1" is not an integer; write 0 to 100000)"}},
      {"sip.queue_total",
       {"10000000",
        "10000000",
        {"10000000"},
        "10000001",
        "10000001 is out of bounds; write 0 to 10000000",
        "",
        R"("" is not an integer; write 0 to 10000000)"}},
      {"chat.message_type",
       {R"("normal")",
        "normal",
        {"normal"},
        R"("groupchat")",
        R"("groupchat" is unknown; use "chat" or "normal")",
        "Chat",
        R"("Chat" is unknown; use "chat" or "normal")"}},
      {"chat.xhtml",
       {"true",
        "true",
        {"true"},
        "1",
        "is an integer; write true or false",
        "on",
        R"("on" is not a boolean; write true or false)"}},
      {"chat.late_notices",
       {"false",
        "false",
        {"false"},
        R"("yes")",
        "is a string; write true or false",
        "yes",
        R"("yes" is not a boolean; write true or false)"}},
      {"store.path",
       {R"("/tmp/x.db")",
        "/tmp/x.db",
        {"/tmp/x.db"},
        "[]",
        "is a list; write a string",
        "",
        R"(is empty; write a path or ":memory:")"}},
      {"admin.listen",
       {R"("[::1]:9464")",
        "[::1]:9464",
        {"[::1]:9464"},
        R"("localhost:9464")",
        R"("localhost:9464" is not ADDRESS:PORT; write it like "127.0.0.1:9464", or "" for none)",
        "9464",
        R"("9464" is not ADDRESS:PORT; write it like "127.0.0.1:9464", or "" for none)"}},
      {"admin.control",
       {R"("/run/stox/ctl")",
        "/run/stox/ctl",
        {"/run/stox/ctl"},
        "{}",
        "is a table; write a string",
        std::string(108, 'x'),
        "is longer than 107 bytes, the limit of a socket's path; choose a shorter one"}},
      {"admin.ready",
       {R"("all")",
        "all",
        {"all"},
        R"("some")",
        R"("some" is unknown; use "any" or "all")",
        "ANY",
        R"("ANY" is unknown; use "any" or "all")"}},
      {"limits.memory",
       {R"("1GiB")",
        "1073741824",
        {"1GiB"},
        R"("1MiB")",
        "1MiB is out of bounds; write 16MiB to 1024GiB",
        "much",
        R"("much" is not a size; write it like "512MiB" (units B, kB, KiB, MB, MiB, GB, GiB))"}},
      {"limits.rate_per_sender",
       {"0",
        "0",
        {"0"},
        "-1",
        "-1 is out of bounds; write 0 to 10000000",
        "10000001",
        "10000001 is out of bounds; write 0 to 10000000"}},
      {"limits.rate_per_pair",
       {"10000000",
        "10000000",
        {"10000000"},
        "10000001",
        "10000001 is out of bounds; write 0 to 10000000",
        "few",
        R"("few" is not an integer; write 0 to 10000000)"}},
      {"limits.rate_per_domain",
       {"6000",
        "6000",
        {"6000"},
        R"("7")",
        "is a string; write an integer",
        "-1",
        R"("-1" is not an integer; write 0 to 10000000)"}},
      {"limits.rate_burst",
       {R"("5min")",
        "300s",
        {"5min"},
        R"("999ms")",
        "999ms is out of bounds; write 1s to 1h",
        "61min",
        "61min is out of bounds; write 1s to 1h"}},
      {"limits.stanza_bytes",
       {"10000",
        "10kB",
        {"10kB"},
        "9999",
        "9999B is out of bounds; write 10kB to 16MiB",
        "1GiB",
        "1GiB is out of bounds; write 10kB to 16MiB"}},
      {"limits.messages_per_sender",
       {"5",
        "5",
        {"5"},
        "0",
        "0 is out of bounds; write 1 to 10000000",
        "some",
        R"("some" is not an integer; write 1 to 10000000)"}},
      {"log.level",
       {R"("debug")",
        "debug",
        {"debug"},
        R"("trace")",
        R"("trace" is unknown; use "debug", "info", "warning" or "error")",
        "INFO",
        R"("INFO" is unknown; use "debug", "info", "warning" or "error")"}},
  };
  return all;
}

class every_option : public testing::TestWithParam<std::string> {
 protected:
  const option& row() const { return *find_option(GetParam()); }
  const sample& given() const { return samples().at(GetParam()); }
  std::string leaf() const { return std::string(leaf_of(row().key)); }

  /// Loads with the given text of a file, flags and one variable.
  outcome load_all(const std::string& toml, texts args, const std::string& variable = "",
                   const std::string& value_text = "") {
    const auto path = testing::TempDir() + "stox_options_" + std::to_string(getpid()) + ".toml";
    std::ofstream(path) << toml;
    args.push_back("--config=" + path);
    return load(args, [&](std::string_view name) {
      return !variable.empty() && name == variable ? std::optional(value_text) : std::nullopt;
    });
  }
  static std::string why(const outcome& r) {
    return r.has_value() ? "no error" : testing::PrintToString(r.error());
  }

  /// What the settings show when as_text was given.
  texts shown_from_text() const {
    settings::all s;
    EXPECT_EQ(assign(row(), s, is_list(row().type) ? split(given().as_text) : texts{given().as_text}), "");
    return row().show(s);
  }
  static texts split(const std::string& s) {
    texts out;
    for (const auto part : text::split(s, ',')) out.emplace_back(text::trim(part));
    return out;
  }
};

TEST_P(every_option, has_the_default_of_the_settings) {
  settings::all from_table;
  if (!row().fallback.empty()) {
    ASSERT_EQ(assign(row(), from_table, default_texts(row())), "");
  }
  // Nobody listens where federation is off, as it is before a configuration was read.
  const bool only_where_on = GetParam() == "xmpp.s2s.listen" || GetParam() == "xmpp.s2s.tls_listen";
  EXPECT_EQ(only_where_on ? texts{} : row().show(from_table), row().show(settings::all{}));
  if (!row().fallback.empty()) {
    EXPECT_EQ(row().show(from_table), default_texts(row()));
  }
}

TEST_P(every_option, is_read_from_the_file) {
  const auto r = parse(file_with(section_of(row().key), leaf() + " = " + given().in_file), "stox.toml");
  ASSERT_TRUE(r.has_value()) << why(r);
  EXPECT_EQ(row().show(r->settings), given().shown);
}

TEST_P(every_option, is_read_from_a_variable_that_wins_over_the_file) {
  const auto file = file_with(section_of(row().key), leaf() + " = " + given().in_file);
  const auto r = load_all(file, {}, environment_name(row().key), given().as_text);
  ASSERT_TRUE(r.has_value()) << why(r);
  EXPECT_EQ(row().show(r->settings), shown_from_text());
}

TEST_P(every_option, is_read_from_a_flag_that_wins_over_variable_and_file) {
  const auto file = file_with(section_of(row().key), leaf() + " = " + given().in_file);
  const auto r = load_all(file, {flag_name(row().key) + "=" + given().as_text}, environment_name(row().key),
                          given().bad_text);
  // The variable is bad here: it is reported although the flag wins, because it would bite later.
  ASSERT_FALSE(r.has_value());
  EXPECT_EQ(r.error(), texts{environment_name(row().key) + ": " + given().text_error});
  const auto good = load_all(file, {flag_name(row().key) + "=" + given().as_text});
  ASSERT_TRUE(good.has_value()) << why(good);
  EXPECT_EQ(row().show(good->settings), shown_from_text());
}

TEST_P(every_option, says_what_is_wrong_in_the_file) {
  const auto r = parse(file_with(section_of(row().key), leaf() + " = " + given().bad_file), "stox.toml");
  ASSERT_FALSE(r.has_value());
  const auto text = file_with(section_of(row().key), leaf() + " = " + given().bad_file);
  const auto at = text.find("[" + std::string(section_of(row().key)) + "]");
  const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 2;
  EXPECT_EQ(r.error(),
            texts{"stox.toml:" + std::to_string(line) + ": " + GetParam() + ": " + given().file_error});
}

TEST_P(every_option, says_what_is_wrong_in_a_flag) {
  const auto r = load_all(file_with("", ""), {flag_name(row().key) + "=" + given().bad_text});
  ASSERT_FALSE(r.has_value());
  EXPECT_EQ(r.error(), texts{flag_name(row().key) + ": " + given().text_error});
}

TEST_P(every_option, is_printed_so_that_it_reads_back) {
  const auto file = file_with(section_of(row().key), leaf() + " = " + given().in_file);
  const auto r = load_all(file, {"--print-config"});
  ASSERT_TRUE(r.has_value()) << why(r);
  EXPECT_EQ(r->text.find("s3cr3t"), std::string::npos);
  auto again = parse(r->text, "printed.toml");
  ASSERT_TRUE(again.has_value()) << why(again) << r->text;
  auto expected = r->settings;
  for (auto& c : expected.components) c.secret = redacted("...");
  EXPECT_EQ(again->settings, expected);
}

std::vector<std::string> scalar_keys() {
  texts out;
  for (const auto& o : options()) {
    if (o.show != nullptr) out.emplace_back(o.key);
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(key, every_option, testing::ValuesIn(scalar_keys()), [](const auto& row) {
  std::string name = row.param;
  for (char& c : name) c = c == '.' ? '_' : c;
  return name;
});

TEST(option_table, has_a_test_row_for_every_key_and_no_other) {
  const auto keys = scalar_keys();
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), keys.size());
  std::set<std::string> tested;
  for (const auto& [key, row] : samples()) tested.insert(key);
  EXPECT_EQ(tested, std::set<std::string>(keys.begin(), keys.end()));
}

TEST(option_table, keys_of_tables_belong_to_a_known_array_and_secrets_are_no_flags) {
  for (const auto& o : options()) {
    EXPECT_EQ(o.show == nullptr, array_of(o.key) != nullptr) << o.key;
    if (o.type == value_type::secret) {
      EXPECT_EQ(o.show, nullptr) << o.key;
    }
    if (is_list(o.type)) {
      EXPECT_NE(o.clear, nullptr) << o.key;
    }
    EXPECT_FALSE(o.help.empty()) << o.key;
    EXPECT_EQ(o.help.back(), '.') << o.key;
  }
}

std::string contents_of(const std::string& path) {
  std::ifstream in(std::string(STOX_SOURCE_DIR) + "/" + path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string printed(const std::string& flag) {
  const auto r = load({flag}, [](std::string_view) { return std::nullopt; });
  return r.has_value() ? r->text : "error";
}

TEST(generated_files, the_reference_is_what_the_daemon_prints) {
  EXPECT_EQ(contents_of("docs/configuration.md"), printed("--print-reference"))
      << "write it anew: stoxd --print-reference > docs/configuration.md";
}

TEST(generated_files, the_packaged_sample_is_what_the_daemon_prints) {
  EXPECT_EQ(contents_of("packaging/stox.toml"), printed("--print-sample"))
      << "write it anew: stoxd --print-sample > packaging/stox.toml";
}

TEST(generated_files, the_sample_has_no_error_and_only_its_secret_to_change_and_shows_every_key) {
  const auto sample_text = printed("--print-sample");
  const auto r = parse(sample_text, "sample.toml");
  ASSERT_TRUE(r.has_value()) << testing::PrintToString(r.error());
  ASSERT_EQ(r->warnings.size(), 1u);
  EXPECT_NE(r->warnings[0].find("xmpp.component.secret: is the secret of the sample"), std::string::npos);
  for (const auto& o : options()) {
    EXPECT_NE(sample_text.find(std::string(leaf_of(o.key)) + " = "), std::string::npos) << o.key;
  }
}

TEST(generated_files, every_default_that_the_sample_shows_is_valid) {
  std::string uncommented;
  bool in_certificate = false;
  const auto sample_text = printed("--print-sample");
  bool off = false;  // within a table that is not in effect
  for (const auto line : text::split(sample_text, '\n')) {
    if (line.starts_with("[") || line.starts_with("# [")) off = line.starts_with("#");
    const bool key = !off && line.starts_with("# ") && line.find(" = ") != std::string_view::npos &&
                     text::is_alpha(line[2]) && line.find("\"\"") == std::string_view::npos &&
                     line.find("sip.example.com") == std::string_view::npos &&
                     line.find("example.com") == std::string_view::npos;
    // The files of a certificate are not there: its table stays a comment.
    in_certificate = line == "# [[tls.certificate]]" || (in_certificate && !line.empty());
    uncommented += std::string(key && !in_certificate ? line.substr(2) : line) + "\n";
  }
  const auto r = parse(uncommented, "sample.toml");
  ASSERT_TRUE(r.has_value()) << testing::PrintToString(r.error());
}

TEST(generated_files, the_samples_block_for_federation_works_without_its_marks) {
  std::string uncommented;
  bool within = false;
  const auto sample_text = printed("--print-sample");
  for (const auto line : text::split(sample_text, '\n')) {
    if (line.starts_with("[") || line.starts_with("# ["))
      within = line == "# [xmpp.s2s]" || line == "# [[xmpp.s2s.peer]]";
    const bool key = line.find(" = ") != std::string_view::npos || line.starts_with("# [");
    uncommented += std::string(within && key ? line.substr(2) : line) + "\n";
  }
  const auto r = parse(uncommented, "sample.toml");
  ASSERT_TRUE(r.has_value()) << testing::PrintToString(r.error());
  EXPECT_TRUE(r->settings.s2s.enabled);
  EXPECT_EQ(r->settings.s2s.peers,
            (std::vector<settings::s2s_peer>{
                {"bank.example", settings::tls_policy::required, settings::s2s_auth::pkix}}));
}

}  // namespace
}  // namespace stox::config
