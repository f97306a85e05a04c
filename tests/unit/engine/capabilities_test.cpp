// What presence says about an entity is what disco says about it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/sandbox.hpp"
#include "xml/reader.hpp"
#include "xmpp/wire/stream.hpp"
#include "xmpp/wire/xep/caps.hpp"

using namespace stox;
using engine::sandbox;

namespace {

/// The one stanza that the gateway answers with.
xml::element answer(sandbox& box, const std::string& stanza) {
  box.take();
  box.xmpp(stanza);
  std::vector<xml::element> out;
  for (const auto& o : box.take()) {
    if (o.where != sandbox::output::side::xmpp) continue;
    const auto e = xml::parse(o.text, {}, xmpp::component_ns);
    EXPECT_TRUE(e) << o.text;
    if (e) out.push_back(*e);
  }
  EXPECT_EQ(out.size(), 1U) << stanza;
  return out.size() == 1 ? out.front() : xml::element();
}

xml::element info(sandbox& box, const std::string& to, const std::string& node) {
  return answer(box, "<iq type='get' id='d' from='ana@xmpp.test/desk' to='" + to +
                         "'><query xmlns='http://jabber.org/protocol/disco#info' node='" + node + "'/></iq>");
}

const std::string subscribe = "<presence type='subscribe' from='ana@xmpp.test' to='bo@sip.example'/>";
const std::string probe = "<presence type='probe' from='ana@xmpp.test/desk' to='sip.example'/>";

void expect_hashes_hold(sandbox& box, const std::string& presence, const std::string& entity) {
  const auto p = answer(box, presence);
  EXPECT_EQ(*p.attr("from"), entity);
  const auto* c = p.child("c", "http://jabber.org/protocol/caps");
  ASSERT_NE(c, nullptr);
  EXPECT_EQ(*c->attr("hash"), "sha-1");
  std::vector<std::string> nodes{*c->attr("node") + "#" + *c->attr("ver")};
  const auto* c2 = p.child("c", "urn:xmpp:caps");
  ASSERT_NE(c2, nullptr);
  ASSERT_EQ(c2->elements().size(), 2U);
  for (const auto* hash : c2->elements())
    nodes.push_back("urn:xmpp:caps#" + *hash->attr("algo") + "." + hash->text());
  EXPECT_TRUE(nodes[1].starts_with("urn:xmpp:caps#sha-256.")) << nodes[1];
  for (const auto& node : nodes) {
    const auto told = info(box, entity, node);
    EXPECT_EQ(*told.attr("type"), "result") << node;
    const auto read = xmpp::disco::parse_info(*told.elements().at(0));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->node, node);
    EXPECT_TRUE(xmpp::caps::is_node_of(node, *read)) << node;
    // XEP-0115 §6.2: without a node the answer is the same.
    const auto plain = info(box, entity, {});
    EXPECT_TRUE(xmpp::caps::is_node_of(node, *xmpp::disco::parse_info(*plain.elements().at(0)))) << node;
    // Nobody else answers for it.
    EXPECT_EQ(*info(box, entity == "sip.example" ? "bo@sip.example" : "sip.example", node).attr("type"),
              "error");
  }
}

TEST(capabilities, of_the_gateway_are_in_its_presence_and_found_by_their_hashes) {
  sandbox box(sandbox::sample_settings());
  expect_hashes_hold(box, probe, "sip.example");
}

TEST(capabilities, of_a_user_are_in_his_presence_and_found_by_their_hashes) {
  sandbox box(sandbox::sample_settings());
  expect_hashes_hold(box, subscribe, "bo@sip.example");
}

TEST(capabilities, with_contact_addresses_hash_to_something_else_and_still_hold) {
  auto settings = sandbox::sample_settings();
  sandbox plain(settings);
  settings.gateway.contact = {"mailto:admin@sip.example"};
  sandbox box(settings);
  expect_hashes_hold(box, probe, "sip.example");
  EXPECT_NE(xml::canonical(answer(plain, probe)), xml::canonical(answer(box, probe)));
}

}  // namespace
