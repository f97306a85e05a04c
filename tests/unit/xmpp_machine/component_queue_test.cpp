#include "xmpp/machine/component.hpp"

#include <gtest/gtest.h>

#include "unit/xmpp_machine/link_script.hpp"

namespace {

using namespace stox;
using namespace stox::xmpp;
using lines = link_script::lines;

TEST(component_queue, keeps_stanzas_while_the_link_is_down_and_sends_them_in_order) {
  link_script s;
  s.link.start(s.now);
  EXPECT_TRUE(s.link.send_or_queue("<a/>", s.now));
  EXPECT_TRUE(s.link.send_or_queue("<b/>", s.now));
  EXPECT_EQ(s.link.stats().queued, 2U);
  EXPECT_GT(s.memory.used(), 0U);
  s.did();
  s.opened();
  s.says(link_script::header());
  s.did();
  s.says("<handshake/>");
  EXPECT_EQ(s.did(), (lines{"> <a/><b/>", "up"}));
  EXPECT_EQ(s.link.stats().queued, 0U);
  EXPECT_EQ(s.link.stats().queued_bytes, 0U);
  EXPECT_EQ(s.link.stats().stanzas_out, 2U);
  EXPECT_EQ(s.link.stats().tracked, 2U);
  EXPECT_TRUE(s.link.send_or_queue("<c/>", s.now));
  EXPECT_EQ(s.did(), lines{"> <c/>"});
}

TEST(component_queue, is_bounded_by_its_own_limit) {
  auto options = link_script::defaults();
  options.queue_bytes = 1000;
  link_script s(options);
  s.link.start(s.now);
  std::size_t kept = 0;
  while (s.link.send_or_queue(std::string(100, 'x'), s.now)) ++kept;
  EXPECT_EQ(kept, 1000 / (100 + sizeof(std::string)));
  EXPECT_EQ(s.link.stats().queue_refused, 1U);
  EXPECT_LE(s.link.stats().queued_bytes, 1000U);
}

TEST(component_queue, is_bounded_by_the_byte_account) {
  link_script s(link_script::defaults(), 500);
  s.link.start(s.now);
  std::size_t kept = 0;
  while (s.link.send_or_queue(std::string(100, 'x'), s.now)) ++kept;
  EXPECT_EQ(kept, 500 / (100 + sizeof(std::string)));
}

TEST(component_queue, long_queue_goes_out_in_batches_as_the_kernel_takes_them) {
  link_script s;
  s.link.start(s.now);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(s.link.send_or_queue(std::string(1000, 'x'), s.now));
  s.come_up();
  EXPECT_EQ(s.link.stats().queued, 200U - 66U);
  EXPECT_TRUE(s.link.send_or_queue("<last/>", s.now)) << "goes behind the others";
  EXPECT_EQ(s.did(), lines{});
  std::string out;
  for (int i = 0; i < 10 && !s.tokens.empty(); ++i) {
    s.takes_all();
    for (const auto& line : s.did()) out += line.substr(2);
  }
  EXPECT_EQ(out.size(), 134U * 1000U + 7U);
  EXPECT_TRUE(out.ends_with("<last/>"));
  EXPECT_EQ(s.link.stats().queued, 0U);
}

TEST(component_queue, waits_while_the_connection_is_blocked) {
  link_script s;
  s.bring_up();
  s.link.handle(io::blocked{s.conn}, s.now);
  EXPECT_TRUE(s.link.send_or_queue("<a/>", s.now));
  EXPECT_EQ(s.did(), lines{});
  s.link.handle(io::writable{s.conn}, s.now);
  EXPECT_EQ(s.did(), lines{"> <a/>"});
}

TEST(component_queue, survives_a_lost_link) {
  link_script s;
  s.link.start(s.now);
  s.link.send_or_queue("<a/>", s.now);
  s.did();
  s.closed(io::fail::refused);
  s.did();
  s.passes(250ms);
  s.did();
  s.opened();
  s.says(link_script::header());
  s.did();
  s.says("<handshake/>");
  EXPECT_EQ(s.did(), (lines{"> <a/>", "up"}));
}

}  // namespace
