#include "net/resolver.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "dns_server.hpp"
#include "dnssec_zone.hpp"
#include "recorder.hpp"

namespace {

using namespace stox;
using namespace stox::net;
using io::lookup_status;
using io::record_type;

struct resolver_fixture : testing::Test {
  reactor io;
  recorder events;
  dns_server server{io};
  std::unique_ptr<resolver> asker = *resolver::start(io, events, {{server.address()}});

  io::looked_up answer_to(record_type type, const std::string& name) {
    asker->lookup({io::lookup_id{++last}, type, name});
    io.run_until([this] { return events.count<io::looked_up>() == last; }, patience);
    const auto all = events.all<io::looked_up>();
    EXPECT_EQ(all.size(), last);
    return all.empty() ? io::looked_up{} : all.back();
  }
  std::uint64_t last = 0;
};
using net_resolver = resolver_fixture;

TEST_F(net_resolver, hands_over_the_data_of_each_record_with_its_time) {
  const std::string one("\xC0\0\2\1", 4), two("\xC0\0\2\2", 4);
  server.add(1, "a.example", one);
  server.add(1, "a.example", two);
  auto a = answer_to(record_type::a, "a.example");
  EXPECT_EQ(a.id, io::lookup_id{1});
  EXPECT_EQ(a.status, lookup_status::found);
  std::sort(a.data.begin(), a.data.end());
  EXPECT_EQ(a.data, (std::vector{one, two}));
  EXPECT_EQ(a.ttl, 77U);
}

TEST_F(net_resolver, hands_over_services_and_naming_pointers_as_they_are) {
  const std::string srv("\0\1\0\2\x13\xC4\1h\7example\0", 17);
  const std::string naptr("\0\1\0\2\1s\7SIP+D2U\0\4_sip\4_udp\7example\0", 34);
  server.add(33, "_sip._udp.example", srv);
  server.add(35, "example", naptr);
  EXPECT_EQ(answer_to(record_type::srv, "_sip._udp.example").data, std::vector{srv});
  EXPECT_EQ(answer_to(record_type::naptr, "example").data, std::vector{naptr});
}

TEST_F(net_resolver, hands_over_tlsa_records_and_calls_nothing_secure_without_a_trust_anchor) {
  const std::string tlsa = "\3\1\1" + std::string(32, 'x');
  server.add(52, "_5269._tcp.example", tlsa);
  const auto found = answer_to(record_type::tlsa, "_5269._tcp.example");
  EXPECT_EQ(found.status, lookup_status::found);
  EXPECT_EQ(found.data, std::vector{tlsa});
  EXPECT_FALSE(found.secure);
}

TEST_F(net_resolver, asks_also_about_names_of_the_site) {
  for (const char* name : {"sip.corp.test", "sip.home.arpa"}) {
    server.add(1, name, std::string("\xC0\0\2\1", 4));
    EXPECT_EQ(answer_to(record_type::a, name).status, lookup_status::found) << name;
  }
}

TEST_F(net_resolver, tells_no_such_name_from_no_such_record) {
  server.add(1, "a.example", std::string("\xC0\0\2\1", 4));
  EXPECT_EQ(answer_to(record_type::aaaa, "a.example").status, lookup_status::no_data);
  EXPECT_EQ(answer_to(record_type::a, "b.example").status, lookup_status::no_name);
}

TEST_F(net_resolver, keeps_nothing_of_a_negative_answer_that_says_no_time) {
  EXPECT_EQ(answer_to(record_type::a, "a.example").ttl, 0U);
  server.add_soa(30);
  EXPECT_EQ(answer_to(record_type::a, "b.example").ttl, 30U);
}

TEST_F(net_resolver, asks_a_server_again_that_was_silent_for_long) {
  server.add(1, "a.example", std::string("\xC0\0\2\1", 4));
  server.be_silent(true);
  // As the core does it: a question is given up after a while, and others come.
  for (std::uint64_t n = 100; n < 106; ++n) {
    const int before = server.questions();
    asker->lookup({io::lookup_id{n}, record_type::a, "n" + std::to_string(n) + ".example"});
    io.run_until([&] { return server.questions() > before + 2; }, std::chrono::seconds(2));
    asker->cancel(io::lookup_id{n});
  }
  server.be_silent(false);
  EXPECT_EQ(answer_to(record_type::a, "a.example").status, lookup_status::found);
}

TEST_F(net_resolver, asks_open_questions_of_its_new_servers) {
  dns_server other{io};
  other.add(1, "a.example", std::string("\xC0\0\2\1", 4));
  server.be_silent(true);
  asker->lookup({io::lookup_id{++last}, record_type::a, "a.example"});
  io.run_until([this] { return server.questions() > 0; }, patience);
  ASSERT_TRUE(asker->restart({{other.address()}}));
  io.run_until([this] { return events.count<io::looked_up>() == 1; }, patience);
  ASSERT_EQ(events.count<io::looked_up>(), 1U);
  EXPECT_EQ(events.all<io::looked_up>()[0].status, lookup_status::found);
  EXPECT_FALSE(asker->without_system_servers());
}

TEST_F(net_resolver, fails_for_what_is_no_name) {
  EXPECT_EQ(answer_to(record_type::a, "a..example").status, lookup_status::failed);
  EXPECT_EQ(answer_to(record_type::a, std::string(300, 'a')).status, lookup_status::failed);
}

TEST_F(net_resolver, says_nothing_any_more_about_what_was_cancelled) {
  server.ignore("slow.example");
  server.add(1, "a.example", std::string("\xC0\0\2\1", 4));
  asker->lookup({io::lookup_id{100}, record_type::a, "slow.example"});
  io.run_until([this] { return server.questions() > 0; }, patience);
  asker->cancel(io::lookup_id{100});
  asker->cancel(io::lookup_id{100});
  EXPECT_EQ(answer_to(record_type::a, "a.example").id, io::lookup_id{1});
}

TEST_F(net_resolver, ends_while_questions_are_open) {
  server.ignore("slow.example");
  asker->lookup({io::lookup_id{100}, record_type::a, "slow.example"});
  io.run_until([this] { return server.questions() > 0; }, patience);
  asker.reset();
  EXPECT_EQ(events.count<io::looked_up>(), 0U);
}

/// A resolver that takes the servers of a file.
struct system_resolver : testing::Test {
  system_resolver() {
    char name[] = "/tmp/stox-resolver-XXXXXX";
    folder = ::mkdtemp(name);
  }
  ~system_resolver() override { std::filesystem::remove_all(folder); }
  void write(const std::string& text) const {
    std::ofstream(folder + "/new") << text;
    std::filesystem::rename(folder + "/new", file());
  }
  std::string file() const { return folder + "/resolv.conf"; }
  std::unique_ptr<resolver> start(duration look_every = {}, const settings::dns& dns = {}) {
    return *resolver::start(io, events, dns, {file(), look_every});
  }

