#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "base/text.hpp"
#include "sip/wire/headers.hpp"

namespace stox::sip {
namespace {

const std::filesystem::path own_folder = STOX_SOURCE_DIR "/tests/torture/sip";
const std::filesystem::path originals = STOX_SOURCE_DIR "/../shared/vectors";

std::string load(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// RFC 4475 §2.1: what stands between the marks is one line.
std::string join_marked_lines(std::string text) {
  static constexpr std::string_view open = "<allOneLine>\r\n";
  static constexpr std::string_view close = "</allOneLine>\r\n";
  for (auto at = text.find(open); at != std::string::npos; at = text.find(open)) {
    const auto end = text.find(close, at);
    if (end == std::string::npos) return text;
    auto line = text.substr(at + open.size(), end - at - open.size());
    for (auto crlf = line.find("\r\n"); crlf != std::string::npos; crlf = line.find("\r\n"))
      line.erase(crlf, 2);
    text.replace(at, end + close.size() - at, line + "\r\n");
  }
  return text;
}

/// outcomes.txt: file -> outcome.
std::map<std::string, std::string> outcomes() {
  std::map<std::string, std::string> out;
  std::istringstream in(load(own_folder / "outcomes.txt"));
  for (std::string row; std::getline(in, row);) {
    const auto columns = text::split(row, '|');
    if (row.empty() || row.front() == '#') continue;
    EXPECT_EQ(columns.size(), 3U) << row;
    out[std::string(text::trim(columns[0]))] = text::trim(columns[1]);
  }
  return out;
}

/// What the wire makes of a datagram: the part of the outcome that is decided before any policy.
std::string wire_outcome(std::string_view datagram) {
  const auto m = parse_message(datagram, framing::datagram, {});
  if (!m) {
    if (!m.error().is_request) return "drop";
    return m.error().why.code == make_error_code(errc::bad_version) ? "answer 505" : "answer 400";
  }
  if (const auto* r = std::get_if<response>(&*m)) return check_mandatory(*r) ? "response" : "drop";
  const auto& r = std::get<request>(*m);
  return check_mandatory(r) && parse_uri(r.uri) ? "accepted" : "answer 400";
}

/// The same of a row of the table.
std::string expected_at_the_wire(const std::string& outcome) {
  if (outcome == "answer 400" || outcome == "answer 505" || outcome == "response" || outcome == "drop")
    return outcome;
  return "accepted";
}

request request_of(const std::string& name) {
  const auto m = parse_message(load(own_folder / name), framing::datagram, {});
  EXPECT_TRUE(m && std::holds_alternative<request>(*m)) << name;
  return m ? std::get<request>(*m) : request{};
}

TEST(torture, own_messages_come_out_as_the_table_says) {
  std::size_t count = 0;
  for (const auto& [file, outcome] : outcomes()) {
    if (file.find('/') != std::string::npos) continue;
    const auto text = load(own_folder / file);
    EXPECT_FALSE(text.empty()) << file;
    EXPECT_EQ(wire_outcome(text), expected_at_the_wire(outcome)) << file;
    ++count;
  }
  EXPECT_EQ(count, 61U);
}

TEST(torture, originals_come_out_as_the_table_says) {
  if (!std::filesystem::exists(originals / "rfc4475")) GTEST_SKIP() << "the RFCs' own messages are not here";
  const auto table = outcomes();
  std::size_t count = 0;
  for (const char* folder : {"rfc4475", "rfc5118"}) {
    for (const auto& entry : std::filesystem::directory_iterator(originals / folder)) {
      const auto name = entry.path().filename().string();
      auto row = table.find(std::string(folder) + "/" + name);
      if (row == table.end()) row = table.find(name);
      if (row == table.end()) continue;
      EXPECT_EQ(wire_outcome(join_marked_lines(load(entry.path()))), expected_at_the_wire(row->second))
          << name;
      ++count;
    }
  }
  EXPECT_EQ(count, 61U);
}

TEST(torture, every_file_is_in_the_table) {
  const auto table = outcomes();
  for (const auto& entry : std::filesystem::directory_iterator(own_folder)) {
    if (entry.path().extension() != ".dat") continue;
    EXPECT_TRUE(table.contains(entry.path().filename().string())) << entry.path();
  }
}

// Whatever parses is written so that it parses to the same again.
TEST(torture, writing_loses_nothing) {
  for (const auto& entry : std::filesystem::directory_iterator(own_folder)) {
    const auto m = parse_message(load(entry.path()), framing::datagram, {});
    if (entry.path().extension() != ".dat" || !m) continue;
    const auto text = std::visit([](const auto& x) { return write(x); }, *m);
    const auto again = parse_message(text, framing::stream, {});
    ASSERT_TRUE(again) << entry.path();
    EXPECT_EQ(std::visit([](const auto& x) { return write(x); }, *again), text) << entry.path();
  }
}

TEST(torture, folds_and_blanks_are_undone) {
  const auto r = request_of("wsinv.dat");
  const auto e = check_mandatory(r);
  ASSERT_TRUE(e) << e.error().to_string();
  EXPECT_EQ(e->from.display, "Odd \"Q\" \\");
  EXPECT_EQ(e->from.tag(), "m0ve-1");
  EXPECT_EQ(e->to.tag(), "77tove");
  EXPECT_EQ(e->max_forwards, 41U);
  EXPECT_EQ(e->cseq.number, 12U);
  EXPECT_EQ(e->call_id, "ws.e2e4.c5@club.example");
  EXPECT_EQ(e->top_via.host, "198.51.100.3");
  EXPECT_EQ(e->top_via.branch(), "rook-to-a8");
  EXPECT_EQ(r.headers.elements(header::via).size(), 3U);
  EXPECT_EQ(parse_via(r.headers.elements(header::via)[2])->branch(), "z9hG4bKking7");
  EXPECT_EQ(*r.headers.find(header::subject), "");
  EXPECT_EQ(*r.headers.find_other("X-Strange"), ",,;;=,\";");
  EXPECT_EQ(*r.headers.find_other("X-Clock-Note"), "white has five minutes, black has none");
  const auto contact = parse_contact(r.headers.elements(header::contact).at(0));
  ASSERT_TRUE(contact);
  EXPECT_EQ(contact->address.display, "\"Odd\" at home");
  EXPECT_EQ(find_param(contact->address.params, "q")->value, "0.7");
}

TEST(torture, unusual_characters_are_kept) {
  const auto r = request_of("intmeth.dat");
  const auto e = check_mandatory(r);
  ASSERT_TRUE(e) << e.error().to_string();
  EXPECT_EQ(r.method, method::unknown);
  EXPECT_EQ(r.method_name, "*Take-Back'99%~`.!_+");
  EXPECT_EQ(e->to.display, std::string("nul=\0 bell=\a esc=\x1b del=\x7f", 24));
  EXPECT_EQ(e->from.display, "Grand-Master!%*_+`'~ of.the-club");
  EXPECT_EQ(find_param(e->from.params, "side!%*_+`'~.-")->value,
            "\"\xCE\xBC\xCE\xB1\xCF\x8D\xCF\x81\xCE\xB1\"");
  EXPECT_EQ(e->call_id, "intm(e)t<h>:\\\"/[check]?{mate}`'~+_*%!.-@w[o]r{d");
  EXPECT_EQ(parse_uri(r.uri)->user, "knight_(f3)~&=$to,e5;x?y/z");
  EXPECT_EQ(*r.headers.find_other("x-note-.!%*_+`'~"), "\xE5\xB0\x86\xE6\xA3\x8B");
}

TEST(torture, a_nul_does_not_shorten_a_user) {
  const auto e = check_mandatory(request_of("escnull.dat"));
  ASSERT_TRUE(e);
  EXPECT_EQ(text::percent_decode(*e->to.uri.user), std::string("before\0after", 12));
  const auto r = request_of("escnull.dat");
  const auto contacts = r.headers.elements(header::contact);
  ASSERT_EQ(contacts.size(), 2U);
  EXPECT_FALSE(equivalent(parse_contact(contacts[0])->address.uri, parse_contact(contacts[1])->address.uri));
}

TEST(torture, percent_is_an_escape_in_uris_only) {
  const auto r = request_of("esc02.dat");
  EXPECT_EQ(r.method, method::unknown);
  EXPECT_EQ(r.headers.count(header::contact), 2U);
  EXPECT_EQ(check_mandatory(r)->to.display, "50%Off%41");
  const auto contact = parse_contact(*request_of("esc01.dat").headers.find(header::contact));
  ASSERT_TRUE(contact);
  EXPECT_TRUE(equivalent(contact->address.uri, *parse_uri("sip:odd@pc7.club.example;lr;color=blue%2541")));
}

TEST(torture, octets_after_the_body_are_ignored) {
  const auto r = request_of("dblreq.dat");
  EXPECT_EQ(r.method, method::register_);
  EXPECT_EQ(r.body, "");
}

TEST(torture, a_binary_body_is_kept) {
  const auto r = request_of("mpart01.dat");
  EXPECT_NE(r.body.find(std::string("\0\1\2\0\0\r\n\r\n", 9)), std::string::npos);
  EXPECT_TRUE(r.body.ends_with("\r\n--cut-here-15--\r\n"));
  EXPECT_TRUE(parse_media_type(*r.headers.find(header::content_type))->is("multipart", "mixed"));
}

TEST(torture, semicolons_and_commas_are_where_they_belong) {
  EXPECT_EQ(parse_uri(request_of("semiuri.dat").uri)->user, "tove;seat=w%40table4");
  const auto bare = parse_contact(*request_of("cparam01.dat").headers.find(header::contact));
  EXPECT_NE(find_param(bare->address.params, "squarecolour"), nullptr);
  EXPECT_FALSE(bare->address.uri.find("squarecolour"));
  const auto inside = parse_contact(*request_of("cparam02.dat").headers.find(header::contact));
  EXPECT_EQ(find_param(inside->address.params, "squarecolour"), nullptr);
  EXPECT_NE(inside->address.uri.find("squarecolour"), nullptr);
  EXPECT_FALSE(parse_contact(*request_of("regbadct.dat").headers.find(header::contact)));
  EXPECT_EQ(parse_contact(*request_of("regescrt.dat").headers.find(header::contact))->address.uri.headers,
            "Subject=%3Chello%3E");
}

TEST(torture, ports_and_brackets_of_ipv6) {
  EXPECT_EQ(parse_uri(request_of("port-ambiguous.dat").uri)->port, std::nullopt);
  EXPECT_EQ(parse_uri(request_of("port-unambiguous.dat").uri)->port, 5080);
  EXPECT_EQ(parse_uri(request_of("ipv6-bug-abnf-3-colons.dat").uri)->host,
            parse_uri(request_of("ipv6-correct-abnf-2-colons.dat").uri)->host);
  EXPECT_EQ(request_of("mult-ip-in-header.dat").headers.elements(header::via).size(), 3U);
}

TEST(torture, a_date_in_another_zone_is_no_date) {
  EXPECT_FALSE(parse_date(*request_of("baddate.dat").headers.find(header::date)));
}

}  // namespace
}  // namespace stox::sip
