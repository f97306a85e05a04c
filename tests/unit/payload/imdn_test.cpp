#include "payload/imdn.hpp"

#include <gtest/gtest.h>

#include "payload/is_composing.hpp"

namespace stox::payload {

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
  for (const auto kind : {imdn_kind::delivery, imdn_kind::processing, imdn_kind::display}) {
    for (const auto status :
         {imdn_status::delivered, imdn_status::failed, imdn_status::displayed, imdn_status::processed,
          imdn_status::stored, imdn_status::forbidden, imdn_status::error}) {
      const imdn d{"a<b", "2026-01-01T00:00:00Z", "sip:a@b", "sip:c@d", kind, status};
      const auto again = parse_imdn(write(d));
      ASSERT_TRUE(again);
      EXPECT_EQ(*again, d);
    }
  }
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
  for (const auto& c : {is_composing{true, 60, "text/plain"}, is_composing{false, {}, ""}}) {
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

}  // namespace stox::payload
