#include "cli/man.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stox::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(man_of, makes_a_page_of_what_help_prints) {
  const auto page = man_of(
      "stoxctl: asks.\n"
      "\n"
      "  stoxctl status            how it stands\n"
      "  stoxctl block WHAT\n"
      "                            refuses an address,\n"
      "                            or a domain\n"
      "  stoxctl version\n"
      "\n"
      "One sentence goes\n"
      "on here.\n"
      "Another.\n"
      "\n"
      "Exit code: 0 done; 1 no answer, or\n"
      "a bad one; 2 bad usage.\n");
  EXPECT_THAT(
      page, HasSubstr(".SH SYNOPSIS\n.PP\n.nf\nstoxctl status\nstoxctl block WHAT\nstoxctl version\n.fi\n"));
  EXPECT_THAT(page, HasSubstr(".SH COMMANDS\n.TP\n\\fBstoxctl status\\fR\nhow it stands\n"
                              ".TP\n\\fBstoxctl block WHAT\\fR\nrefuses an address, or a domain\n.SH"));
  EXPECT_THAT(page, HasSubstr(".PP\nOne sentence goes on here.\n.PP\nAnother.\n"));
  EXPECT_THAT(page,
              HasSubstr(".SH EXIT STATUS\n.TP\n\\fB0\\fR\ndone.\n.TP\n\\fB1\\fR\nno answer, or a bad one.\n"
                        ".TP\n\\fB2\\fR\nbad usage.\n"));
  EXPECT_THAT(man_of("stoxctl: asks.\n\n  stoxctl version\n"), Not(HasSubstr("COMMANDS")));
}

}  // namespace
}  // namespace stox::cli
