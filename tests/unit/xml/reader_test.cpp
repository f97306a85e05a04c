#include "xml/reader.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <ctime>

#include "unit/xml/transcript.hpp"

namespace {

using namespace stox;

const std::string header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
    "xmlns:stream='http://etherx.jabber.org/streams' "
    "xmlns:db='jabber:server:dialback' from='sip.test' id='s1' xml:lang='en'>";

xml::reader open_stream(xml::read_limits limits = {}) {
  xml::reader reader(limits);
  EXPECT_TRUE(reader.feed(header));
  EXPECT_TRUE(reader.poll());
  EXPECT_FALSE(reader.poll());
  return reader;
}

std::size_t count_events(xml::reader& reader) {
  std::size_t n = 0;
  while (reader.poll()) ++n;
  return n;
}

// Zero under ASan, which counts for itself.
std::size_t heap_in_use() { return mallinfo2().uordblks; }
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

TEST(reader, reports_the_root_with_its_attributes_and_namespace_declarations) {
  xml::reader reader;
  ASSERT_TRUE(reader.feed(header));
  const auto event = reader.poll();
  ASSERT_TRUE(event && std::holds_alternative<xml::stream_opened>(*event));
  const auto& root = std::get<xml::stream_opened>(*event).root;
  EXPECT_TRUE(root.is("stream", "http://etherx.jabber.org/streams"));
  EXPECT_EQ(*root.attr("from"), "sip.test");
  EXPECT_EQ(*root.attr("id"), "s1");
  EXPECT_EQ(*root.attr("xml:lang"), "en");
  EXPECT_EQ(*root.attr("xmlns"), "jabber:component:accept");
  EXPECT_EQ(*root.attr("xmlns:stream"), "http://etherx.jabber.org/streams");
  EXPECT_EQ(*root.attr("xmlns:db"), "jabber:server:dialback");
  EXPECT_TRUE(root.children.empty());
}

TEST(reader, gives_a_stanza_the_moment_its_last_byte_is_there) {
  auto reader = open_stream();
  const std::string stanza = "<message to='b'><body>hi</body></message>";
  for (std::size_t i = 0; i + 1 < stanza.size(); ++i) {
    ASSERT_TRUE(reader.feed({&stanza[i], 1}));
    ASSERT_FALSE(reader.poll()) << i;
  }
  ASSERT_TRUE(reader.feed({&stanza.back(), 1}));
  EXPECT_EQ(count_events(reader), 1U);
}

TEST(reader, reads_the_same_stream_however_it_is_split) {
  const std::string text = header +
                           "<message from='a@x.test/desk' to='b@sip.test' type='chat' id='m1' "
                           "xml:lang='cs'><body>P\xC5\x99\xC3\xADli\xC5\xA1 &lt;&#x17E;lu\xC5\xA5&gt; "
                           "\xF0\x9F\x98\x80\r\n]]</body><active "
                           "xmlns='http://jabber.org/protocol/chatstates'/><![CDATA[<x>&]]]]></message> \n"
                           "<iq type='get' id=\"'>\"><q:query xmlns:q='urn:q' q:a='1' a='2'><item "
                           "xmlns=''/></q:query></iq><db:result>k</db:result>"
                           "<handshake/>\n</stream:stream>\n";
  const auto got = test::parsegrind(text, [](const test::pieces& input) { return test::read_stream(input); });
  EXPECT_EQ(got.outcome, "closed");
  EXPECT_EQ(
      got.text,
      "opened <stream xmlns='http://etherx.jabber.org/streams' from='sip.test' id='s1' xml:lang='en'/>\n"
      "stanza <message xmlns='jabber:component:accept' from='a@x.test/desk' id='m1' to='b@sip.test' "
      "type='chat' xml:lang='cs'>\n"
      "  <body>P\xC5\x99\xC3\xADli\xC5\xA1 &lt;\xC5\xBElu\xC5\xA5&gt; \xF0\x9F\x98\x80\n]]</body>\n"
      "  <active xmlns='http://jabber.org/protocol/chatstates'/>\n"
      "  &lt;x&gt;&amp;]]\n"
      "</message>\n"
      "stanza <iq xmlns='jabber:component:accept' id='&apos;&gt;' type='get'>\n"
      "  <query xmlns='urn:q' a='2' xmlns:ns1='urn:q' ns1:a='1'>\n"
      "    <item xmlns=''/>\n"
      "  </query>\n"
      "</iq>\n"
      "stanza <result xmlns='jabber:server:dialback'>k</result>\n"
      "stanza <handshake xmlns='jabber:component:accept'/>\n");
}

TEST(reader, an_error_comes_after_the_whole_stanzas_before_it_and_lasts) {
  xml::reader reader;
  const auto fed = reader.feed(header + "<a/><b/><c></d>");
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, xml::errc::not_well_formed);
  EXPECT_EQ(count_events(reader), 3U);
  const auto again = reader.feed("<e/>");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().to_string(), fed.error().to_string());
  EXPECT_EQ(count_events(reader), 0U);
}

