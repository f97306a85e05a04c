#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/doctor.hpp"

namespace stox::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

result<examination> asked_for(std::vector<std::string> args, const settings::all* own = nullptr) {
  args.insert(args.begin(), "doctor");
  const auto r = parse(args);
  if (!r) return r.error();
  return examination_of(*r, own);
}

settings::all with_certificates(std::vector<std::string> domains) {
  settings::all out;
  out.tls.certificates.emplace_back().domains = std::move(domains);
  out.dns.servers = {*socket_address::parse("192.0.2.53:53")};
  return out;
}

TEST(doctor_options, are_those_of_a_stranger_without_any) {
  const auto e = asked_for({"Bücher.example"});
  ASSERT_TRUE(e);
  EXPECT_EQ(e->who.domain, "bücher.example");
  EXPECT_EQ(e->who.ascii, "xn--bcher-kva.example");
  EXPECT_EQ(e->who.from, "stoxctl.invalid");
  EXPECT_TRUE(e->who.xmpp && e->who.sip);
  EXPECT_FALSE(e->who.shows_certificate);
  EXPECT_EQ(e->who.patience, std::chrono::seconds(5));
  EXPECT_THAT(e->dns, IsEmpty());
}

TEST(doctor_options, are_all_understood) {
  const auto e = asked_for({"sip.example", "--dns", "127.0.0.1:5353", "--dns=[::1]:53", "--from",
                            "me.example", "--timeout", "2", "--sip-only"});
  ASSERT_TRUE(e);
  EXPECT_THAT(e->dns,
              ElementsAre(*socket_address::parse("127.0.0.1:5353"), *socket_address::parse("[::1]:53")));
  EXPECT_EQ(e->who.from, "me.example");
  EXPECT_EQ(e->who.patience, std::chrono::seconds(2));
  EXPECT_TRUE(e->who.sip);
  EXPECT_FALSE(e->who.xmpp);
}

TEST(doctor_options, take_a_configuration_s_certificate_and_servers) {
  const auto own = with_certificates({"sip.example", "two.example"});
  auto e = asked_for({"other.example"}, &own);
  ASSERT_TRUE(e);
  EXPECT_TRUE(e->who.shows_certificate);
  EXPECT_EQ(e->who.from, "sip.example");
  EXPECT_EQ(e->dns, own.dns.servers);
  // No server takes a stream from itself.
  e = asked_for({"sip.example", "--dns", "127.0.0.1:53"}, &own);
  ASSERT_TRUE(e);
  EXPECT_EQ(e->who.from, "two.example");
  EXPECT_THAT(e->dns, ElementsAre(*socket_address::parse("127.0.0.1:53")));
}

TEST(doctor_options, that_make_no_sense_are_refused) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> rows = {
      {{"a b"}, "doctor: \"a b\" is no domain"},
      {{"192.0.2.1"}, "doctor: \"192.0.2.1\" is no domain"},
      {{"sip.example", "--from", "a@b"}, "--from: \"a@b\" is no domain"},
      {{"sip.example", "--dns", "192.0.2.1"}, "--dns: \"192.0.2.1\" is not ADDRESS:PORT"},
      {{"sip.example", "--timeout", "0"}, "--timeout: \"0\" is no number of seconds from 1 to 60"},
      {{"sip.example", "--sip-only", "--xmpp-only"}, "--sip-only and --xmpp-only exclude each other"},
      {{"sip.example", "--dns"}, "--dns: needs a value"},
  };
  for (const auto& [args, why] : rows) {
    const auto e = asked_for(args);
    ASSERT_FALSE(e) << why;
    EXPECT_EQ(e.error().code, errc::bad_usage);
    EXPECT_EQ(e.error().detail, why);
  }
  const auto e = asked_for({"sip.example", "--ca-file", "/nowhere/ca.pem"});
  ASSERT_FALSE(e);
  EXPECT_EQ(e.error().code, errc::bad_input);
}

}  // namespace
}  // namespace stox::cli