  std::string folder;
  reactor io;
  recorder events;
};

TEST_F(system_resolver, takes_over_what_the_file_says_while_it_runs) {
  const auto asker = start();
  EXPECT_TRUE(asker->without_system_servers());
  EXPECT_FALSE(asker->look_at_system());
  write("nameserver 127.0.0.2\n");
  EXPECT_TRUE(asker->look_at_system());
  EXPECT_FALSE(asker->without_system_servers());
  EXPECT_FALSE(asker->look_at_system());
  write("nameserver 127.0.0.3\n");
  EXPECT_TRUE(asker->look_at_system());
  // Scripts empty it before they write it.
  write("search site.example\nnameserver\n");
  EXPECT_FALSE(asker->look_at_system());
  EXPECT_FALSE(asker->without_system_servers());
  // While it is gone the servers of before are asked.
  std::filesystem::remove(file());
  EXPECT_FALSE(asker->look_at_system());
  EXPECT_FALSE(asker->without_system_servers());
}

TEST_F(system_resolver, looks_at_the_file_no_more_often_than_it_was_told) {
  const auto asker = start(std::chrono::hours(1));
  write("nameserver 127.0.0.2\n");
  EXPECT_FALSE(asker->look_at_system());
}

TEST_F(system_resolver, does_not_look_at_it_where_it_has_servers_of_its_own) {
  const auto own = *socket_address::parse("127.0.0.1:5353");
  const auto asker = start({}, {{own}});
  write("nameserver 127.0.0.2\n");
  EXPECT_FALSE(asker->look_at_system());
  ASSERT_TRUE(asker->restart({}));
  EXPECT_FALSE(asker->look_at_system()) << "the restart has read it";
  write("nameserver 127.0.0.3\n");
  EXPECT_TRUE(asker->look_at_system());
  ASSERT_TRUE(asker->restart({{own}}));
  write("nameserver 127.0.0.4\n");
  EXPECT_FALSE(asker->look_at_system());
}

TEST_F(system_resolver, asks_open_questions_anew) {
  write("nameserver 127.0.0.2\n");
  const auto asker = start();
  asker->lookup({io::lookup_id{1}, record_type::a, "a.example"});
  write("nameserver 127.0.0.3\n");
  EXPECT_TRUE(asker->look_at_system());
  asker->cancel(io::lookup_id{1});
  EXPECT_EQ(events.count<io::looked_up>(), 0u);
}

/// A zone "signed.example" whose key is the trust anchor, beside others that nobody signed.
struct validating_resolver : net_resolver {
  validating_resolver() {
    std::ofstream(anchor) << zone.anchor();
    server.add(dnssec_zone::dnskey_type, zone.name(), zone.dnskey());
    server.sign(dnssec_zone::dnskey_type, zone.name(),
                zone.signature(dnssec_zone::dnskey_type, zone.name(), {zone.dnskey()}));
    server.add(52, tlsa_name, tlsa);
    server.add(1, "a.example", std::string("\xC0\0\2\1", 4));
  }
  ~validating_resolver() override { std::filesystem::remove(anchor); }
  void validate() { ASSERT_TRUE(asker->restart({{server.address()}, anchor})); }