TEST(reader, finds_a_broken_reference_before_an_unfinished_tag_however_it_is_split) {
  const auto run = [](const test::pieces& input) { return test::read_stream(input); };
  EXPECT_EQ(test::parsegrind(header + "<m>&#00ody></", run).outcome, "open");
  EXPECT_EQ(test::parsegrind(header + "<m>&#00ody></m>", run).outcome, "not_well_formed");
}

TEST(reader, can_be_moved_in_mid_stanza) {
  auto first = open_stream();
  ASSERT_TRUE(first.feed("<message><body>he"));
  xml::reader second = std::move(first);
  ASSERT_TRUE(second.feed("llo</body></message>"));
  const auto event = second.poll();
  ASSERT_TRUE(event && std::holds_alternative<xml::stanza>(*event));
  EXPECT_EQ(std::get<xml::stanza>(*event).value.child("body", "jabber:component:accept")->text(), "hello");
}

TEST(reader, counts_a_stanzas_bytes_from_its_first_to_its_last) {
  const xml::read_limits limits{.max_stanza_bytes = 500};
  const auto of_size = [](std::size_t n) { return "<m>" + std::string(n - 7, 'x') + "</m>"; };
  for (const bool in_one : {true, false}) {
    auto reader = open_stream(limits);
    // Blanks and other stanzas do not count.
    const std::string text = std::string(3000, ' ') + of_size(500) + of_size(500);
    const std::size_t cut = in_one ? text.size() : text.size() - 100;
    ASSERT_TRUE(reader.feed(text.substr(0, cut)));
    ASSERT_TRUE(reader.feed(text.substr(cut)));
    EXPECT_EQ(count_events(reader), 2U);
    const auto fed = reader.feed(of_size(501));
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().code, xml::errc::too_large);
    EXPECT_EQ(count_events(reader), 0U);
  }
}

