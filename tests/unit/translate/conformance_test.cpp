#include <gtest/gtest.h>

#include <array>
#include <boost/json/src.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>

#include "base/text.hpp"
#include "sip/wire/headers.hpp"
#include "support/golden_file.hpp"
#include "translate/address.hpp"
#include "translate/error.hpp"
#include "translate/pager.hpp"
#include "xml/reader.hpp"

/// The vectors made from the RFCs, where they are there: all rows of RFC 7247's tables and the pairs of RFC
/// 7572's examples.
namespace stox::translate {

namespace {

namespace json = boost::json;

/// How many rows there were when these tests were written: fewer means that some are no longer read.
constexpr std::size_t address_rows = 29;
constexpr std::size_t table2_rows = 22;
constexpr std::size_t table3_rows = 52;
constexpr std::size_t pager_pairs = 3;

std::filesystem::path vectors() { return std::filesystem::path(STOX_SOURCE_DIR) / "../shared/vectors"; }

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

json::value read_json(const std::filesystem::path& path) { return json::parse(read_file(path)); }

std::string text_at(const json::value& row, std::string_view key) {
  return std::string(row.at(key).as_string());
}

void report(std::size_t ran, std::size_t recorded) {
  std::cout << "vectors: " << ran << " ran, 0 skipped\n";
  EXPECT_GE(ran, recorded) << "fewer rows than recorded";
}

#define SKIP_WITHOUT_VECTORS(recorded)                             \
  if (!std::filesystem::exists(vectors())) {                       \
    std::cout << "vectors: 0 ran, " << (recorded) << " skipped\n"; \
    GTEST_SKIP() << "no vectors beside the source tree";           \
  }

/// "" where the mapping refuses.
std::string map_address(const json::value& row) {
  const address_map addresses;
  const auto dir = text_at(row, "dir");
  if (dir == "sip-to-xmpp") {
    const auto uri = sip::parse_uri(text_at(row, "sip"));
    const auto jid = uri ? addresses.to_jid(*uri) : result<xmpp::jid>(uri.error());
    return jid ? jid->to_string() : std::string{};
  }
  const auto jid = xmpp::jid::parse(text_at(row, "jid"));
  if (!jid) return {};
  const auto uri = dir == "xmpp-to-im" ? addresses.to_im(*jid) : addresses.to_sip(*jid, true);
  return uri ? sip::write(*uri) : std::string{};
}

TEST(conformance, rfc7247_addresses) {
  SKIP_WITHOUT_VECTORS(address_rows);
  const auto all = read_json(vectors() / "rfc7247/addresses.json");
  std::size_t ran = 0;
  for (const auto* part : {"rfc_examples", "derived"}) {
    for (const auto& row : all.at(part).as_array()) {
      const auto& expected = row.at(text_at(row, "dir") == "sip-to-xmpp" ? "jid" : "sip");
      EXPECT_EQ(map_address(row), expected.is_null() ? "" : std::string(expected.as_string())) << row;
      ++ran;
    }
  }
  report(ran, address_rows);
}

/// Where we answer otherwise than Table 2 prints, and why.
struct ruling {
  xmpp::condition condition;
  std::uint16_t printed;
  std::uint16_t ours;
  const char* record;
};
constexpr std::array<ruling, 6> rulings{{
    {xmpp::condition::not_authorized, 401, 403, "0010: no 401 without a challenge"},
    {xmpp::condition::registration_required, 407, 403, "0010: no 407 without a challenge"},
    {xmpp::condition::remote_server_timeout, 408, 504, "0010: RFC 4320, no 408 to a non-INVITE"},
    {xmpp::condition::remote_server_not_found, 408, 404, "0010: RFC 4320, no 408 to a non-INVITE"},
    {xmpp::condition::unexpected_request, 491, 400, "0010: 491 is about INVITE"},
    {xmpp::condition::service_unavailable, 405, 403, "0011: 405 would deny the method"},
}};

/// The code of Table 2 as ruled.
std::uint16_t ruled(xmpp::condition c, std::uint16_t printed) {
  for (const auto& r : rulings) {
    if (r.condition == c && r.printed == printed) return r.ours;
  }
  return printed;
}

std::uint16_t code_for(xmpp::condition c, bool full, bool global, const std::string& address = {}) {
  return to_sip({xmpp::usual_type(c), c, {}, address}, full, {global}, {}).code;
}

/// What RFC 4320, RFC 3261 and the rulings never allow towards one user's MESSAGE.
bool is_forbidden(std::uint16_t code) {
  return code == 401 || code == 407 || code == 408 || code == 491 || code == 503;
}

TEST(conformance, rfc7247_table_2_xmpp_to_sip) {
  SKIP_WITHOUT_VECTORS(table2_rows);
  const auto all = read_json(vectors() / "rfc7247/errors-xmpp-to-sip.json");
  std::size_t ran = 0;
  for (const auto& row : all.at("rows").as_array()) {
    const auto condition = xmpp::parse_condition(text_at(row, "condition"));
    ASSERT_TRUE(condition) << row;
    const auto& codes = row.at("sip").as_array();
    const auto first = ruled(*condition, static_cast<std::uint16_t>(codes.front().as_int64()));
    const auto last = ruled(*condition, static_cast<std::uint16_t>(codes.back().as_int64()));
    // The row's two codes are those for a full and a bare JID, or, for gone and redirect, with and without an
    // address.
    if (*condition == xmpp::condition::gone) {
      EXPECT_EQ(code_for(*condition, true, true, "xmpp:a@b.example"), first) << row;
      EXPECT_EQ(code_for(*condition, true, true), last) << row;
    } else if (*condition == xmpp::condition::redirect) {
      EXPECT_EQ(code_for(*condition, true, true, "xmpp:a@b.example"), first) << row;
      EXPECT_EQ(code_for(*condition, true, true), 480) << row;
    } else {
      EXPECT_EQ(code_for(*condition, true, true), first) << row;
      EXPECT_EQ(code_for(*condition, false, true), last) << row;
    }
    for (const bool full : {true, false}) {
      const auto code = code_for(*condition, full, false);
      EXPECT_LT(code, 600) << "a 6xx without sip.global_failure " << row;
      EXPECT_FALSE(is_forbidden(code)) << code << " " << row;
    }
    ++ran;
  }
  report(ran, table2_rows);
}

TEST(conformance, rfc7247_table_3_sip_to_xmpp) {
  SKIP_WITHOUT_VECTORS(table3_rows);
  const auto all = read_json(vectors() / "rfc7247/errors-sip-to-xmpp.json");
  std::size_t ran = 0;
  for (const auto& row : all.at("rows").as_array()) {
    auto name = text_at(row, "sip");
    // "4xx": any code that the table does not list.
    if (name.ends_with("xx")) name.replace(1, 2, "99");
    const auto status = static_cast<std::uint16_t>(text::to_number(name).value());
    const auto contact = sip::parse_uri("sip:a@b.example");
    const auto e = to_xmpp(status, "", *contact, {});
    EXPECT_EQ(xmpp::to_string(e.condition), text_at(row, "condition")) << row;
    EXPECT_EQ(xmpp::to_string(e.type), text_at(row, "error_type")) << row;
    if (status == 301 || status == 410) {
      EXPECT_EQ(e.new_address, status == 301 ? "xmpp:a@b.example" : "");
    }
    EXPECT_TRUE(e.text.starts_with(name)) << e.text;
    ++ran;
  }
  report(ran, table3_rows);
}

xmpp::message read_message(const std::filesystem::path& path) {
  const auto element = xml::parse(read_file(path), {}, "jabber:client");
  return std::get<xmpp::message>(xmpp::parse_stanza(element.value()).value());
}

sip::request read_request(const std::filesystem::path& path) {
  const auto text = testing::to_wire(testing::from_wire(read_file(path)));
  return std::get<sip::request>(sip::parse_message(text, sip::framing::datagram, {}).value());
}

void expect_to_sip(const std::filesystem::path& input, const std::filesystem::path& expected) {
  const auto m = read_message(input);
  pager::sip_context c;
  c.call_id = "c-1";
  c.from_tag = "t-1";
  const auto made = pager::to_sip(m, xmpp::read_extras(m), c, {});
  ASSERT_TRUE(made);
  const auto& got = made->value;
  const auto want = read_request(expected);
  EXPECT_EQ(got.method_name, want.method_name);
  EXPECT_EQ(got.uri, want.uri);
  const auto uri_in = [](const sip::request& r, sip::header h) {
    return sip::parse_name_addr(*r.headers.find(h)).value().uri;
  };
  EXPECT_EQ(uri_in(got, sip::header::to), uri_in(want, sip::header::to));
  EXPECT_EQ(uri_in(got, sip::header::from), uri_in(want, sip::header::from));
  EXPECT_TRUE(
      sip::parse_media_type(*got.headers.find(sip::header::content_type)).value().is("text", "plain"));
  EXPECT_EQ(got.body, want.body);
}

void expect_to_xmpp(const std::filesystem::path& input, const std::filesystem::path& expected,
                    const std::string& gruu) {
  const auto r = read_request(input);
  const auto head = sip::check_mandatory(r).value();
  auto from = head.from.uri;
  // Example 4 has no gr: the gateway knows it from an earlier request.
  if (!gruu.empty()) from.params.push_back({"gr", gruu});
  pager::xmpp_context c;
  c.id = "x-1";
  c.type = xmpp::message_type::normal;
  const auto made = pager::to_xmpp(r, head, sip::parse_uri(r.uri).value(), from, {}, c, {});
  ASSERT_TRUE(made);
  const auto& got = made->value;
  const auto want = read_message(expected);
  EXPECT_EQ(got.from, want.from);
  EXPECT_EQ(got.to, want.to);
  EXPECT_EQ(got.type, want.type);
  EXPECT_EQ(got.lang, want.lang);
  EXPECT_EQ(got.bodies, want.bodies);
  // RFC 7572 §5 Table 2, although the examples omit it.
  EXPECT_EQ(got.thread, head.call_id);
}

TEST(conformance, rfc7572_pairs) {
  SKIP_WITHOUT_VECTORS(pager_pairs);
  const auto manifest = read_json(vectors() / "manifest.json");
  std::size_t ran = 0;
  for (const auto& pair : manifest.at("pairs").as_array()) {
    const auto id = text_at(pair, "id");
    if (!id.starts_with("rfc7572-")) continue;
    SCOPED_TRACE(id);
    const auto input = vectors() / std::string(pair.at("input").as_array().front().as_string());
    const auto expected = vectors() / std::string(pair.at("expected").as_array().front().as_string());
    if (text_at(pair, "direction") == "xmpp-to-sip") {
      expect_to_sip(input, expected);
    } else {
      expect_to_xmpp(input, expected, read_message(expected).from.resource);
    }
    ++ran;
  }
  report(ran, pager_pairs);
}

}  // namespace

}  // namespace stox::translate
