#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/sandbox.hpp"
#include "gateway/typing_places.hpp"

/// How many people one sender may be told to type to.
namespace stox::engine {
namespace {

double dropped(sandbox& box, std::string_view cause) {
  for (const auto& s : box.core().samples())
    if (s.name == "typing_notices_dropped_total" && s.labels.at(0).second == cause) return s.value;
  return -1;
}

TEST(typing, of_one_sender_goes_to_few_until_he_stops) {
  constexpr auto most = gateway::typing_places::most_of_sender;
  sandbox box{sandbox::sample_settings()};
  std::vector<stored_row> rows;
  const auto now = box.now().wall;
  for (std::size_t i = 0; i <= most; ++i) {
    rows.push_back(capability_row{"sip:u" + std::to_string(i) + "@sip.example", "is_composing", "yes",
                                  "received", now, "sip.example", 0, now + std::chrono::hours(24)});
  }
  box.handle(restored{std::move(rows)});
  const auto says = [&](const std::string& who, std::size_t n, const std::string& state) {
    box.xmpp("<message from='" + who + "@xmpp.example/desk' to='u" + std::to_string(n) +
             "@sip.example' type='chat'><" + state +
             " xmlns='http://jabber.org/protocol/chatstates'/></message>");
    std::size_t sent = 0;
    for (const auto& o : box.take()) sent += o.where == sandbox::output::side::sip ? 1 : 0;
    return sent;
  };
  for (std::size_t i = 0; i < most; ++i) ASSERT_EQ(says("eve", i, "composing"), 1u) << i;
  EXPECT_EQ(says("eve", most, "composing"), 0u);
  EXPECT_EQ(dropped(box, "sender_full"), 1);
  EXPECT_EQ(says("ana", most, "composing"), 1u);
  // Nobody answers: their transactions time out.
  box.advance(std::chrono::seconds(40));
  box.take();
  EXPECT_EQ(dropped(box, "failed"), most + 1);
  EXPECT_EQ(says("eve", most, "composing"), 1u);
}

}  // namespace
}  // namespace stox::engine