TEST(reader, a_stanza_above_the_limits_of_its_parts_keeps_its_head_and_ends_nothing) {
  const xml::read_limits limits{
      .max_stanza_bytes = 50'000, .max_depth = 4, .max_attributes = 8, .max_children = 5};
  const std::string head = "<message from='a@x.test/r' id='i' to='b@sip.test' type='chat'";
  std::string attributes;
  for (int i = 0; i < 9; ++i) attributes += " a" + std::to_string(i) + "='v'";
  const std::vector<std::pair<std::string, xml::errc>> rows{
      {head + "><a><a><a><a>x</a></a></a></a></message>", xml::errc::too_deep},
      {head + "><a><a><a><a><a><a/><a/></a></a>x</a></a></a><b/></message>", xml::errc::too_deep},
      {head + "><a/><a/><a/><a/><a/><a><a/></a></message>", xml::errc::too_many},
      {head + ">x<a/>x<a/>x<a/>x</message>", xml::errc::too_many},
      {head + attributes + "/>", xml::errc::too_many},
      {head + attributes + "><a" + attributes + "/></message>", xml::errc::too_many},
      {head + "><a" + attributes + "><b/></a></message>", xml::errc::too_many},
  };
  for (const auto& [text, code] : rows) {
    for (const bool whole : {true, false}) {
      SCOPED_TRACE(text);
      auto reader = open_stream(limits);
      const auto next = std::string("<presence/>");
      if (whole) {
        ASSERT_TRUE(reader.feed(text + next));
      } else {
        for (const char c : text + next) ASSERT_TRUE(reader.feed(std::string_view(&c, 1)));
      }
      const auto refused = reader.poll();
      ASSERT_TRUE(refused && std::holds_alternative<xml::refused_stanza>(*refused));
      const auto& got = std::get<xml::refused_stanza>(*refused);
      EXPECT_EQ(got.why.code, make_error_code(code));
      EXPECT_EQ(xml::write(got.head, "jabber:component:accept"), head + "/>");
      const auto after = reader.poll();
      ASSERT_TRUE(after && std::holds_alternative<xml::stanza>(*after));
      EXPECT_EQ(std::get<xml::stanza>(*after).value.name, "presence");
    }
  }
}

TEST(reader, a_stanza_that_is_skipped_is_still_held_to_the_bytes) {
  auto reader = open_stream({.max_stanza_bytes = 2000, .max_depth = 4});
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<a>";
  const auto fed = reader.feed(deep);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, xml::errc::too_large);
}

