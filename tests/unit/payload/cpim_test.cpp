#include "payload/cpim.hpp"

#include <gtest/gtest.h>

#include "payload/mime.hpp"

namespace stox::payload {

namespace {

constexpr std::string_view full =
    "From: MR SANDERS <im:piglet@100akerwood.com>\r\nTo: \"Depressed \\\"Donkey\\\"\" "
    "<im:eeyore@100akerwood.com>\r\n"
    "cc: <im:owl@100akerwood.com>\r\nDateTime: 2000-12-13T13:40:00-08:00\r\n"
    "Subject: the weather will be fine today\r\nSubject:;lang=fr beau temps pr\xc3\xa9vu pour aujourd'hui\r\n"
    "NS: MyFeatures <mid:MessageFeatures@id.foo.com>\r\nRequire: MyFeatures.VitalMessageOption\r\n"
    "MyFeatures.VitalMessageOption: Confirmation-requested\r\nMyFeatures.WackyMessageOption: "
    "Use-silly-font\r\n"
    "X-Unknown: passed over\r\nother.Name: no such prefix\r\n\r\n"
    "Content-type: text/xml; charset=utf-8\r\nContent-ID: <1234567890@foo.com>\r\n\r\n<body>\r\n</body>\r\n";

cpim read(std::string_view text) {
  const auto m = parse_cpim(text);
  EXPECT_TRUE(m.has_value()) << (m ? "" : m.error().to_string());
  return m ? *m : cpim{};
}

}  // namespace

TEST(cpim, is_read_as_rfc_3862_prints_it) {
  const auto m = read(full);
  ASSERT_EQ(m.from.size(), 1u);
  EXPECT_EQ(m.from[0], (cpim::address{"MR SANDERS", "im:piglet@100akerwood.com"}));
  ASSERT_EQ(m.to.size(), 1u);
  EXPECT_EQ(m.to[0], (cpim::address{"Depressed \"Donkey\"", "im:eeyore@100akerwood.com"}));
  ASSERT_EQ(m.cc.size(), 1u);
  EXPECT_EQ(m.date_time, "2000-12-13T13:40:00-08:00");
  ASSERT_EQ(m.subjects.size(), 2u);
  EXPECT_EQ(m.subjects[1], (cpim::subject{"fr", "beau temps pr\xc3\xa9vu pour aujourd'hui"}));
  EXPECT_EQ(m.required,
            (std::vector<cpim::header_name>{{"mid:MessageFeatures@id.foo.com", "VitalMessageOption"}}));
  ASSERT_EQ(m.extensions.size(), 2u);
  EXPECT_EQ(*m.find("mid:MessageFeatures@id.foo.com", "WackyMessageOption"), "Use-silly-font");
  const auto e = parse_entity(m.content);
  ASSERT_TRUE(e);
  EXPECT_TRUE(e->type.is("text", "xml"));
  EXPECT_EQ(e->body, "<body>\r\n</body>\r\n");
}

TEST(cpim, names_are_told_apart_by_case) {
  const auto m = read("from: <sip:a@b>\r\nTO: <sip:c@d>\r\n\r\nContent-Type: text/plain\r\n\r\nx");
  EXPECT_TRUE(m.from.empty());
  EXPECT_TRUE(m.to.empty());
}

TEST(cpim, without_the_line_between_its_fields_and_its_content_is_read_too) {
  const auto m = read("From: <sip:a@b>\r\nContent-Type: text/plain;charset=utf-8\r\n\r\nhello");
  EXPECT_EQ(parse_entity(m.content)->body, "hello");
}

TEST(cpim, of_no_fields_may_hold_any_octets) {
  EXPECT_EQ(read("\r\n\r\n\xff").content, "\r\n\xff");
  EXPECT_EQ(read("\r\n\xff").content, "\xff") << "not yet the content's own fields";
}

TEST(cpim, undoes_escapes_in_the_way_of_java) {
  const auto m = read("Subject: a\\u00e9\\tb\\\\c\\\"d\\x\\uZZZZ\\ud83d\\\r\n\r\n\r\nx");
  ASSERT_EQ(m.subjects.size(), 1u);
  EXPECT_EQ(m.subjects[0].text, "a\xc3\xa9\tb\\c\"dxuZZZZud83d");
}

TEST(cpim, writes_no_control_and_no_line_of_somebody_else) {
  cpim m;
  m.from = {{"A\r\nTo: <sip:evil@x>", "sip:a@b"}};
  m.to = {{"", "sip:c@d"}};
  m.subjects = {{"", "one\r\ntwo\x01\x7f"}};
  m.content = "Content-Type: text/plain\r\n\r\nx";
  const auto text = write(m);
  EXPECT_EQ(text,
            "From: \"A\\r\\nTo: <sip:evil@x>\" <sip:a@b>\r\nTo: <sip:c@d>\r\nSubject: "
            "one\\r\\ntwo\\u0001\\u007f\r\n\r\n"
            "Content-Type: text/plain\r\n\r\nx");
  EXPECT_EQ(read(text), m);
}

TEST(cpim, comes_back_as_it_was_written) {
  const auto m = read(full);
  EXPECT_EQ(read(write(m)), m);
}

TEST(cpim, writes_only_names_languages_and_addresses_that_are_some) {
  cpim m;
  m.from = {{"", "sip:a@b>\r\nTo: <sip:evil@x"}};
  m.subjects = {{"en\r\nTo: <sip:evil@x>", "hi"}};
  m.extensions = {{"urn:a>\r\nTo: <x", "A", "1"}, {"urn:b", "B\r\nTo", "2"}, {"urn:c", "C", "3"}};
  m.required = {{"urn:c", "C"}, {"", "D E"}, {"", "F"}};
  m.content = "\r\nx";
  EXPECT_EQ(write(m), "From: <>\r\nSubject: hi\r\nNS: x1 <urn:c>\r\nx1.C: 3\r\nRequire: x1.C,F\r\n\r\n\r\nx");
}

TEST(cpim, a_prefix_means_what_the_last_ns_before_it_says) {
  const auto m = read(
      "a.Early: 0\r\nNS: a <urn:one>\r\na.X: 1\r\nNS: a <urn:two>\r\na.X: 2\r\nNS: A <urn:three>\r\n"
      "A.X: 3\r\na.X: 4\r\na.b.c: 5\r\nRequire: a.X, b.Y\r\n\r\n\r\nx");
  EXPECT_EQ(
      m.extensions,
      (std::vector<cpim::extension>{
          {"urn:one", "X", "1"}, {"urn:two", "X", "2"}, {"urn:three", "X", "3"}, {"urn:two", "X", "4"}}));
  EXPECT_EQ(m.required, (std::vector<cpim::header_name>{{"urn:two", "X"}, {"", "b.Y"}}));
}

TEST(cpim, an_ns_without_a_prefix_is_for_names_without_one) {
  const auto m = read(
      "From: <sip:a@b>\r\nNS: <urn:other>\r\nFrom: not the sender\r\nNS: c "
      "<urn:ietf:params:cpim-headers:>\r\n"
      "c.To: <sip:c@d>\r\nNS: <urn:ietf:params:cpim-headers:>\r\nSubject: s\r\n\r\n\r\nx");
  ASSERT_EQ(m.from.size(), 1u);
  EXPECT_EQ(m.from[0].uri, "sip:a@b");
  EXPECT_EQ(m.extensions, (std::vector<cpim::extension>{{"urn:other", "From", "not the sender"}}));
  ASSERT_EQ(m.to.size(), 1u);
  EXPECT_EQ(m.to[0].uri, "sip:c@d");
  EXPECT_EQ(m.subjects, (std::vector<cpim::subject>{{"", "s"}}));
}

TEST(cpim, parameters_stand_right_behind_the_colon) {
  const auto m = read(
      "Subject: ;lang=fr is text\r\nSubject:;x=\"a; \\\" b\";lang=de Betreff\r\nSubject:;lang=<x> "
      "none\r\n\r\n\r\nx");
  EXPECT_EQ(m.subjects,
            (std::vector<cpim::subject>{{"", ";lang=fr is text"}, {"de", "Betreff"}, {"", "none"}}));
  EXPECT_EQ(read(write(m)), m);
}

TEST(cpim, that_nobody_would_write_comes_back_as_it_was_read) {
  const auto m = read(
      "From: a>b\r\nFrom: \"a\\\" <sip:a\\u003cb@c>\r\nTo: \\ x <sip:c@d>\r\nSubject: \\ blank\\ \r\n"
      "Subject: a\rb\r\nDateTime: \\n2026\r\nNS: b <urn:x\\\\y>\r\nb.V: \\;v\r\n\r\n\r\nx");
  EXPECT_EQ(m.from[0].uri, "a");
  EXPECT_EQ(m.from[1].uri, "") << "not what stands between brackets";
  EXPECT_EQ(m.extensions, (std::vector<cpim::extension>{{"urn:x\\y", "V", ";v"}}));
  EXPECT_EQ(read(write(m)), m);
}

TEST(cpim, is_held_to_its_limits) {
  std::string many;
  for (int i = 0; i < 65; ++i) many += "To: <sip:a@b>\r\n";
  EXPECT_EQ(parse_cpim(many + "\r\n\r\nx").error().to_string(), "payload/too_large: too many header fields");
  EXPECT_EQ(parse_cpim("Subject: " + std::string(9000, 'x') + "\r\n\r\n\r\nx").error().to_string(),
            "payload/too_large: header fields");
}

TEST(cpim, that_is_none_is_refused) {
  EXPECT_FALSE(parse_cpim(""));
  EXPECT_FALSE(parse_cpim("From: <sip:a@b>\r\n\r\n")) << "no content";
  EXPECT_FALSE(parse_cpim("no header\r\n\r\nContent-Type: text/plain\r\n\r\nx"));
  EXPECT_FALSE(parse_cpim(" folded first\r\n\r\nContent-Type: text/plain\r\n\r\nx"));
  EXPECT_FALSE(parse_cpim("From: \xff <sip:a@b>\r\n\r\nContent-Type: text/plain\r\n\r\nx"));
}

// Found by the fuzzer.
TEST(cpim, comes_back_whatever_its_values_are_made_of) {
  const auto m = read(
      "NS: a <urn:\\u0001x>\r\na.One: \\ 1\\n\r\nSubject: ;lang=de is text\r\nSubject:;lang=de "
      ";x\r\n\r\n\r\nx");
  ASSERT_EQ(m.subjects.size(), 2U);
  EXPECT_EQ(m.subjects[0], (cpim::subject{"", ";lang=de is text"}));
  EXPECT_EQ(*m.find("urn:\x01x", "One"), "1");
  EXPECT_EQ(read(write(m)), m);
}

// Found by the fuzzer: only the header fields are UTF-8, also where there are none.
TEST(cpim, content_may_be_of_any_octets) {
  for (const auto* head : {"", "From: <sip:a@b>\r\n"}) {
    const auto m = read(std::string(head) + "\r\nContent-Type: x/y\r\nX: \xd9\r\n\r\n\xff");
    EXPECT_EQ(read(write(m)), m);
  }
}

TEST(cpim, cut_at_any_byte_is_read_or_refused) {
  for (std::size_t n = 0; n < full.size(); ++n) {
    const auto m = parse_cpim(full.substr(0, n));
    if (!m) continue;
    EXPECT_EQ(read(write(*m)), *m) << n;
  }
}

}  // namespace stox::payload
