#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "daemon/log_line.hpp"
#include "daemon/logger.hpp"

namespace stox::daemon {
namespace {

using testing::MatchesRegex;

std::string one(std::string value) { return log_line({log_level::info, "e", {}, {{"k", std::move(value)}}}); }

TEST(log_line, joins_event_conversation_and_fields) {
  const log_record r{log_level::info,
                     "message.to_sip.delivered",
                     "c-17",
                     {{"call_id", "abc@gw"}, {"status", "200"}, {"why", "two words"}}};
  EXPECT_EQ(log_line(r), "message.to_sip.delivered conv=c-17 call_id=abc@gw status=200 why=\"two words\"");
  EXPECT_EQ(log_line({log_level::info, "daemon.stopping", {}, {}}), "daemon.stopping");
}

TEST(log_line, lets_no_peer_begin_a_line_or_a_field) {
  EXPECT_EQ(one("x\n2026-01-01T00:00:00.000Z error forged"),
            "e k=\"x\\n2026-01-01T00:00:00.000Z error forged\"");
  EXPECT_EQ(one("x\r\n"), "e k=\"x\\r\\n\"");
  EXPECT_EQ(one("x status=200"), "e k=\"x status=200\"");
  EXPECT_EQ(one("x\" status=\"200"), "e k=\"x\\\" status=\\\"200\"");
  EXPECT_EQ(one("a=b"), "e k=\"a=b\"");
  EXPECT_EQ(one("back\\slash"), "e k=\"back\\\\slash\"");
  EXPECT_EQ(one(""), "e k=\"\"");
}

TEST(log_line, escapes_what_a_terminal_obeys) {
  EXPECT_EQ(one("\x1B[2J"), "e k=\"\\x1b[2J\"");
  EXPECT_EQ(one(std::string("nul\0", 4)), "e k=\"nul\\x00\"");
  EXPECT_EQ(one("\x7F"), "e k=\"\\x7f\"");
  EXPECT_EQ(one("\xC2\x9B"
                "2J"),
            "e k=\"\\xc2\\x9b2J\"");  // CSI as one C1 control
  EXPECT_EQ(one("\xE2\x80\xAE"
                "evil"),
            "e k=\"\\xe2\\x80\\xaeevil\"");                   // right-to-left override
  EXPECT_EQ(one("\xE2\x80\xA8"), "e k=\"\\xe2\\x80\\xa8\"");  // line separator
  EXPECT_EQ(one("\xEF\xBB\xBF"), "e k=\"\\xef\\xbb\\xbf\"");
}

TEST(log_line, escapes_every_character_that_turns_the_direction) {
  for (const std::string mark : {"\u061C", "\u200E", "\u200F", "\u202A", "\u202B", "\u202C", "\u202D",
                                 "\u202E", "\u2066", "\u2067", "\u2068", "\u2069"}) {
    const auto line = one("a" + mark + "b");
    EXPECT_THAT(line, MatchesRegex("e k=\"a(\\\\x[0-9a-f][0-9a-f])+b\"")) << testing::PrintToString(mark);
  }
  EXPECT_EQ(one("\u061B"), "e k=\"\u061B\"");  // the Arabic semicolon is a letter like others
}

TEST(log_line, shows_well_formed_utf8_and_escapes_the_rest) {
  EXPECT_EQ(one("j\xC3\xBCrgen"), "e k=\"j\xC3\xBCrgen\"");
  EXPECT_EQ(one("\xF0\x9F\x98\x80"), "e k=\"\xF0\x9F\x98\x80\"");
  EXPECT_EQ(one("\xFF\xC3"), "e k=\"\\xff\\xc3\"");
}

TEST(log_line, cuts_long_values_and_says_so) {
  EXPECT_EQ(one(std::string(max_value_bytes, 'x')), "e k=" + std::string(max_value_bytes, 'x'));
  EXPECT_EQ(one(std::string(max_value_bytes + 1, 'x')), "e k=" + std::string(max_value_bytes, 'x') + "...");
}

class logger_on_pipe : public testing::Test {
 protected:
  logger_on_pipe() { EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0); }
  ~logger_on_pipe() override {
    close(ends[0]);
    close(ends[1]);
  }
  std::string written() const {
    char buffer[65536];
    const auto n = read(ends[0], buffer, sizeof buffer);
    return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
  }
  int ends[2] = {-1, -1};
};

TEST_F(logger_on_pipe, writes_time_level_and_line_at_flush) {
  logger log(ends[1]);
  log.write({log_level::warning, "link.down", {}, {{"why", "100% {} gone"}}});
  EXPECT_EQ(written(), "");
  log.flush();
  EXPECT_THAT(
      written(),
      MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z warning link\\.down why=\"100% \\{\\} "
                   "gone\"\n"));
}

TEST_F(logger_on_pipe, keeps_to_its_level) {
  logger log(ends[1], log_level::warning);
  log.write({log_level::info, "quiet", {}, {}});
  log.flush();
  EXPECT_EQ(written(), "");
  log.set_level(log_level::debug);
  log.write({log_level::debug, "loud", {}, {}});
  log.flush();
  EXPECT_THAT(written(), MatchesRegex(".* debug loud\n"));
}

TEST_F(logger_on_pipe, goes_on_when_nobody_reads) {
  logger log(ends[1]);
  const std::string wide(1000, 'x');
  for (int i = 0; i < 200; ++i) log.write({log_level::info, "e", {}, {{"k", wide}}});
  log.flush();  // 200 kB do not fit into a pipe of 64
  const auto got = written();
  EXPECT_EQ(got.size(), 65536u);
  // A line that was cut counts as lost.
  EXPECT_EQ(log.lost(), 200u - static_cast<unsigned>(std::count(got.begin(), got.end(), '\n')));
}

}  // namespace
}  // namespace stox::daemon