TEST(reader, stops_at_the_limit_in_a_text_that_never_ends) {
  auto reader = open_stream({.max_stanza_bytes = 100'000});
  ASSERT_TRUE(reader.feed("<m>"));
  const std::string piece(1000, 'x');
  std::size_t accepted = 3;
  while (reader.feed(piece) && accepted < 1'000'000) accepted += piece.size();
  EXPECT_EQ(accepted, 99'003U);
}

TEST(reader, blanks_between_stanzas_take_no_memory) {
  auto reader = open_stream();
  const std::string blanks(64 * 1024, ' ');
  ASSERT_TRUE(reader.feed(blanks));
  const auto before = heap_in_use();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(reader.feed(blanks));
  EXPECT_LE(heap_in_use(), before + 64 * 1024);
  ASSERT_TRUE(reader.feed("<a/>"));
  EXPECT_EQ(count_events(reader), 1U);
}

TEST(reader, ever_new_names_take_no_memory) {
  auto reader = open_stream();
  std::size_t before = 0;
  std::size_t read = 0;
  for (int i = 0; i < 60'000; ++i) {
    const auto n = std::to_string(i);
    ASSERT_TRUE(reader.feed("<n" + n + " a" + n + "='1' xmlns:p" + n + "='urn:" + n + "'><p" + n + ":m" + n +
                            "/></n" + n + ">"));
    read += count_events(reader);
    if (i == 20'000) before = heap_in_use();
  }
  EXPECT_EQ(read, 60'000U);
  EXPECT_LE(heap_in_use(), before + 2 * 1024 * 1024);
}

TEST(reader, knows_the_roots_namespaces_in_a_long_stream_however_it_is_cut) {
  const std::string stanza = "<m to='b'><db:k a='" + std::string(300, 'v') + "'/>\n<stream:e/></m>\n";
  const std::string hundred = [&] {
    std::string all;
    for (int i = 0; i < 100; ++i) all += stanza;
    return all;
  }();
  for (const std::size_t step : {std::size_t{977}, std::size_t{65536}, std::size_t{1} << 20}) {
    auto reader = open_stream();
    std::string text;
    for (int i = 0; i < 40; ++i) text += hundred;  // some 1.4 MB
    std::size_t read = 0;
    for (std::size_t at = 0; at < text.size(); at += step) {
      ASSERT_TRUE(reader.feed(std::string_view(text).substr(at, step)));
      while (const auto event = reader.poll()) {
        const auto& e = std::get<xml::stanza>(*event).value;
        ASSERT_TRUE(e.is("m", "jabber:component:accept"));
        ASSERT_NE(e.child("k", "jabber:server:dialback"), nullptr);
        ASSERT_NE(e.child("e", "http://etherx.jabber.org/streams"), nullptr);
        ++read;
      }
    }
    EXPECT_EQ(read, 4000U);
    ASSERT_TRUE(reader.feed("</stream:stream>"));
    const auto last = reader.poll();
    EXPECT_TRUE(last && std::holds_alternative<xml::stream_closed>(*last));
  }
}

TEST(reader, a_long_tag_in_single_bytes_costs_linear_time) {
  // Tokenised anew with every byte these would take minutes.
  for (const char* start : {"<m a='", "<m ", "<![CDATA[", "<m>&", "<m><![CDATA[", "<m></m", "<m>"}) {
    auto reader = open_stream();
    ASSERT_TRUE(reader.feed(start));
    const double before = cpu_seconds();
    for (int i = 0; i < 250'000; ++i) ASSERT_TRUE(reader.feed("x"));
    EXPECT_LT(cpu_seconds() - before, 10.0) << start;
  }
}

TEST(reader, many_attributes_of_one_tag_cost_linear_time) {
  auto reader = open_stream({.max_attributes = 100'000});
  std::string tag = "<m";
  for (int i = 0; tag.size() < 200'000; ++i) tag += " a" + std::to_string(i) + "='1'";
  const double before = cpu_seconds();
  ASSERT_TRUE(reader.feed(tag + "/>"));
  EXPECT_LT(cpu_seconds() - before, 10.0);
  EXPECT_EQ(count_events(reader), 1U);
}

TEST(parse, reads_one_element_in_the_namespace_around_it) {
  const auto e =
      xml::parse("\n<message><body>hi</body><x xmlns=''><y/></x><z xmlns='urn:z'><w/></z><v/></message>\n",
                 {}, "jabber:client");
  ASSERT_TRUE(e);
  EXPECT_TRUE(e->is("message", "jabber:client"));
  EXPECT_NE(e->child("body", "jabber:client"), nullptr);
  ASSERT_NE(e->child("x", ""), nullptr);
  EXPECT_NE(e->child("x", "")->child("y", ""), nullptr);
  ASSERT_NE(e->child("z", "urn:z"), nullptr);
  EXPECT_NE(e->child("z", "urn:z")->child("w", "urn:z"), nullptr);
  EXPECT_NE(e->child("v", "jabber:client"), nullptr);
  EXPECT_TRUE(e->attributes.empty());
  EXPECT_TRUE(xml::parse("<?xml version='1.0'?><a/>"));
}

TEST(parse, refuses_less_and_more_than_one_element) {
  for (const char* bad : {"", " ", "<a>", "<a", "<a/><b/>", "<a/>x", "x<a/>", "<a></b>"}) {
    const auto e = xml::parse(bad);
    ASSERT_FALSE(e) << bad;
    EXPECT_EQ(e.error().code, xml::errc::not_well_formed) << bad;
  }
  EXPECT_EQ(xml::parse("<!--c--><a/>").error().code, xml::errc::restricted_xml);
  EXPECT_EQ(xml::parse("<a><b><c/></b></a>", {.max_depth = 2}).error().code, xml::errc::too_deep);
  EXPECT_EQ(xml::parse("<a>123</a>", {.max_stanza_bytes = 9}).error().code, xml::errc::too_large);
  EXPECT_TRUE(xml::parse("<a>123</a>", {.max_stanza_bytes = 10}));
}

TEST(parse, errors_print_room_and_name) {
  EXPECT_EQ(xml::parse("<a></b>").error().to_string(), "xml/not_well_formed: mismatched tag");
  EXPECT_EQ(xml::parse("<a><!--").error().to_string(),
            "xml/restricted_xml: markup that a stream must not hold");
}

}  // namespace