  dnssec_zone zone{"signed.example"};
  const std::string anchor =
      std::filesystem::temp_directory_path() / ("stox-anchor-" + std::to_string(getpid()));
  const std::string tlsa_name = "_5269._tcp.signed.example";
  const std::string tlsa = "\3\1\1" + std::string(32, 'x');
};

TEST_F(validating_resolver, calls_what_is_signed_secure_and_the_rest_not) {
  server.sign(52, tlsa_name, zone.signature(52, tlsa_name, {tlsa}));
  validate();
  const auto proved = answer_to(record_type::tlsa, tlsa_name);
  EXPECT_EQ(proved.status, lookup_status::found);
  EXPECT_EQ(proved.data, std::vector{tlsa});
  EXPECT_TRUE(proved.secure);
  const auto plain = answer_to(record_type::a, "a.example");
  EXPECT_EQ(plain.status, lookup_status::found);
  EXPECT_FALSE(plain.secure);
  ASSERT_TRUE(asker->restart({{server.address()}}));
  EXPECT_FALSE(answer_to(record_type::tlsa, tlsa_name).secure);
}

TEST_F(validating_resolver, fails_where_the_signature_is_of_something_else) {
  server.sign(52, tlsa_name, zone.signature(52, tlsa_name, {"forged"}));
  validate();
  const auto forged = answer_to(record_type::tlsa, tlsa_name);
  EXPECT_EQ(forged.status, lookup_status::failed);
  EXPECT_TRUE(forged.data.empty());
  EXPECT_FALSE(forged.secure);
}

TEST_F(validating_resolver, fails_where_the_signature_was_taken_away) {
  validate();
  EXPECT_EQ(answer_to(record_type::tlsa, tlsa_name).status, lookup_status::failed);
}

TEST_F(validating_resolver, says_what_is_wrong_with_a_trust_anchor_and_goes_on_without_it) {
  const auto missing = asker->restart({{server.address()}, anchor + ".none"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().detail, "dns.trust_anchor: " + anchor + ".none: No such file or directory");
  std::ofstream(anchor) << "this is no record\n";
  const auto wrong = asker->restart({{server.address()}, anchor});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().detail, "dns.trust_anchor: " + anchor +
                                      " holds no keys as the DNS writes them (DS or DNSKEY records)");
  EXPECT_EQ(answer_to(record_type::a, "a.example").status, lookup_status::found);
}

TEST(net_resolver_start, refuses_nothing_that_a_socket_address_can_be) {
  reactor io;
  recorder events;
  EXPECT_TRUE(resolver::start(io, events, {{*socket_address::parse("[2001:db8::1]:53")}}));
  const auto of_system = resolver::start(io, events, {});
  ASSERT_TRUE(of_system) << of_system.error().detail;
  EXPECT_EQ((*of_system)->without_system_servers(), access("/etc/resolv.conf", R_OK) != 0);
}

}  // namespace
