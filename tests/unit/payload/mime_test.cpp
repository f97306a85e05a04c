#include "payload/mime.hpp"

#include <gtest/gtest.h>

namespace stox::payload {

namespace {

content_type type_of(std::string_view value) { return parse_content_type(value).value(); }

readable text_of(std::string_view type, std::string_view body) {
  const auto got = read_text(type_of(type), body);
  EXPECT_TRUE(got.has_value()) << (got ? "" : got.error().to_string());
  return got ? *got : readable{};
}

std::string why(std::string_view type, std::string_view body, const limits& l = {}) {
  const auto got = read_text(type_of(type), body, l);
  return got ? "text: " + got->text : got.error().to_string();
}

constexpr std::string_view alternative =
    "This is for old programs.\r\n--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b\r\n"
    "Content-Type: text/html\r\nContent-Language: de\r\n\r\n<b>rich</b>\r\n--b--\r\nepilogue";

}  // namespace

TEST(content_type, is_read_with_its_parameters) {
  const auto t = type_of("Multipart/Mixed ; BOUNDARY=\"a \\\"b\\\"; c\" ;charset = utf8;");
  EXPECT_TRUE(t.is("multipart", "mixed"));
  EXPECT_EQ(t.param("boundary"), "a \"b\"; c");
  EXPECT_EQ(t.param("charset"), "utf8");
  EXPECT_EQ(t.param("other"), "");
}

TEST(content_type, that_is_none_is_refused) {
  for (const auto* bad : {"", "text", "/plain", "text/", "te xt/plain", "text/plain; a=\"open", "text/pl@in"})
    EXPECT_FALSE(parse_content_type(bad)) << bad;
}

TEST(mime_entity, has_fields_and_a_body_whatever_ends_its_lines) {
  for (const auto* text :
       {"Content-Type: text/html;\r\n charset=utf-8\r\nContent-Disposition: Attachment; "
        "filename=a\r\n\r\nbody\r\n",
        "content-type:text/html;\n charset=utf-8\ncontent-disposition: attachment\n\nbody\r\n"}) {
    const auto e = parse_entity(text);
    ASSERT_TRUE(e) << e.error().to_string();
    EXPECT_TRUE(e->type.is("text", "html"));
    EXPECT_EQ(e->type.param("charset"), "utf-8");
    EXPECT_EQ(e->disposition, "attachment");
    EXPECT_EQ(e->body, "body\r\n");
  }
}

TEST(mime_entity, without_fields_is_plain_text) {
  const auto e = parse_entity("\r\nbody");
  ASSERT_TRUE(e);
  EXPECT_TRUE(e->type.is("text", "plain"));
  EXPECT_EQ(e->body, "body");
}

TEST(mime_entity, undoes_its_transfer_encoding_or_is_refused) {
  EXPECT_EQ(parse_entity("Content-Transfer-Encoding: base64\r\n\r\naGk=")->body, "hi");
  EXPECT_EQ(parse_entity("Content-Transfer-Encoding: \r\n\r\nhi")->body, "hi") << "an empty one is seen";
  EXPECT_FALSE(parse_entity("Content-Transfer-Encoding: base64\r\n\r\naGkhaGkhb"));
  const auto opaque = parse_entity("Content-Type: text/plain\r\nContent-Transfer-Encoding: x-new\r\n\r\nhi");
  ASSERT_TRUE(opaque) << "RFC 2045 section 6.4";
  EXPECT_TRUE(opaque->type.is("application", "octet-stream"));
  EXPECT_EQ(opaque->body, "hi");
}

TEST(mime_entity, is_held_to_its_limits) {
  limits l;
  l.headers = 2;
  EXPECT_EQ(parse_entity("A: 1\r\nB: 2\r\nC: 3\r\n\r\nx", l).error().to_string(),
            "payload/too_large: too many header fields");
  l = {};
  l.header_bytes = 100;
  EXPECT_EQ(parse_entity("A: " + std::string(200, 'x') + "\r\n\r\nx", l).error().to_string(),
            "payload/too_large: header fields");
  EXPECT_FALSE(parse_entity("no colon here\r\n\r\nx"));
  EXPECT_FALSE(parse_entity(" blank first\r\n\r\nx"));
}

TEST(mime_text, of_alternatives_is_the_plain_one_and_the_other_is_named) {
  const auto r = text_of("multipart/alternative;boundary=b", alternative);
  EXPECT_EQ(r.text, "plain");
  EXPECT_EQ(r.left_out, std::vector<std::string>{"part text/html"});
}

TEST(mime_text, of_mixed_parts_is_the_first_text) {
  const auto r =
      text_of("multipart/mixed;boundary=b",
              "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n"
              "--b\nContent-Type: text/html\n\n<p>rich\r\n--b  \r\n\r\nsecond\n\n--b\r\n\r\nthird\r\n--b--");
  EXPECT_EQ(r.text, "second\n") << "only the line end in front of a delimiter is its own";
  EXPECT_EQ(r.left_out, (std::vector<std::string>{"part image/png", "part text/html", "part text/plain"}));
}

TEST(mime_text, is_made_of_html_where_there_is_no_other) {
  const auto r = text_of("multipart/mixed;boundary=b",
                         "--b\r\nContent-Type: text/html\r\nContent-Language: de\r\n\r\n<b>ja</b>\r\n--b--");
  EXPECT_EQ(r.text, "ja");
  EXPECT_EQ(r.languages, "de");
  EXPECT_EQ(text_of("text/html", "a<br>b").text, "a\nb");
}

TEST(mime_text, is_found_in_nested_multiparts) {
  const auto r =
      text_of("multipart/mixed;boundary=a", "--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" +
                                                std::string(alternative) +
                                                "\r\n--a\r\nContent-Type: image/png\r\n\r\nx\r\n--a--\r\n");
  EXPECT_EQ(r.text, "plain");
  EXPECT_EQ(r.left_out, (std::vector<std::string>{"part text/html", "part image/png"}));
}

TEST(mime_text, is_not_spoiled_by_a_part_that_cannot_be_read) {
  const auto r =
      text_of("multipart/mixed;boundary=b",
              "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAAB\r\n"
              "--b\r\nno field\r\n\r\nx\r\n--b\r\n\r\ntext\r\n--b--");
  EXPECT_EQ(r.text, "text");
  EXPECT_EQ(r.left_out,
            (std::vector<std::string>{"part application/octet-stream", "part application/octet-stream"}));
}

TEST(mime_multipart, of_a_digest_holds_messages_where_nothing_else_is_said) {
  const auto parts =
      parse_multipart(type_of("multipart/digest;boundary=b"),
                      "--b\r\n\r\nFrom: a\r\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--");
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_TRUE((*parts)[0].type.is("message", "rfc822"));
  EXPECT_TRUE((*parts)[1].type.is("text", "plain"));
}

TEST(mime_multipart, has_as_many_parts_as_the_limit_says_and_no_more) {
  limits l;
  l.parts = 2;
  const auto type = type_of("multipart/mixed;boundary=b");
  EXPECT_TRUE(parse_multipart(type, "--b\r\n\r\n1\r\n--b\r\n\r\n2", l));
  EXPECT_FALSE(parse_multipart(type, "--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b\r\n\r\n3", l));
}

TEST(mime_text, is_no_file_that_is_sent_along) {
  EXPECT_EQ(why("multipart/mixed;boundary=b", "--b\r\nContent-Disposition: attachment\r\n\r\nlog\r\n--b--"),
            "payload/no_text");
}

TEST(mime_text, that_is_missing_says_why) {
  EXPECT_EQ(why("image/png", "x"), "payload/no_text");
  EXPECT_EQ(why("text/plain", ""), "payload/no_text");
  EXPECT_EQ(why("text/plain;charset=utf-8", "\xff"), "payload/bad_charset: the text is not of its charset");
  EXPECT_EQ(why("text/plain;charset=koi8-r", "x"), "payload/bad_charset: a charset that is not known");
  EXPECT_EQ(why("multipart/mixed", "--b\r\n\r\nx"), "payload/malformed: boundary");
  EXPECT_EQ(why("multipart/mixed;boundary=b", "nothing"), "payload/malformed: a multipart without parts");
  EXPECT_EQ(why("multipart/mixed;boundary=b", "--b\r\nContent-Type: text/plain;charset=koi8-r\r\n\r\nx"),
            "payload/bad_charset: a charset that is not known");
}

TEST(mime_text, is_searched_no_deeper_and_wider_than_allowed) {
  std::string body = "\r\n\r\nx";
  std::string type;
  for (int i = 0; i < 8; ++i) {
    const auto b = "b" + std::to_string(i);
    type = "multipart/mixed; boundary=" + b;
    body =
        "--" + b +
        (i == 0 ? "" : "\r\nContent-Type: multipart/mixed; boundary=b" + std::to_string(i - 1) + "\r\n\r\n") +
        body + "\r\n--" + b + "--";
  }
  EXPECT_EQ(why(type, body), "payload/too_deep: multiparts in multiparts");
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "--b\r\n\r\nx\r\n";
  EXPECT_EQ(why("multipart/mixed;boundary=b", wide), "payload/too_large: too many parts");
}

TEST(mime_text, of_a_body_cut_at_any_byte_is_text_or_an_error) {
  for (std::size_t n = 0; n < alternative.size(); ++n) {
    const auto got = read_text(type_of("multipart/alternative;boundary=b"), alternative.substr(0, n));
    if (!got) continue;
    EXPECT_FALSE(got->text.empty());
    EXPECT_TRUE(std::string_view("plain").starts_with(got->text) || got->text.find('<') == std::string::npos);
  }
}

TEST(mime, says_what_may_hold_text) {
  EXPECT_TRUE(is_readable(type_of("multipart/related")));
  EXPECT_TRUE(is_readable(type_of("text/html")));
  EXPECT_FALSE(is_readable(type_of("text/calendar")));
}

}  // namespace stox::payload
