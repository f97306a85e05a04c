#include "payload/imdn.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "payload/is_composing.hpp"

namespace stox::payload {

TEST(cpim_require, is_understood_where_the_header_is_known) {
  const auto understood = [](const std::string& fields) {
    const auto m = parse_cpim(fields + "\r\n\r\nContent-Type: text/plain\r\n\r\nx");
    return m && is_understood(*m);
  };
  const std::string imdn = "NS: imdn <urn:ietf:params:imdn>\r\nNS: my <urn:x>\r\n";
  EXPECT_TRUE(understood("From: <sip:a@x>"));
  EXPECT_TRUE(understood("Require: From, To,cc,DateTime,Subject,NS,Require"));
  EXPECT_TRUE(understood(imdn + "Require: imdn.Message-ID,imdn.Disposition-Notification"));
  EXPECT_TRUE(understood(imdn + "Require: IMDN.original-to, imdn.IMDN-Record-Route"));
  EXPECT_TRUE(understood("NS: i <urn:ietf:params:imdn>\r\nRequire: i.Message-ID"));
  EXPECT_FALSE(understood("Require: from")) << "RFC 3862 §2.2: names are case-sensitive";
  EXPECT_FALSE(understood("Require: imdn.Message-ID")) << "no NS names the prefix";
  EXPECT_FALSE(understood(imdn + "Require: my.Message-ID"));
  EXPECT_FALSE(understood(imdn + "Require: my.From"));
  EXPECT_FALSE(understood(imdn + "Require: imdn.From"));
  EXPECT_FALSE(understood(imdn + "Require: imdn.Message-ID, my.Vital"));
}

TEST(imdn_request, is_read_under_any_prefix_and_case) {
  for (const auto* prefix : {"imdn", "IMDN", "x"}) {
    const std::string p(prefix);
    const auto m = parse_cpim("NS: " + p + " <urn:ietf:params:imdn>\r\n" + p + ".Message-ID: 34jk324j\r\n" +
                              p + ".Disposition-Notification: positive-delivery;a=b, Display\r\n\r\n\r\nx");
    ASSERT_TRUE(m);
    const auto r = imdn_request_of(*m);
    EXPECT_EQ(r, (imdn_request{"34jk324j", true, false, false, true}));
  }
}

TEST(imdn_request, of_another_namespace_is_none) {
  const auto m = parse_cpim("NS: imdn <urn:other>\r\nimdn.Message-ID: a\r\n\r\n\r\nx");
  EXPECT_EQ(imdn_request_of(*m), imdn_request{});
}

TEST(imdn_request, is_written_into_the_fields) {
  cpim m;
  m.content = "\r\nx";
  const imdn_request r{"id-1", true, true, false, true};
  add_to(m, r);
  EXPECT_EQ(write(m),
            "NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: id-1\r\n"
            "imdn.Disposition-Notification: positive-delivery, negative-delivery, display\r\n\r\n\r\nx");
  EXPECT_EQ(imdn_request_of(*parse_cpim(write(m))), r);
}

TEST(imdn, comes_back_as_it_was_written) {
  using k = imdn_kind;
  using s = imdn_status;
  for (const auto& [kind, status] : std::vector<std::pair<k, s>>{{k::delivery, s::delivered},
                                                                 {k::delivery, s::failed},
                                                                 {k::delivery, s::forbidden},
                                                                 {k::delivery, s::error},
                                                                 {k::display, s::displayed},
                                                                 {k::display, s::forbidden},
                                                                 {k::display, s::error},
                                                                 {k::processing, s::processed},
                                                                 {k::processing, s::stored},
                                                                 {k::processing, s::forbidden},
                                                                 {k::processing, s::error}}) {
    const imdn d{"a<b", "2026-01-01T00:00:00Z", "sip:a@b", "sip:c@d", kind, status};
    const auto again = parse_imdn(write(d));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, d);
  }
}

TEST(imdn, of_a_status_that_its_kind_cannot_have_or_of_two_claims_nothing) {
  const auto status = [](const std::string& kind, const std::string& what) {
    const auto d =
        parse_imdn("<imdn xmlns='urn:ietf:params:xml:ns:imdn'><message-id>a</message-id><" + kind +
                   "-notification><status>" + what + "</status></" + kind + "-notification></imdn>");
    EXPECT_TRUE(d);
    return d ? d->status : imdn_status::stored;
  };
  EXPECT_EQ(status("display", "<delivered/>"), imdn_status::error);
  EXPECT_EQ(status("delivery", "<displayed/>"), imdn_status::error);
  EXPECT_EQ(status("delivery", "<delivered/><failed/>"), imdn_status::error);
  EXPECT_EQ(status("delivery", "<delivered/><x xmlns='urn:x'/>"), imdn_status::delivered) << "extensible";
}

