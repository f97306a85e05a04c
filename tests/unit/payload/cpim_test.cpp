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
  EXPECT_EQ(m.required, std::vector<std::string>{"mid:MessageFeatures@id.foo.com VitalMessageOption"});
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
  auto m = read(full);
  EXPECT_EQ(read(write(m)).extensions, m.extensions);
  m.required.clear();
  EXPECT_EQ(read(write(m)), m);
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
    EXPECT_TRUE(parse_cpim(write(*m)).has_value()) << n;
  }
}

}  // namespace stox::payload
