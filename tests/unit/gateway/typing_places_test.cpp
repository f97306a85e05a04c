#include "gateway/typing_places.hpp"

#include <gtest/gtest.h>

#include <string>

namespace stox::gateway {
namespace {

xmpp::jid user(std::size_t n, const std::string& domain) {
  return *xmpp::jid::parse("u" + std::to_string(n) + "@" + domain);
}

TEST(typing_places, of_one_sender_are_few) {
  typing_places places;
  const auto desk = *xmpp::jid::parse("ana@xmpp.test/desk"), phone = *xmpp::jid::parse("ana@xmpp.test/phone");
  for (std::size_t i = 0; i < typing_places::most_of_sender; ++i)
    ASSERT_EQ(places.take(i % 2 == 0 ? desk : phone), std::nullopt);
  EXPECT_EQ(places.take(desk), typing_drop::sender_full);
  EXPECT_EQ(places.take(user(1, "xmpp.test")), std::nullopt);
  places.give(phone);
  EXPECT_EQ(places.take(desk), std::nullopt);
}

TEST(typing_places, of_one_domain_are_half) {
  typing_places places;
  for (std::size_t i = 0; i < typing_places::most_of_domain; ++i)
    ASSERT_EQ(places.take(user(i, "xmpp.test")), std::nullopt);
  EXPECT_EQ(places.take(*xmpp::jid::parse("ana@xmpp.test")), typing_drop::domain_full);
  for (std::size_t i = typing_places::most_of_domain; i < typing_places::most; ++i)
    ASSERT_EQ(places.take(user(i, "other.test")), std::nullopt);
  EXPECT_EQ(places.take(user(1, "third.test")), typing_drop::full);
  places.give(user(1, "xmpp.test"));
  EXPECT_EQ(places.take(user(1, "third.test")), std::nullopt);
}

}  // namespace
}  // namespace stox::gateway
