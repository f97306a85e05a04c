#include "xml/element.hpp"

#include <gtest/gtest.h>

#include "xml/reader.hpp"

namespace {

using namespace stox;
using xml::element;

constexpr std::string_view client = "jabber:client";

element parsed(std::string_view document) {
  auto e = xml::parse(document);
  EXPECT_TRUE(e) << (e ? "" : e.error().to_string()) << "\n" << document;
  return e ? std::move(*e) : element();
}

TEST(element, finds_attributes_and_children_by_name_and_namespace) {
  const auto e = parsed(
      "<a xmlns='urn:1' xmlns:p='urn:p' id='1' p:id='2' xml:lang='cs'>x<b/>y<b xmlns='urn:2' n='2'/><b "
      "n='3'/>z</a>");
  ASSERT_NE(e.attr("id"), nullptr);
  EXPECT_EQ(*e.attr("id"), "1");
  EXPECT_EQ(*e.attr("xml:lang"), "cs");
  EXPECT_EQ(e.attr("lang"), nullptr);
  EXPECT_EQ(*e.child("b", "urn:2")->attr("n"), "2");
  EXPECT_EQ(e.child("b", "urn:1")->attr("n"), nullptr);  // the first of two
  EXPECT_EQ(e.child("c", "urn:1"), nullptr);
  EXPECT_EQ(e.text(), "xyz");
  ASSERT_EQ(e.elements().size(), 3U);
  EXPECT_EQ(*e.elements()[2]->attr("n"), "3");
  EXPECT_TRUE(e.is("a", "urn:1"));
  EXPECT_FALSE(e.is("a", ""));
}

TEST(element, set_replaces_an_attribute_of_that_name) {
  element e("a", "");
  e.set("id", "1").set("to", "x").set("id", "2");
  EXPECT_EQ(xml::write(e, ""), "<a id='2' to='x'/>");
}

TEST(element, equality_sees_every_part) {
  const auto e = parsed("<a i='1'><b>t</b></a>");
  EXPECT_EQ(e, parsed("<a i='1'><b>t</b></a>"));
  for (const char* other : {"<a i='2'><b>t</b></a>", "<a i='1'><b>u</b></a>", "<a i='1'><c>t</c></a>",
                            "<a i='1' xmlns='u'><b>t</b></a>", "<a i='1'><b>t</b> </a>", "<a><b>t</b></a>"}) {
    EXPECT_FALSE(e == parsed(other)) << other;
  }
}

TEST(write, declares_a_namespace_only_where_it_differs_from_the_one_in_force) {
  element message("message", std::string(client));
  message.add(element("body", std::string(client))).add_text("hi");
  message.add(element("active", "http://jabber.org/protocol/chatstates"))
      .add(element("x", std::string(client)));
  EXPECT_EQ(xml::write(message, client),
            "<message><body>hi</body><active xmlns='http://jabber.org/protocol/chatstates'><x "
            "xmlns='jabber:client'/></active></message>");
  EXPECT_EQ(xml::write(message, "jabber:component:accept").substr(0, 37),
            "<message xmlns='jabber:client'><body>");
}

TEST(write, takes_a_default_namespace_back_for_an_element_without_one) {
  element e("a", "");
  EXPECT_EQ(xml::write(e, client), "<a xmlns=''/>");
  EXPECT_EQ(xml::write(e, ""), "<a/>");
}

TEST(write, gives_attributes_of_other_namespaces_generated_prefixes) {
  element e("a", "");
  e.attributes = {{"b", "urn:1", "x"}, {"b", "", "y"}, {"b", "urn:2", "z"}, {"xml:lang", "", "cs"}};
  const auto text = xml::write(e, "");
  EXPECT_EQ(text, "<a xmlns:ns1='urn:1' ns1:b='x' b='y' xmlns:ns2='urn:2' ns2:b='z' xml:lang='cs'/>");
  EXPECT_EQ(parsed(text), e);
}

TEST(write, keeps_the_xml_prefix_which_cannot_be_declared) {
  const auto e = parsed("<xml:a xml:base='u'><xml:b/><c/></xml:a>");
  EXPECT_EQ(e.ns, xml::xml_ns);
  EXPECT_EQ(xml::write(e, ""), "<xml:a xml:base='u'><xml:b/><c/></xml:a>");
  EXPECT_EQ(parsed(xml::write(e, "")), e);
}

TEST(write, escapes_what_would_end_text_or_value_and_keeps_blanks_of_values) {
  element e("a", "");
  e.set("v", "<'\"&>\t\n\r ").add_text("<'\"&>]]>\t\n\r ");
  EXPECT_EQ(xml::write(e, ""),
            "<a v='&lt;&apos;\"&amp;&gt;&#9;&#10;&#13; '>&lt;'\"&amp;&gt;]]&gt;\t\n&#13; </a>");
  EXPECT_EQ(parsed(xml::write(e, "")), e);
}

TEST(write, replaces_bytes_that_xml_cannot_carry) {
  element e("a", "");
  e.add_text(
      std::string("a\0b\x01"
                  "c\x80"
                  "d\xED\xA0\x80"
                  "e\xEF\xBF\xBE"
                  "f\xC3",
                  16));
  const auto text = xml::write(e, "");
  EXPECT_EQ(parsed(text).text(),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD"
            "c\xEF\xBF\xBD"
            "d\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
            "e\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
            "f\xEF\xBF\xBD");
}

TEST(write, never_breaks_the_stream_whatever_names_it_is_given) {
  element e("a b><c", "urn:\x01'><x");
  e.attributes = {{"on 'x", "", "1"},
                  {"", "", "2"},
                  {"id", "", "3"},
                  {"id", "", "4"},
                  {"xmlns", "", "urn:e"},
                  {"xmlns:p", "", "urn:e"},
                  {"a:b", "", "5"},
                  {"k", "urn:\x02", "6"},
                  {"k", "http://www.w3.org/2000/xmlns/", "7"},
                  {"-x", "", "8"},
                  {"1x", "", "9"},
                  {"xml:", "", "10"},
                  {"x y", "urn:q", ""},
                  {"\xC3\x97", "", "11"},
                  {"\xFF", "", "12"},
                  {"ok-1.\xC3\xA9", "", "13"}};
  e.add(element("", ""));
  e.add(element("b", "http://www.w3.org/2000/xmlns/"));
  e.add(element("p:q", ""));
  const auto back = parsed(xml::write(e, ""));
  EXPECT_EQ(back.name, "invalid-name");
  ASSERT_EQ(back.attributes.size(), 2U);
  EXPECT_EQ(*back.attr("id"), "3");
  EXPECT_EQ(*back.attr("ok-1.\xC3\xA9"), "13");
  EXPECT_EQ(back.elements().size(), 3U);
}

TEST(escape, makes_text_safe_for_every_place) {
  EXPECT_EQ(xml::escape("a<b>&'\"\t\n"), "a&lt;b&gt;&amp;&apos;&quot;\t\n");
  EXPECT_EQ(xml::escape("caf\xC3\xA9 \xF0\x9F\x98\x80"), "caf\xC3\xA9 \xF0\x9F\x98\x80");
  EXPECT_EQ(xml::escape("\xF0\x9F\x98"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(xml::escape(""), "");
  EXPECT_EQ(xml::escape("\x7F\xC2\x85"), "\x7F\xC2\x85");
}

TEST(is_xml_text, accepts_exactly_the_characters_of_xml_1_0) {
  EXPECT_TRUE(xml::is_xml_text("a\t\n\r\x7F\xC2\x80\xEF\xBF\xBD\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
  EXPECT_TRUE(xml::is_xml_text("\xF0\x9F\xBF\xBE"));  // U+1FFFE: a noncharacter, but XML takes it
  for (const std::string& bad :
       {std::string("\0", 1), std::string("a\x08"), std::string("\x0B"), std::string("\x1F"),
        std::string("\xEF\xBF\xBE"), std::string("\xEF\xBF\xBF"), std::string("\xED\xA0\x80"),
        std::string("\xC3")}) {
    EXPECT_FALSE(xml::is_xml_text(bad)) << testing::PrintToString(bad);
  }
}

TEST(canonical, sorts_attributes_and_indents_elements) {
  const auto e = parsed(
      "<p:m xmlns:p='jabber:client' xmlns:q='urn:q' to='b' q:z='1' from='a'><p:body>hi <p:i/>you</p:body>  "
      "<x xmlns='urn:x'/>\n</p:m>");
  EXPECT_EQ(xml::canonical(e),
            "<m xmlns='jabber:client' from='a' to='b' xmlns:ns1='urn:q' ns1:z='1'>\n"
            "  <body>\n"
            "    hi \n"
            "    <i/>\n"
            "    you\n"
            "  </body>\n"
            "  <x xmlns='urn:x'/>\n"
            "</m>\n");
}

TEST(canonical, is_the_same_for_two_spellings_and_differs_for_two_meanings) {
  const auto one = parsed("<m xmlns='jabber:client' a='1' b='2'><body>x</body></m>");
  EXPECT_EQ(xml::canonical(one),
            xml::canonical(
                parsed("<p:m b=\"2\" a='&#49;' xmlns:p='jabber:client'>\n <p:body>&#x78;</p:body>\n</p:m>")));
  EXPECT_NE(xml::canonical(one),
            xml::canonical(parsed("<m xmlns='jabber:client' a='1' b='2'><body>x </body></m>")));
  EXPECT_NE(xml::canonical(one),
            xml::canonical(parsed("<m xmlns='jabber:client' a='1' b='2'><body xmlns=''>x</body></m>")));
}

TEST(canonical, keeps_text_that_is_only_blanks_where_it_is_all_there_is) {
  EXPECT_EQ(xml::canonical(parsed("<body> </body>")), "<body> </body>\n");
  EXPECT_EQ(xml::canonical(parsed("<body></body>")), "<body/>\n");
}

}  // namespace
