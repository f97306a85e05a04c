#include "unit/config/config_file.hpp"

namespace stox::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// "key old -> new" or "key +added -removed".
texts shown(const std::vector<changed_key>& changes) {
  texts out;
  for (const auto& c : changes) {
    auto line = c.key;
    for (const auto& name : c.added) line += " +" + name;
    for (const auto& name : c.removed) line += " -" + name;
    if (!c.before.empty() || !c.after.empty()) line += " " + c.before + " -> " + c.after;
    out.push_back(line);
  }
  return out;
}

TEST_F(config_file, reload_takes_live_keys_and_keeps_what_needs_a_restart) {
  const auto path = write("stox.toml", good);
  const texts args{"--config", path};
  const auto running = load(args, no_environment);
  ASSERT_TRUE(running.has_value());
  auto text = with("5080", "5081");
  text.replace(text.find("udp:127.0.0.1:5060"), 18, "udp:127.0.0.1:5070");
  text.replace(text.find("hunter2"), 7, "hunter3");
  write("stox.toml", text);
  const auto next = reload(running->settings, args, no_environment);
  ASSERT_TRUE(next.has_value()) << testing::PrintToString(next.error());
  EXPECT_THAT(next->warnings, testing::IsEmpty());
  EXPECT_EQ(shown(next->waiting), (texts{"sip.listen +udp:127.0.0.1:5070 -udp:127.0.0.1:5060"}));
  EXPECT_EQ(shown(next->changed), (texts{"sip.outbound_proxy +sip:127.0.0.1:5081;lr -sip:127.0.0.1:5080;lr",
                                         "xmpp.component[sip.example].secret ... -> ..."}));
  auto expected = running->settings;
  expected.sip.outbound_proxy.at(0) = {"sip:127.0.0.1:5081;lr", "127.0.0.1", 5081, transport::udp};
  expected.components.at(0).secret = redacted("hunter3");
  EXPECT_EQ(next->settings, expected);
  // What waits is told again, for as long as the file and the running value differ.
  EXPECT_EQ(shown(reload(next->settings, args, no_environment)->waiting), shown(next->waiting));
}

TEST_F(config_file, reload_with_an_error_changes_nothing) {
  const auto path = write("stox.toml", good);
  const texts args{"--config", path};
  const auto running = load(args, no_environment);
  ASSERT_TRUE(running.has_value());
  write("stox.toml", with("5080", "x"));
  EXPECT_FALSE(reload(running->settings, args, no_environment).has_value());
}

TEST_F(config_file, reload_takes_a_domain_with_its_component) {
  const auto path = write("stox.toml", good);
  const texts args{"--config", path};
  const auto running = load(args, no_environment);
  ASSERT_TRUE(running.has_value());
  write("stox.toml",
        with("[\"sip.example\"]", "[\"sip.example\", \"two.example\"]") +
            "[[xmpp.component]]\ndomain = \"two.example\"\nserver = \"127.0.0.1\"\nsecret = \"s\"\n");
  const auto next = reload(running->settings, args, no_environment);
  ASSERT_TRUE(next.has_value()) << testing::PrintToString(next.error());
  EXPECT_EQ(shown(next->changed), (texts{"gateway.sip_domains +two.example", "xmpp.component +two.example"}));
}

TEST_F(config_file, reload_refuses_what_does_not_fit_what_waits_for_a_restart) {
  const auto everywhere = [](std::string text) {
    text.replace(text.find("udp:127.0.0.1:5060"), 18, "udp:0.0.0.0:5060");
    return text.replace(text.find("[sip]\n"), 6, "[sip]\nadvertise = \"gw.example\"\n");
  };
  const auto path = write("stox.toml", everywhere(std::string(good)));
  const texts args{"--config", path};
  const auto running = load(args, no_environment);
  ASSERT_TRUE(running.has_value()) << testing::PrintToString(running.error());
  write("stox.toml", good);
  const auto next = reload(running->settings, args, no_environment);
  ASSERT_FALSE(next.has_value());
  EXPECT_THAT(next.error(), ElementsAre(AllOf(HasSubstr("sip.listen"), HasSubstr("is every address"),
                                              HasSubstr("restart instead of reloading"))));
}

TEST(compare, sorts_changes_by_whether_they_are_live) {
  settings::all before;
  settings::all after;
  EXPECT_TRUE(compare(before, after).live.empty());
  after.log.level = log_level::debug;
  after.gateway.domains = {{"a", "b"}};
  after.gateway.drain = std::chrono::seconds(20);
  after.store.path = "/x";
  after.components.resize(1);
  after.components.at(0).domain = "b";
  EXPECT_EQ(shown(compare(before, after).live), (texts{"gateway.drain 10s -> 20s", "log.level info -> debug",
                                                       "gateway.domain +a", "xmpp.component +b"}));
  EXPECT_EQ(shown(compare(before, after).restart), (texts{"store.path :memory: -> /x"}));
}

TEST(compare, names_what_changed_in_a_table_and_shows_no_secret) {
  settings::all before;
  before.components = {{"a", "one", 5347, redacted("hunter2"), {}}, {"b", "one", 5347, redacted("x"), "f"}};
  settings::all after = before;
  after.components.at(0).host = "two";
  after.components.at(0).secret = redacted("hunter3");
  after.components.pop_back();
  after.components.push_back({"c", "one", 5347, redacted("x"), {}});
  EXPECT_EQ(shown(compare(before, after).live),
            (texts{"xmpp.component +c -b", "xmpp.component[a].server one:5347 -> two:5347",
                   "xmpp.component[a].secret ... -> ..."}));
  std::swap(after.components.at(0), after.components.at(1));
  EXPECT_EQ(shown(compare(after, after).live), texts{}) << "the order of tables means nothing";
}

TEST(compare, tells_a_list_in_another_order) {
  settings::all before;
  before.gateway.sip_domains = {"a", "b"};
  settings::all after;
  after.gateway.sip_domains = {"b", "a"};
  EXPECT_EQ(shown(compare(before, after).live), (texts{"gateway.sip_domains a, b -> b, a"}));
}

}  // namespace
}  // namespace stox::config