TEST(imdn, undoes_the_encoding_of_a_whole_uri_and_of_nothing_else) {
  const auto uri = [](const std::string& written) {
    const auto d =
        parse_imdn("<imdn xmlns='urn:ietf:params:xml:ns:imdn'><message-id>a</message-id><recipient-uri>" +
                   written + "</recipient-uri><delivery-notification/></imdn>");
    EXPECT_TRUE(d);
    return d ? d->recipient_uri : "";
  };
  EXPECT_EQ(uri("sip%3Aa%40b"), "sip:a@b");
  EXPECT_EQ(uri("sip:a%40b@c"), "sip:a%40b@c");
  for (const auto* other : {"sip%8A%3Aa", "sip%3Aa%0D%0Ab", "sip%3", "a%40b"}) EXPECT_EQ(uri(other), other);
}

TEST(imdn, are_found_alone_and_aggregated) {
  const auto document = [](const std::string& id) {
    return write(imdn{id, "", "", "", imdn_kind::delivery, imdn_status::delivered});
  };
  const content_type own{"message", "imdn+xml", {}};
  ASSERT_EQ(find_imdns(own, document("1")).size(), 1u);
  EXPECT_TRUE(find_imdns(own, "no document").empty());
  EXPECT_TRUE(find_imdns({"text", "plain", {}}, document("1")).empty());
  const auto both =
      find_imdns({"multipart", "mixed", {{"boundary", "b"}}},
                 "--b\r\nContent-Type: message/imdn+xml\r\n\r\n" + document("1") +
                     "\r\n--b\r\nContent-Type: message/imdn+xml\r\n\r\nbroken\r\n--b\r\n\r\ntext\r\n--b\r\n"
                     "Content-Type: message/imdn+xml\r\n\r\n" +
                     document("2") + "\r\n--b\r\n");
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[1].message_id, "2");
}

TEST(imdn, cut_at_any_byte_is_refused) {
  const auto whole = write(
      imdn{"id", "2026-01-01T00:00:00Z", "sip:a@b", "sip:c@d", imdn_kind::display, imdn_status::displayed});
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(parse_imdn(whole.substr(0, n))) << n;
}

TEST(imdn, of_too_many_bytes_is_refused) {
  imdn d{"id", "", "sip:a@b", "", imdn_kind::display, imdn_status::displayed};
  d.date_time.assign(20'000, '1');
  EXPECT_FALSE(parse_imdn(write(d)));
}

TEST(imdn_request, comes_with_the_way_back) {
  const auto m = parse_cpim(
      "NS: i <urn:ietf:params:imdn>\r\ni.Original-To: \"The list\" <im:list@a>\r\ni.IMDN-Record-Route: Two "
      "<im:two@a>\r\n"
      "i.IMDN-Record-Route: <im:one@a>\r\n\r\n\r\nx");
  ASSERT_TRUE(m);
  EXPECT_EQ(original_to_of(*m), "im:list@a");
  EXPECT_EQ(record_route_of(*m), (std::vector<std::string>{"Two <im:two@a>", "<im:one@a>"}));
  EXPECT_EQ(original_to_of(cpim{}), "");
}

TEST(imdn, that_is_none_is_refused) {
  for (const auto* bad :
       {"", "<x/>", "<imdn xmlns='urn:ietf:params:xml:ns:imdn'/>",
        "<imdn xmlns='urn:ietf:params:xml:ns:imdn'><message-id>a</message-id></imdn>",
        "<imdn xmlns='urn:ietf:params:xml:ns:imdn'><message-id> </message-id><display-notification/></imdn>",
        "<!DOCTYPE a><imdn "
        "xmlns='urn:ietf:params:xml:ns:imdn'><message-id>a</message-id><display-notification/></imdn>"})
    EXPECT_FALSE(parse_imdn(bad)) << bad;
}

TEST(imdn, of_a_status_that_is_not_known_is_an_error) {
  const auto d = parse_imdn(
      "<imdn xmlns='urn:ietf:params:xml:ns:imdn'><message-id>a</message-id><datetime/>"
      "<delivery-notification><status><eaten/></status></delivery-notification></imdn>");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->status, imdn_status::error);
}

TEST(is_composing, comes_back_as_it_was_written) {
  for (const auto& c :
       {is_composing{true, 60, "text/plain", ""}, is_composing{false, {}, "", "2026-01-01T00:00:00Z"}}) {
    const auto again = parse_is_composing(write(c));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, c);
  }
}

TEST(is_composing, knows_one_state_beside_idle) {
  const auto state = [](const std::string& s) {
    return parse_is_composing("<isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'><state>" + s +
                              "</state><refresh>0</refresh></isComposing>");
  };
  EXPECT_TRUE(state(" active ")->active);
  EXPECT_FALSE(state("idle")->active);
  EXPECT_FALSE(state("thinking")->active) << "RFC 3994 section 3.3";
  EXPECT_FALSE(state("idle")->refresh) << "the schema wants a positive number";
}

TEST(is_composing, that_is_none_is_refused) {
  EXPECT_FALSE(parse_is_composing(""));
  EXPECT_FALSE(parse_is_composing("<isComposing xmlns='urn:other'><state>active</state></isComposing>"));
  EXPECT_FALSE(parse_is_composing("<isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'/>"));
}

TEST(is_composing, cut_at_any_byte_is_refused) {
  const auto whole = write(is_composing{true, 60, "text/plain", "2026-01-01T00:00:00Z"});
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(parse_is_composing(whole.substr(0, n))) << n;
}

}  // namespace stox::payload
