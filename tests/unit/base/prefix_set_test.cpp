#include "base/prefix_set.hpp"

#include <gtest/gtest.h>

namespace stox {
namespace {

ip_prefix prefix(const char* text) { return *ip_prefix::parse(text); }
ip_address ip(const char* text) { return *ip_address::parse(text); }

TEST(prefix_set, holds_addresses_and_networks_of_both_families) {
  prefix_set set;
  EXPECT_FALSE(set.contains(ip("192.0.2.1")));
  for (const auto* text : {"192.0.2.7", "198.51.100.130/25", "2001:db8::/33", "::/0"}) {
    prefix_set one;
    one.add(prefix(text));
    EXPECT_TRUE(one.contains(prefix(text).base)) << text;
  }
  set.add(prefix("192.0.2.7"));
  set.add(prefix("198.51.100.130/25"));
  set.add(prefix("2001:db8::/33"));
  EXPECT_TRUE(set.contains(ip("192.0.2.7")));
  EXPECT_FALSE(set.contains(ip("192.0.2.6")));
  EXPECT_TRUE(set.contains(ip("198.51.100.255")));
  EXPECT_FALSE(set.contains(ip("198.51.100.127")));
  EXPECT_TRUE(set.contains(ip("2001:db8:7fff::1")));
  EXPECT_FALSE(set.contains(ip("2001:db8:8000::1")));
}

TEST(prefix_set, forgets_what_is_removed_by_any_address_of_it) {
  prefix_set set;
  set.add(prefix("192.0.2.0/24"));
  set.add(prefix("192.0.2.7"));
  set.remove(prefix("192.0.2.9/24"));
  EXPECT_FALSE(set.contains(ip("192.0.2.1")));
  EXPECT_TRUE(set.contains(ip("192.0.2.7")));
  set.remove(prefix("203.0.113.0/24"));
  set.remove(prefix("192.0.2.7"));
  EXPECT_FALSE(set.contains(ip("192.0.2.7")));
}

}  // namespace
}  // namespace stox
