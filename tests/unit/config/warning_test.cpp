#include "unit/config/config_file.hpp"

namespace stox::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(config_file, that_all_may_read_and_that_holds_a_secret_is_warned_of) {
  const auto warnings = [&](mode_t mode, const std::string& text) {
    const auto path = write("stox.toml", text, mode);
    const auto r = load({"--check-config", "--config", path}, no_environment);
    EXPECT_TRUE(r.has_value());
    EXPECT_EQ(r->text, path + ": no errors\n");
    return r->warnings;
  };
  EXPECT_EQ(
      warnings(0644, std::string(good)),
      texts{folder_ +
            "/stox.toml: holds a secret and can be read by every user; chmod 640 it or use secret_file"});
  EXPECT_EQ(warnings(0640, std::string(good)), texts{});
  const auto by_file = with("secret = \"hunter2\"", "secret_file = \"secret\"");
  write("secret", "hunter2", 0600);
  EXPECT_EQ(warnings(0644, by_file), texts{});
  write("secret", "hunter2", 0604);
  EXPECT_EQ(warnings(0644, by_file), texts{folder_ + "/stox.toml:10: xmpp.component.secret_file: \"" +
                                           folder_ + "/secret\" can be read by every user; chmod 640 it"});
}

TEST(warning, of_a_public_udp_listener_that_trusts_addresses) {
  const std::string tail =
      " can be reached from outside while sip.trusted_peers trusts by address, and UDP source addresses can "
      "be forged; listen on a "
      "private address or filter in front of it";
  const auto listening = [](const std::string& at) {
    return with("listen = [\"udp:127.0.0.1:5060\"]",
                "advertise = \"gw.example\"\nlisten = [\"" + at + "\", \"udp:10.9.9.9:5080\"]");
  };
  for (const std::string outside :
       {"udp:0.0.0.0:5060", "udp:[::]:5060", "udp:192.0.2.1:5060", "udp:[2001:db8::1]:5060"}) {
    EXPECT_THAT(warnings_of(listening(outside)),
                ElementsAre("stox.toml:5: sip.listen: \"" + outside + "\"" + tail));
  }
  for (const std::string inside : {"tcp:192.0.2.1:5060", "udp:10.0.0.1:5060", "udp:[::1]:5060"}) {
    EXPECT_THAT(warnings_of(listening(inside)), ElementsAre()) << inside;
  }
}

TEST(warning, of_what_makes_one_direction_impossible_or_trust_boundless) {
  EXPECT_THAT(
      warnings_of(with("trusted_peers = [\"127.0.0.0/8\"]\n", "")),
      ElementsAre("stox.toml: sip.trusted_peers: empty; nobody can send from SIP, every request gets 403"));
  EXPECT_THAT(
      warnings_of(with("127.0.0.0/8", "0.0.0.0/0")),
      ElementsAre("stox.toml:6: sip.trusted_peers: \"0.0.0.0/0\" trusts everybody to name any sender"));
  EXPECT_THAT(warnings_of(with("127.0.0.0/8", "::/0")),
              ElementsAre("stox.toml:6: sip.trusted_peers: \"::/0\" trusts everybody to name any sender"));
}

TEST(warning, of_the_samples_secret) {
  EXPECT_THAT(
      warnings_of(with("hunter2", "change-me")),
      ElementsAre("stox.toml:10: xmpp.component.secret: is the secret of the sample, which everybody knows; "
                  "make one of your own"));
}

TEST_F(config_file, with_the_samples_secret_is_warned_of) {
  write("secret", "change-me\n");
  const auto path = write("stox.toml", with("secret = \"hunter2\"", "secret_file = \"secret\""));
  const auto r = load({"--config", path}, no_environment);
  ASSERT_TRUE(r);
  EXPECT_THAT(r->warnings,
              ElementsAre(HasSubstr(":10: xmpp.component.secret_file: is the secret of the sample")));
}

TEST(warning, of_lr_in_a_list_of_several_proxies) {
  const auto of = [](const std::string& list) {
    return warnings_of(with("\"sip:127.0.0.1:5080;lr\"", "[" + list + "]"));
  };
  EXPECT_THAT(
      of("\"sip:127.0.0.1:5080\", \"sip:127.0.0.1:5081;LR=on\", \"sip:127.0.0.1:5082;lr\""),
      ElementsAre("stox.toml:5: sip.outbound_proxy: \"sip:127.0.0.1:5081;LR=on\" is one of several, so "
                  "its \";lr\" adds no Route header; leave it out"));
  EXPECT_EQ(of("\"sip:127.0.0.1:5080;lr\""), texts{});
  EXPECT_EQ(of("\"sip:127.0.0.1:5080;lrx\", \"sip:lr.example:5081\""), texts{});
}

