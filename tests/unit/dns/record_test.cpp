#include "dns/record.hpp"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::dns;
using io::record_type;

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int v : values) out += static_cast<char>(v);
  return out;
}
std::string name(std::initializer_list<std::string_view> labels) {
  std::string out;
  for (const auto l : labels) out += static_cast<char>(l.size()), out += l;
  return out + '\0';
}
std::string text(std::string_view s) { return static_cast<char>(s.size()) + std::string(s); }

std::string error_of(record_type type, const std::string& data) {
  const auto r = parse_record(type, data);
  return r ? "none" : r.error().to_string();
}

TEST(record, reads_addresses_of_both_families) {
  EXPECT_EQ(std::get<ip_address>(*parse_record(record_type::a, bytes({192, 0, 2, 7}))),
            *ip_address::parse("192.0.2.7"));
  EXPECT_EQ(std::get<ip_address>(*parse_record(
                record_type::aaaa, bytes({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}))),
            *ip_address::parse("2001:db8::9"));
}

TEST(record, reads_a_service) {
  const auto data = bytes({0, 10, 0, 60, 0x13, 0xc4}) + name({"Sip1", "example", "COM"});
  EXPECT_EQ(std::get<srv_record>(*parse_record(record_type::srv, data)),
            (srv_record{10, 60, 5060, "sip1.example.com"}));
}

TEST(record, a_service_that_is_not_there_has_an_empty_target) {
  EXPECT_EQ(
      std::get<srv_record>(*parse_record(record_type::srv, bytes({0, 0, 0, 0, 0, 0}) + name({}))).target, "");
}

TEST(record, reads_a_naming_pointer) {
  const auto data = bytes({0, 50, 0, 90}) + text("S") + text("SIP+D2U") + text("") +
                    name({"_sip", "_udp", "example", "com"});
  EXPECT_EQ(std::get<naptr_record>(*parse_record(record_type::naptr, data)),
            (naptr_record{50, 90, "s", "sip+d2u", "", "_sip._udp.example.com"}));
}

TEST(record, refuses_data_that_ends_anywhere_inside) {
  const auto srv = bytes({0, 10, 0, 60, 0x13, 0xc4}) + name({"a", "b"});
  for (std::size_t n = 0; n < srv.size(); ++n)
    EXPECT_EQ(error_of(record_type::srv, srv.substr(0, n)).substr(0, 13), "dns/truncated") << n;
  const auto naptr = bytes({0, 1, 0, 1}) + text("s") + text("x") + text("r") + name({"a"});
  for (std::size_t n = 0; n < naptr.size(); ++n)
    EXPECT_EQ(error_of(record_type::naptr, naptr.substr(0, n)).substr(0, 13), "dns/truncated") << n;
  EXPECT_EQ(error_of(record_type::a, bytes({1, 2, 3})), "dns/truncated: address");
}

// Found by fuzzing: the numbers were missing, and the one byte that was there passed for an empty text.
TEST(record, refuses_a_naming_pointer_without_numbers) {
  EXPECT_EQ(error_of(record_type::naptr, std::string(1, '\0')), "dns/truncated: NAPTR");
  EXPECT_EQ(error_of(record_type::naptr, std::string(3, '\0')), "dns/truncated: NAPTR");
  EXPECT_EQ(error_of(record_type::srv, std::string(1, '\0')), "dns/truncated: SRV");
}

TEST(record, refuses_what_stands_behind_the_record) {
  EXPECT_EQ(error_of(record_type::a, bytes({192, 0, 2, 7, 0})), "dns/trailing: bytes behind the record");
}

TEST(record, refuses_names_that_no_host_has) {
  const auto head = bytes({0, 0, 0, 0, 0, 1});
  EXPECT_EQ(error_of(record_type::srv, head + name({"a b"})),
            "dns/bad_name: a byte that is no letter, digit, hyphen or underscore");
  EXPECT_EQ(error_of(record_type::srv, head + name({std::string_view("a\0b", 3)})),
            "dns/bad_name: a byte that is no letter, digit, hyphen or underscore");
  EXPECT_EQ(error_of(record_type::srv, head + name({"a.b"})),
            "dns/bad_name: a byte that is no letter, digit, hyphen or underscore");
  EXPECT_EQ(error_of(record_type::srv, head + bytes({0xC0, 12})),
            "dns/bad_name: label of more than 63 bytes");  // a compression pointer
  std::string longest = head;
  for (int i = 0; i < 5; ++i) longest += text(std::string(60, 'x'));
  EXPECT_EQ(error_of(record_type::srv, longest + '\0'), "dns/bad_name: name of more than 253 bytes");
}

TEST(record, a_question_prints_as_in_a_zone_file) {
  EXPECT_EQ(to_string(question{record_type::srv, "_sip._udp.example.com"}), "SRV _sip._udp.example.com");
}

}  // namespace
