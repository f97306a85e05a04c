#include <gtest/gtest.h>

#include <string>

#include "payload/html.hpp"
#include "xml/reader.hpp"

namespace stox::payload {

namespace {

/// What stands in the body; empty: there is none.
std::string body_of(std::string_view html) {
  const auto made = html_to_xhtml_im(html);
  if (!made) return {};
  EXPECT_TRUE(made->is("html", "http://jabber.org/protocol/xhtml-im"));
  const auto* body = made->child("body", "http://www.w3.org/1999/xhtml");
  EXPECT_NE(body, nullptr);
  std::string out;
  for (const auto* e : body->elements()) xml::write_to(out, *e, "http://www.w3.org/1999/xhtml");
  return out;
}

}  // namespace

TEST(xhtml_im, has_paragraphs_lines_and_marks) {
  EXPECT_EQ(body_of("<html><body><h1>T</h1>a <b>b</b><br><i>c</i> &amp; d</body>"),
            "<p>T</p><p>a <strong>b</strong><br/><em>c</em> &amp; d</p>");
  EXPECT_EQ(body_of("<p>a<p>b"), "<p>a</p><p>b</p>");
  EXPECT_EQ(body_of("<u>a</u><s>b</s>"),
            "<p><span style='text-decoration: underline'>a</span>"
            "<span style='text-decoration: line-through'>b</span></p>");
}

TEST(xhtml_im, has_lists_and_quotes) {
  EXPECT_EQ(body_of("<ul><li>a<li>b<ol><li>c</ol></ul>d"),
            "<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul><p>d</p>");
  EXPECT_EQ(body_of("<blockquote>a<blockquote>b</blockquote></blockquote>c"),
            "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote><p>c</p>");
  EXPECT_EQ(body_of("<ul>a</ul><li>b"), "<ul><li>a</li></ul><p>b</p>");
}

TEST(xhtml_im, links_lead_where_a_reader_may_go) {
  EXPECT_EQ(body_of("<a href='https://a.example/?a&amp;b' onclick='x()' class=c>a</a>"),
            "<p><a href='https://a.example/?a&amp;b'>a</a></p>");
  EXPECT_EQ(body_of("<a href='javascript:x'>a</a>"), "<p>a</p>");
  EXPECT_EQ(body_of("<a href=sip:a@b>a<a href=sip:c@d>b</a>"),
            "<p><a href='sip:a@b'>a</a><a href='sip:c@d'>b</a></p>");
}

TEST(xhtml_im, keeps_styles_of_plain_values) {
  EXPECT_EQ(body_of("<span style='COLOR: #ff0000; font-weight:bold;position:fixed'>a</span>"),
            "<p><span style='color: #ff0000; font-weight: bold'>a</span></p>");
  EXPECT_EQ(body_of("<p style='background-color:url(x);color:expression(1);font-size'>a</p>"), "<p>a</p>");
  EXPECT_EQ(body_of("<b style='color:red'>a</b>"), "<p><strong>a</strong></p>");
}

TEST(xhtml_im, keeps_nothing_that_runs_or_loads) {
  EXPECT_EQ(body_of("<script>x</script><style>y</style><iframe src=x></iframe><img src=https://a alt='a cat'>"
                    "<form action=x><input name=y></form><svg onload=x>b</svg>"),
            "<p>a catb</p>");
}

TEST(xhtml_im, is_none_without_text_and_of_too_much_markup) {
  EXPECT_FALSE(html_to_xhtml_im(""));
  EXPECT_FALSE(html_to_xhtml_im("<p> <br></p><b></b>"));
  std::string much;
  for (int i = 0; i < 2000; ++i) much += "<b>x</b>";
  EXPECT_FALSE(html_to_xhtml_im(much));
}

TEST(xhtml_im, is_no_deeper_than_a_stanza_may_be) {
  for (const auto* piece :
       {"<ul><li>", "<blockquote>", "<b>", "<p><i>", "<a href=sip:a@b>", "<ul>", "</p>", "</li>"}) {
    std::string deep;
    for (int i = 0; i < 300; ++i) deep += piece;
    const auto made = html_to_xhtml_im(deep + "x");
    if (!made) continue;
    xml::read_limits l;
    l.max_depth = 24;
    const auto again = xml::parse(xml::write(*made, {}), l);
    ASSERT_TRUE(again) << piece;
    EXPECT_EQ(*again, *made) << piece;
  }
}

}  // namespace stox::payload
