#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <string>

#include "base/text.hpp"
#include "translate/address.hpp"

/// Laws of the address mapping, over random input from fixed seeds.
namespace stox::translate {

namespace {

constexpr int rounds = 20'000;

class random_text {
 public:
  explicit random_text(std::uint32_t seed) : engine_(seed) {}

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(engine_); }

  template <std::size_t N>
  std::string of(const std::array<const char*, N>& pieces, std::size_t max_pieces) {
    std::string out;
    for (auto n = below(max_pieces) + 1; n > 0; --n) out += pieces[below(N)];
    return out;
  }

 private:
  std::mt19937 engine_;
};

/// Short pieces that meet where the mappings are delicate.
constexpr std::array delicate{"a", "B", "\\", "5c", "5C", "20", " ", "\"", "&", "'", "/", ":",
                              "<", ">", "@",  "40", "2f", "3A", "%", "27", ";", "?", "#", "ü",
                              "ß", "☕", "ａ", "＼", "４", ".",  "-", "+",  "=", "|", "^", "~",
                              "`", "İ", "é",  "[",  "]",  "(",  "0", "1",  "x"};
constexpr std::array resources{"a",   "A", " ", ";", "=",  "?", "@", "/", "\"", "<",
                               "%41", "ü", "☕", ",", "gr", "&", "[", ":", "\\"};

const std::vector<domain_pair> pairs{
    {"example.com", "sip.example.com"},   // the usual case of two names
    {"xmpp.example.com", "example.com"},  // crossed with the first
    {"same.example", "same.example"},     // one name
    {"idn.example", "bücher.example"},
};
constexpr std::array xmpp_domains{
    "sip.example.com",  "example.com", "same.example",          "bücher.example", "other.example",
    "xmpp.example.com", "idn.example", "xn--bcher-kva.example", "straße.example", "[2001:db8::1]"};
constexpr std::array sip_hosts{"example.com",           "xmpp.example.com",      "same.example",
                               "idn.example",           "other.example",         "sip.example.com",
                               "xn--bcher-kva.example", "xn--strae-oqa.example", "[2001:db8::1]"};

std::optional<xmpp::jid> random_jid(random_text& random) {
  auto local = random.of(delicate, 6);
  // Half of them as a gateway would have made them, half as any server may.
  if (random.below(2) == 0) {
    const auto escaped = xmpp::escape_local(local);
    if (!escaped) return std::nullopt;
    local = *escaped;
  }
  auto jid = xmpp::jid::make(local, xmpp_domains[random.below(xmpp_domains.size())],
                             random.below(2) == 0 ? random.of(resources, 5) : std::string{});
  if (!jid) return std::nullopt;
  return *jid;
}

sip::uri random_sip(random_text& random) {
  sip::uri u;
  u.scheme = "sip";
  u.host = sip_hosts[random.below(sip_hosts.size())];
  text::percent_encode(u.user.emplace(), random.of(delicate, 6), sip::is_user_char);
  return u;
}

TEST(address_laws, a_jid_comes_home_from_sip) {
  const address_map addresses(pairs);
  random_text random(7247);
  int mapped = 0;
  for (int i = 0; i < rounds; ++i) {
    const auto jid = random_jid(random);
    if (!jid) continue;
    const auto uri = addresses.to_sip(*jid, true);
    if (!uri) continue;
    const auto read = sip::parse_uri(sip::write(*uri));
    ASSERT_TRUE(read) << sip::write(*uri);
    ASSERT_EQ(*read, *uri) << sip::write(*uri);
    const auto home = addresses.to_jid(*read);
    ASSERT_TRUE(home) << jid->to_string() << " as " << sip::write(*uri) << ": " << home.error().to_string();
    ASSERT_EQ(*home, *jid) << "by " << sip::write(*uri);
    ++mapped;
  }
  EXPECT_GT(mapped, rounds / 4);
}

TEST(address_laws, a_sip_address_comes_home_from_xmpp) {
  const address_map addresses(pairs);
  random_text random(7248);
  int mapped = 0;
  for (int i = 0; i < rounds; ++i) {
    const auto uri = random_sip(random);
    const auto jid = addresses.to_jid(uri);
    if (!jid) continue;
    const auto home = addresses.to_sip(*jid, true);
    ASSERT_TRUE(home) << sip::write(uri) << " as " << jid->to_string() << ": " << home.error().to_string();
    ASSERT_EQ(home->host, uri.host) << jid->to_string();
    const auto again = addresses.to_jid(*home);
    ASSERT_TRUE(again) << sip::write(*home);
    ASSERT_EQ(*again, *jid) << sip::write(*home);
    const auto before = text::percent_decode(*uri.user).value();
    const auto ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (std::all_of(before.begin(), before.end(), ascii)) {
      ASSERT_EQ(text::percent_decode(*home->user).value(), text::to_lower(before));
    }
    ++mapped;
  }
  EXPECT_GT(mapped, rounds / 4);
}

TEST(address_laws, two_jids_never_share_a_sip_address) {
  const address_map addresses(pairs);
  random_text random(7249);
  std::map<std::string, xmpp::jid> owner;
  for (int i = 0; i < rounds; ++i) {
    const auto jid = random_jid(random);
    if (!jid) continue;
    const auto uri = addresses.to_sip(*jid, true);
    if (!uri) continue;
    const auto [at, fresh] = owner.emplace(sip::write(*uri), *jid);
    ASSERT_EQ(at->second, *jid) << "both are " << at->first;
  }
  EXPECT_GT(owner.size(), 1000U);
}

TEST(address_laws, two_sip_addresses_never_share_a_jid) {
  const address_map addresses(pairs);
  random_text random(7250);
  std::map<std::string, std::string> owner;
  for (int i = 0; i < rounds; ++i) {
    auto uri = random_sip(random);
    const auto plain = text::percent_decode(*uri.user).value();
    const auto ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    // The case of ASCII letters is the one difference that a JID does not keep; what Unicode folds besides is
    // not compared here.
    if (!std::all_of(plain.begin(), plain.end(), ascii)) continue;
    const auto jid = addresses.to_jid(uri);
    if (!jid) continue;
    const auto identity = text::to_lower(plain) + "@" + uri.host;
    const auto [at, fresh] = owner.emplace(jid->to_string(), identity);
    ASSERT_EQ(at->second, identity) << "both are " << at->first;
  }
  EXPECT_GT(owner.size(), 1000U);
}

TEST(address_laws, look_alikes_of_escapes_never_become_somebody_else) {
  const address_map addresses;
  random_text random(7251);
  // Whatever else Unicode folds together, an address with one of the ten characters has its JID for itself.
  for (const char* target : {"a@b", "a/b", "a:b", "a\\20b", "a b"}) {
    sip::uri victim;
    victim.scheme = "sip";
    victim.host = "x.example";
    text::percent_encode(victim.user.emplace(), target, sip::is_user_char);
    const auto jid = addresses.to_jid(victim);
    ASSERT_TRUE(jid);
    static constexpr std::array tricks{"a",  "b", "\\", "＼", "﹨", "4", "４", "0",  "０",    "2",
                                       "２", "f", "Ｆ", "3",  "A",  "5", "c",  "＠", "\u00ad"};
    for (int i = 0; i < rounds / 4; ++i) {
      auto other = victim;
      other.user->clear();
      const auto plain = "a" + random.of(tricks, 6) + "b";
      text::percent_encode(*other.user, plain, sip::is_user_char);
      const auto theirs = addresses.to_jid(other);
      if (theirs && plain != target) {
        ASSERT_NE(*theirs, *jid) << plain << " passes for " << target;
      }
    }
  }
}

TEST(address_laws, repeated_names_in_pairs_are_refused) {
  const address_map addresses(
      {{"a.example", "x.example"}, {"b.example", "x.example"}, {"a.example", "y.example"}});
  EXPECT_EQ(addresses.domain_to_xmpp("a.example").value(), "x.example");
  EXPECT_EQ(addresses.domain_to_xmpp("b.example").error().code, address_errc::domain_taken);
  EXPECT_EQ(addresses.domain_to_sip("y.example").error().code, address_errc::domain_taken);
  EXPECT_EQ(addresses.domain_to_sip("x.example").value(), "a.example");
}

TEST(address_laws, parts_of_1023_bytes_pass_and_no_more) {
  const address_map addresses;
  const std::string longest(1023, 'a');
  const auto uri = [](const std::string& user, const std::string& gr) {
    return *sip::parse_uri("sip:" + user + "@x.example;gr=" + gr);
  };
  EXPECT_EQ(addresses.to_jid(uri(longest, longest)).value(), xmpp::jid({longest, "x.example", longest}));
  EXPECT_EQ(addresses.to_jid(uri(longest + "a", "a")).error().code, address_errc::too_long);
  EXPECT_EQ(addresses.to_jid(uri("a", longest + "a")).error().code, address_errc::too_long);
  // Escaping counts: 400 apostrophes are 1200 bytes.
  EXPECT_EQ(addresses.to_jid(uri(std::string(400, '\''), "a")).error().code, address_errc::too_long);
}

}  // namespace

}  // namespace stox::translate
