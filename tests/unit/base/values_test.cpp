#include <gtest/gtest.h>

#include <set>

#include "base/byte_account.hpp"
#include "base/error.hpp"
#include "base/host_port.hpp"
#include "base/ids.hpp"
#include "base/instant.hpp"
#include "base/io.hpp"
#include "base/net_address.hpp"

namespace test_room {
enum class errc { bad_thing = 1, worse_thing };
const char* errc_name(errc e) { return e == errc::bad_thing ? "bad_thing" : "worse_thing"; }
STOX_ERROR_CATEGORY(errc, "test.room")
}  // namespace test_room
template <>
struct std::is_error_code_enum<test_room::errc> : std::true_type {};

namespace {

using namespace stox;
using namespace std::chrono_literals;

TEST(ip_address, reads_both_families_and_brackets) {
  EXPECT_EQ(ip_address::parse("192.0.2.1")->to_string(), "192.0.2.1");
  EXPECT_EQ(ip_address::parse("2001:DB8:0:0::1")->to_string(), "2001:db8::1");
  EXPECT_EQ(ip_address::parse("[2001:db8::1]")->to_uri_host(), "[2001:db8::1]");
  EXPECT_EQ(ip_address::parse("192.0.2.1")->to_uri_host(), "192.0.2.1");
}

TEST(host_port, an_ipv6_address_gets_brackets) {
  EXPECT_EQ(write_host_port("2001:db8::1", 5347), "[2001:db8::1]:5347");
  EXPECT_EQ(write_host_port("192.0.2.1", 5347), "192.0.2.1:5347");
  EXPECT_EQ(write_host_port("xmpp.example", 5347), "xmpp.example:5347");
}

TEST(ip_address, a_mapped_ipv4_address_equals_the_plain_one) {
  const auto mapped = ip_address::parse("::ffff:192.0.2.1");
  ASSERT_TRUE(mapped);
  EXPECT_EQ(mapped, ip_address::parse("192.0.2.1"));
  EXPECT_TRUE(mapped->is_v4());
  EXPECT_EQ(std::hash<ip_address>{}(*mapped), std::hash<ip_address>{}(*ip_address::parse("192.0.2.1")));
  EXPECT_FALSE(ip_address::parse("::192.0.2.1")->is_v4());
  EXPECT_FALSE(ip_address::parse("::1")->is_v4());
}

TEST(ip_address, refuses_what_is_no_address) {
  for (const char* bad : {"", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.4 ", "[1.2.3.4]", "[::1", "::1]",
                          "[]", "::g", "1::2::3", "example.com", "fe80::1%eth0",
                          "00000000000000000000000000000000000000000000000000000000000000001::"}) {
    EXPECT_FALSE(ip_address::parse(bad)) << bad;
  }
  // A NUL must not end the text early: what follows it would go unseen.
  EXPECT_FALSE(ip_address::parse(std::string_view("1.2.3.4\0x", 9)));
}

TEST(socket_address, needs_brackets_around_ipv6_and_a_port) {
  EXPECT_EQ(socket_address::parse("192.0.2.1:5060")->to_string(), "192.0.2.1:5060");
  EXPECT_EQ(socket_address::parse("[2001:db8::1]:65535")->to_string(), "[2001:db8::1]:65535");
  EXPECT_EQ(socket_address::parse("192.0.2.1:0")->port, 0);
  for (const char* bad :
       {"", ":", ":5060", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1: 1",
        "2001:db8::1", "2001:db8::1:5060", "[2001:db8::1]", "[2001:db8::1]5060", "host:5060"}) {
    EXPECT_FALSE(socket_address::parse(bad)) << bad;
  }
}

TEST(ip_prefix, holds_exactly_the_addresses_that_share_its_bits) {
  const auto holds = [](const char* prefix, const char* ip) {
    return ip_prefix::parse(prefix)->contains(*ip_address::parse(ip));
  };
  EXPECT_TRUE(holds("192.0.2.0/24", "192.0.2.255"));
  EXPECT_FALSE(holds("192.0.2.0/24", "192.0.3.0"));
  EXPECT_TRUE(holds("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(holds("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(holds("192.0.2.77/24", "192.0.2.1"));  // bits behind the length do not count
  EXPECT_TRUE(holds("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(holds("192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(holds("::/0", "192.0.2.1"));
  EXPECT_TRUE(holds("::/0", "2001:db8::1"));
  EXPECT_TRUE(holds("0.0.0.0/0", "255.255.255.255"));
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));  // every IPv4 address, no IPv6 one
}

TEST(ip_prefix, prints_its_length_in_the_familys_own_bits) {
  EXPECT_EQ(ip_prefix::parse("192.0.2.0/24")->to_string(), "192.0.2.0/24");
  EXPECT_EQ(ip_prefix::parse("192.0.2.1")->to_string(), "192.0.2.1/32");
  EXPECT_EQ(ip_prefix::parse("2001:db8::/32")->to_string(), "2001:db8::/32");
  for (const char* bad :
       {"", "/24", "192.0.2.0/", "192.0.2.0/33", "2001:db8::/129", "192.0.2.0/-1", "192.0.2.0/24/1", "a/8"}) {
    EXPECT_FALSE(ip_prefix::parse(bad)) << bad;
  }
}

TEST(byte_account, refuses_above_the_limit_and_charges_accepted_work_whatever_the_level) {
  byte_account account(100);
  EXPECT_TRUE(account.has_room(100));
  EXPECT_FALSE(account.has_room(101));
  account.take(90);
  EXPECT_TRUE(account.has_room(10));
  EXPECT_FALSE(account.has_room(11));
  EXPECT_FALSE(account.has_room(SIZE_MAX));  // no wrap-around
  account.take(50);
  EXPECT_EQ(account.used(), 140U);
  EXPECT_FALSE(account.has_room(0));
  account.give(140);
  account.give(1);
  EXPECT_EQ(account.used(), 0U);
  account.set_limit(7);
  EXPECT_FALSE(account.has_room(8));
}

TEST(charge, is_given_back_exactly_once_wherever_it_moves) {
  byte_account account(1000);
  {
    charge a(account, 10);
    charge b(account, 20);
    EXPECT_EQ(account.used(), 30U);
    charge c(std::move(a));
    EXPECT_EQ(account.used(), 30U);
    EXPECT_EQ(a.size(), 0U);  // NOLINT: a moved-from charge is empty
    b = std::move(c);
    EXPECT_EQ(b.size(), 10U);
  }
  EXPECT_EQ(account.used(), 0U);
}

TEST(charge, assigning_an_empty_one_gives_the_old_share_back_at_once) {
  byte_account account(1000);
  charge a(account, 10);
  a = charge();
  EXPECT_EQ(account.used(), 0U);
  a.resize(50);  // belongs to no account
  EXPECT_EQ(account.used(), 0U);
}

TEST(charge, follows_a_change_of_size) {
  byte_account account(1000);
  charge a(account, 10);
  a.resize(35);
  EXPECT_EQ(account.used(), 35U);
  a.resize(0);
  EXPECT_EQ(account.used(), 0U);
}

TEST(counting_ids, counts_each_kind_for_itself) {
  counting_ids ids;
  EXPECT_EQ(ids.next(id_kind::branch), "z9hG4bK-1");
  EXPECT_EQ(ids.next(id_kind::tag), "t-1");
  EXPECT_EQ(ids.next(id_kind::branch), "z9hG4bK-2");
  EXPECT_EQ(ids.next(id_kind::call_id), "c-1");
  EXPECT_EQ(ids.next(id_kind::stanza), "x-1");
  EXPECT_EQ(ids.below(10), 0U);
}

TEST(error, says_room_and_name_and_our_words_but_never_the_peers) {
  error plain = test_room::errc::worse_thing;
  EXPECT_EQ(plain.to_string(), "test.room/worse_thing");
  error e(test_room::errc::bad_thing, "empty host");
  e.peer_text = redacted("drop table");
  EXPECT_EQ(e.to_string(), "test.room/bad_thing: empty host");
  EXPECT_EQ(e.code, test_room::errc::bad_thing);
  EXPECT_NE(e.code, test_room::errc::worse_thing);
}

TEST(error, a_result_that_was_not_asked_throws_what_it_holds) {
  const result<int> r = error(test_room::errc::bad_thing, "why");
  EXPECT_FALSE(r);
  EXPECT_THROW((void)r.value(), std::logic_error);
}

TEST(redacted, shows_its_size_only) {
  const redacted r("hunter2");
  EXPECT_EQ(r.shown(), "[7 bytes]");
  EXPECT_EQ(r.reveal(), "hunter2");
  EXPECT_TRUE(redacted().empty());
}

TEST(instant, moves_both_clocks_together) {
  const instant t = instant{} + 1500ms;
  EXPECT_EQ(t.steady.time_since_epoch(), 1500ms);
  EXPECT_EQ(t.wall.time_since_epoch(), 1500ms);
}

TEST(io_port, numbers_never_repeat_and_tell_their_owner) {
  io_port port;
  std::set<std::uint64_t> seen;
  for (const auto use : {conn_use::sip, conn_use::component, conn_use::sip}) {
    const auto c = port.new_conn(use);
    const auto t = port.new_token(use);
    EXPECT_EQ(use_of(c), use);
    EXPECT_EQ(use_of(t), use);
    EXPECT_GE(static_cast<std::uint64_t>(c), first_core_conn);
    EXPECT_NE(t, token::none);
    EXPECT_TRUE(seen.insert(static_cast<std::uint64_t>(c)).second);
    EXPECT_TRUE(seen.insert(static_cast<std::uint64_t>(t)).second);
  }
  EXPECT_EQ(use_of(conn_id{7}), conn_use::sip);  // the rim's own numbers
}

}  // namespace
