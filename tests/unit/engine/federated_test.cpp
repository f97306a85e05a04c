#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/engine.hpp"

/// Which of the served domains other servers reach here.
namespace stox::engine {
namespace {

using names = std::vector<std::string>;

names federated(const settings::all& s) {
  counting_ids ids;
  return engine(s, ids).federated();
}

settings::component link(const std::string& domain) { return {domain, "192.0.2.30", 5347, {}, {}, {}}; }

TEST(federated, are_those_without_a_component_that_is_the_way_to_everybody) {
  settings::all s;
  s.gateway.sip_domains = {"one.example", "two.example", "three.example"};
  s.components = {link("two.example"), link("three.example")};
  s.components.back().reaches = {"xmpp.example"};
  s.s2s.enabled = true;
  EXPECT_EQ(federated(s), (names{"one.example", "three.example"}));
  s.s2s.enabled = false;
  EXPECT_EQ(federated(s), names{});
}

TEST(federated, have_their_xmpp_names_in_a_labels) {
  settings::all s;
  s.gateway.sip_domains = {"bücher.example"};
  s.gateway.domains = {{"sip.example", "im.example"}};
  s.s2s.enabled = true;
  EXPECT_EQ(federated(s), (names{"xn--bcher-kva.example", "im.example"}));
}

}  // namespace
}  // namespace stox::engine