TEST(warning, of_a_proxy_that_is_our_own_listener) {
  const auto proxy = [](const std::string& listen, const std::string& to) {
    auto toml = with("udp:127.0.0.1:5060", listen);
    return toml.replace(toml.find("sip:127.0.0.1:5080;lr"), 21, to);
  };
  EXPECT_THAT(warnings_of(proxy("udp:127.0.0.1:5060", "sip:127.0.0.1;lr")),
              ElementsAre("stox.toml:5: sip.outbound_proxy: \"sip:127.0.0.1;lr\" is our own listener "
                          "\"udp:127.0.0.1:5060\"; every request would come back to us, name the SIP proxy"));
  const auto loop = HasSubstr("is our own listener \"udp:0.0.0.0:5060\"");
  const std::string any = "udp:0.0.0.0:5060\"]\nadvertise = \"10.0.0.1";
  const auto of_any = [&](const std::string& to) {
    auto toml = proxy(any, to);
    return warnings_of(toml.replace(toml.find("10.0.0.1\"]"), 10, "10.0.0.1\""));
  };
  EXPECT_THAT(of_any("sip:127.0.0.1:5060"), testing::Contains(loop));
  EXPECT_THAT(of_any("sip:10.0.0.1:5060"), testing::Contains(loop));
  EXPECT_THAT(of_any("sip:10.0.0.2:5060"), testing::Not(testing::Contains(loop)));
  EXPECT_THAT(of_any("sip:127.0.0.1:5061"), testing::Not(testing::Contains(loop)));
}

TEST(warning, of_a_proxy_without_a_listener_of_its_transport) {
  EXPECT_THAT(warnings_of(with("5080;lr", "5080;transport=tcp")),
              ElementsAre(HasSubstr(
                  "stox.toml:5: sip.outbound_proxy: \"sip:127.0.0.1:5080;transport=tcp\" is reached "
                  "over TCP, and sip.listen has no TCP address")));
  EXPECT_THAT(warnings_of(with("udp:127.0.0.1:5060", "tcp:127.0.0.1:5060")),
              ElementsAre(HasSubstr("is reached over UDP, and sip.listen has no UDP address")));
  EXPECT_THAT(warnings_of(with("udp:127.0.0.1:5060", "udp:[::1]:5060")),
              ElementsAre(HasSubstr("no UDP address of its family")));
}

TEST(warning, of_host_bits_in_a_prefix) {
  EXPECT_THAT(
      warnings_of(with("127.0.0.0/8", "192.0.2.10/24")),
      ElementsAre("stox.toml:6: sip.trusted_peers: \"192.0.2.10/24\" trusts all of \"192.0.2.0/24\"; write "
                  "that, or \"192.0.2.10/32\" for the one address"));
  EXPECT_THAT(warnings_of(with("127.0.0.0/8", "2001:db8::1/33")),
              ElementsAre(HasSubstr("\"2001:db8::1/33\" trusts all of \"2001:db8::/33\"; write that, or")));
  for (const auto* good_prefix :
       {"192.0.2.10", "192.0.2.10/32", "192.0.2.128/25", "2001:db8::/33", "2001:db8::1"}) {
    EXPECT_THAT(warnings_of(with("127.0.0.0/8", good_prefix)), ElementsAre()) << good_prefix;
  }
}

TEST_F(config_file, that_names_missing_folders_is_warned_of_when_it_is_checked) {
  const auto tail =
      folder_ + "/none\" is missing; stoxd makes none (its systemd unit makes /var/lib/stox and /run/stox)";
  const auto path =
      write("stox.toml", std::string(good) + "[store]\npath = \"" + folder_ + "/none/stox.db\"\n" +
                             "[admin]\ncontrol = \"" + folder_ + "/none/ctl\"\n");
  const auto checked = load({"--config", path, "--check-config"}, no_environment);
  ASSERT_TRUE(checked);
  EXPECT_THAT(checked->warnings, ElementsAre(path + ":12: store.path: the folder \"" + tail,
                                             path + ":14: admin.control: the folder \"" + tail));
  const auto run = load({"--config", path}, no_environment);
  ASSERT_TRUE(run);
  EXPECT_THAT(run->warnings, ElementsAre()) << "a daemon that starts will say it as an error";
  const auto there = write("there.toml", std::string(good) + "[store]\npath = \"" + folder_ + "/stox.db\"\n");
  EXPECT_THAT(load({"--config", there, "--check-config"}, no_environment)->warnings, ElementsAre());
}

TEST(warning, of_metrics_for_everybody) {
  EXPECT_THAT(warnings_of(std::string(good) + "[admin]\nlisten = \"10.0.0.1:9464\"\n"),
              ElementsAre("stox.toml:12: admin.listen: \"10.0.0.1:9464\" is not loopback; metrics are served "
                          "to everybody who can reach it"));
}

}  // namespace
}  // namespace stox::config
