#include "gateway/blocklist.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "gateway/context.hpp"

namespace stox::gateway {
namespace {

steady_time at(int seconds) { return steady_time(std::chrono::seconds(seconds)); }

TEST(block, has_one_form) {
  for (const auto& [text, form] : {std::pair{"192.0.2.7", "192.0.2.7/32"},
                                   {"192.0.2.7/24", "192.0.2.0/24"},
                                   {"2001:DB8::1/32", "2001:db8::/32"},
                                   {"::ffff:192.0.2.7", "192.0.2.7/32"},
                                   {"Eve@XMPP.example", "eve@xmpp.example"},
                                   {" xmpp.Example ", "xmpp.example"},
                                   {"SIP:Eve@Sip.Example:5061", "sip:eve@sip.example"},
                                   {"sip:%65ve@sip.example", "sip:eve@sip.example"},
                                   {"sip:B\xC3\xBC"
                                    "cher.example",
                                    "sip:xn--bcher-kva.example"},
                                   {"sip:j\xC3\xBCrg@sip.example", "sip:j\xC3\xBCrg@sip.example"},
                                   {"sip:j%C3%BCrg@sip.example", "sip:j\xC3\xBCrg@sip.example"},
                                   {"sip:sip.example", "sip:sip.example"}}) {
    EXPECT_EQ(normal_block(text), form) << text;
  }
  for (const auto* bad : {"", "eve@xmpp.example/desk", "@xmpp.example", "a b", "192.0.2.0/33",
                          "sip:", "sip:@sip.example", "sips:eve@sip.example", "sip:eve@sip.example;gr=desk"})
    EXPECT_EQ(normal_block(bad), std::nullopt) << bad;
}

// Logs name a SIP user by his JID, and that is what an operator copies.
TEST(block, of_a_served_domain_is_one_of_sip) {
  domains d;
  d.sip = {"sip.example", "two.example"};
  const std::vector<translate::domain_pair> pairs = {{"two.example", "xmpp-name.example"}};
  d.addresses = translate::address_map(pairs);
  EXPECT_EQ(normal_block("Eve@sip.example", d), "sip:eve@sip.example");
  EXPECT_EQ(normal_block("sip.example", d), "sip:sip.example");
  EXPECT_EQ(normal_block("eve@xmpp-name.example", d), "sip:eve@two.example");
  EXPECT_EQ(normal_block("sip:eve@sip.example", d), "sip:eve@sip.example");
  EXPECT_EQ(normal_block("eve@xmpp.example", d), "eve@xmpp.example");
  EXPECT_EQ(normal_block("192.0.2.7", d), "192.0.2.7/32");
  EXPECT_EQ(normal_block("a b", d), std::nullopt);
}

TEST(blocklist, holds_a_user_or_his_whole_domain) {
  blocklist b;
  EXPECT_FALSE(b.holds({"eve", "xmpp.example", "desk"}));
  b.add({"eve@xmpp.example", {}});
  b.add({"evil.example", {}});
  EXPECT_TRUE(b.holds({"eve", "xmpp.example", "desk"}));
  EXPECT_FALSE(b.holds({"ana", "xmpp.example", "desk"}));
  EXPECT_TRUE(b.holds({"ana", "evil.example", {}}));
  EXPECT_TRUE(b.remove("evil.example"));
  EXPECT_FALSE(b.remove("evil.example"));
  EXPECT_FALSE(b.holds({"ana", "evil.example", {}}));
}

TEST(blocklist, gives_up_what_has_an_end) {
  blocklist b;
  b.add({"a.example", at(20)});
  b.add({"b.example", {}});
  b.add({"c.example", at(10)});
  EXPECT_EQ(b.next_end(), at(10));
  EXPECT_TRUE(b.expire(at(9)).empty());
  EXPECT_EQ(b.expire(at(10)), std::vector<std::string>{"c.example"});
  EXPECT_EQ(b.next_end(), at(20));
  b.add({"a.example", {}});
  EXPECT_EQ(b.next_end(), std::nullopt) << "the newer word counts";
}

TEST(blocklist, tells_sip_users_from_xmpp_users) {
  blocklist b;
  b.add({*normal_block("sip:eve@sip.example"), {}});
  b.add({*normal_block("sip:evil.example"), {}});
  b.add({*normal_block("ana@xmpp.example"), {}});
  EXPECT_TRUE(b.holds_sip("eve", "sip.example"));
  EXPECT_FALSE(b.holds_sip("ana", "sip.example"));
  EXPECT_TRUE(b.holds_sip("ana", "evil.example"));
  EXPECT_FALSE(b.holds_sip("ana", "xmpp.example"));
  EXPECT_FALSE(b.holds({"eve", "sip.example", {}}));
}

TEST(blocklist, keeps_what_the_configuration_says_apart) {
  blocklist b;
  b.add({"eve@xmpp.example", at(10)});
  b.configure({"eve@xmpp.example", "192.0.2.0/24"});
  EXPECT_EQ(b.sources(), (std::set<std::string, std::less<>>{"192.0.2.0/24"}));
  EXPECT_TRUE(b.remove("eve@xmpp.example"));
  EXPECT_FALSE(b.remove("eve@xmpp.example")) << "the configuration's own stays";
  EXPECT_TRUE(b.holds({"eve", "xmpp.example", {}}));
  b.configure({});
  EXPECT_FALSE(b.holds({"eve", "xmpp.example", {}}));
  EXPECT_TRUE(b.sources().empty());
  b.add({"a.example", {}});
  b.configure({"b.example"});
  const auto all = b.all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].what, "b.example");
  EXPECT_TRUE(all[0].configured);
  EXPECT_FALSE(all[1].configured);
}

TEST(blocklist, is_bounded) {
  blocklist b;
  for (std::size_t i = 0; i < blocklist::most; ++i) EXPECT_TRUE(b.add({std::to_string(i), {}}));
  EXPECT_FALSE(b.add({"one.more", {}}));
  EXPECT_TRUE(b.add({"0", at(5)})) << "one that is there may change";
  EXPECT_EQ(b.size(), blocklist::most);
}

}  // namespace
}  // namespace stox::gateway
