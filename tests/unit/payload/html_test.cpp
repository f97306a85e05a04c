#include "payload/html.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.hpp"

namespace stox::payload {

TEST(html, becomes_lines_of_plain_text) {
  EXPECT_EQ(html_to_text("<html><body><p>One\n  two</p><p>three<br/>four</p></body></html>"),
            "One two\nthree\nfour");
  EXPECT_EQ(html_to_text("<ul><li>a<li>b</ul>c"), "- a\n- b\nc");
  EXPECT_EQ(html_to_text("<ul>\n <li>\n a</li>\n</ul>"), "- a") << "one blank behind the mark";
  EXPECT_EQ(html_to_text("<div>a</div><div>b</div>"), "a\nb");
  EXPECT_EQ(html_to_text("<b>bo</b>ld <i>it</i>"), "bold it");
  EXPECT_EQ(html_to_text("<table><tr><td>1<td>2</tr><tr><td>3</table>"), "1 2\n3");
}

TEST(html, quotes_and_keeps_preformatted_lines) {
  EXPECT_EQ(html_to_text("<blockquote>said<br>more</blockquote>answer"), "> said\n> more\nanswer");
  EXPECT_EQ(html_to_text("<pre>a  b\r\n  c</pre>"), "a  b\n  c");
}

TEST(html, shows_where_a_link_leads) {
  EXPECT_EQ(html_to_text("<a href=\"https://a.example/?x=1&amp;y=2\">here</a>!"),
            "here <https://a.example/?x=1&y=2>!");
  EXPECT_EQ(html_to_text("<a href='https://a.example/'>https://a.example/</a>"), "https://a.example/");
  EXPECT_EQ(html_to_text("<a href=mailto:a@b.example>a@b.example</a>"), "a@b.example");
  EXPECT_EQ(html_to_text("<a href=https://a.example></a>"), "<https://a.example>");
  EXPECT_EQ(html_to_text("<a href=https://evil.example>https://bank.example</a>"),
            "https://bank.example <https://evil.example>");
}

TEST(html, ends_links_that_nobody_ended) {
  EXPECT_EQ(html_to_text("<a href=https://a.example>one"), "one <https://a.example>");
  EXPECT_EQ(html_to_text("<a href=https://a.example>one <a href=https://b.example>two</a>"),
            "one <https://a.example>two <https://b.example>");
  EXPECT_EQ(html_to_text("<blockquote><a href=https://a.example>https://a.example</a></blockquote>"),
            "> https://a.example");
  EXPECT_EQ(html_to_text("<a href=https://a.example><p>x</p></a>y"), "x\n<https://a.example>y");
}

TEST(html, lets_no_address_look_like_another) {
  EXPECT_EQ(html_to_text("<a href=' https://evil.example/&gt; &lt;https://bank.example '>x</a>"),
            "x <https://evil.example/%3E%20%3Chttps://bank.example>");
}

TEST(html, drops_addresses_that_would_run) {
  for (const auto* href : {"javascript:alert(1)", "JAVASCRIPT:x", " javascript:x", "java\nscript:x",
                           "&#106;avascript:x", "data:text/html,x", "vbscript:x", "no-scheme"})
    EXPECT_EQ(html_to_text("<a href=\"" + std::string(href) + "\">x</a>"), "x");
}

TEST(html, decodes_references) {
  EXPECT_EQ(html_to_text("&lt;b&gt; &amp;amp; &#65;&#x42; &euro;&nbsp;&hellip;"),
            "<b> &amp; AB \xe2\x82\xac\xc2\xa0\xe2\x80\xa6");
  EXPECT_EQ(html_to_text("&unknown; &#xD800; &#0; &;"), "&unknown; \xef\xbf\xbd &;") << "a NUL is a blank";
  EXPECT_EQ(html_to_text("a & b &lt"), "a & b &lt");
  EXPECT_EQ(html_to_text("&eacute;&Ouml;&thetasym;&apos;"), "\xc3\xa9\xc3\x96\xcf\x91'");
  EXPECT_EQ(html_to_text("don&#146;t &#x80;5"),
            "don\xe2\x80\x99t \xe2\x82\xac"
            "5")
      << "Windows-1252";
}

TEST(html, leaves_out_what_is_not_for_readers) {
  EXPECT_EQ(
      html_to_text("<head><title>t</title></head><style>p{}</style>a<!-- <b>x</b> -->b<script>1<2</script>"),
      "ab");
  EXPECT_EQ(html_to_text("<html><head><meta charset=utf-8><body>text"), "text") << "a head need not end";
  EXPECT_EQ(html_to_text("a<script>x</scripts>y</script >b<!-->c"), "abc");
  EXPECT_EQ(html_to_text("<!DOCTYPE html><?xml version='1.0'?>a"), "a");
  EXPECT_EQ(html_to_text("<img src=a.png alt='a cat'>"), "a cat");
}

TEST(html, that_is_broken_never_shows_a_tag) {
  EXPECT_EQ(html_to_text("a < b"), "a < b");
  EXPECT_EQ(html_to_text("a<b"), "a");
  EXPECT_EQ(html_to_text("a<p class=\"open>b"), "a");
  EXPECT_EQ(html_to_text("a<script>never ends"), "a");
  EXPECT_EQ(html_to_text("a<!-- never ends"), "a");
  EXPECT_EQ(html_to_text("<title>x</title"), "") << "found by the fuzzer";
  EXPECT_EQ(html_to_text("<"), "<");
  EXPECT_EQ(html_to_text("</"), "");
  EXPECT_EQ(html_to_text(""), "");
}

TEST(html, reads_nothing_behind_its_end) {
  const std::string whole =
      "<p title='x>y'>a&#x42;</p><script>1</script><a href=\"https://a.example\">b</a><!-- c "
      "--><br/>d</style";
  for (std::size_t n = 0; n <= whole.size(); ++n) {
    const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    const auto text = html_to_text({exact.data(), exact.size()});
    EXPECT_EQ(text.find("<p"), std::string::npos) << n;
  }
  EXPECT_EQ(html_to_text("<script></script"), "");
}

TEST(html, takes_linear_time_and_stays_bounded) {
  for (const auto* piece : {"<a href=x ", "<!--", "<script>", "<blockquote>", "&", "<", "</", "<p", "\"",
                            "<li>", "<a href='https://a.example'>", "<br>", "<style></styl"}) {
    std::string html;
    while (html.size() < 500'000) html += piece;
    const auto text = html_to_text(html);
    EXPECT_LE(text.size(), 2 * html.size()) << piece;
    EXPECT_TRUE(text::is_utf8(text));
  }
}

}  // namespace stox::payload
