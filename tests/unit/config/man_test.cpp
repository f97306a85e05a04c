#include "config/man_page.hpp"

#include <gtest/gtest.h>

#include "config/config.hpp"

namespace stox::config {
namespace {

TEST(man_page, escapes_what_roff_would_read_as_markup) {
  man_page page("x", 1, "what");
  const auto head = page.text().size();
  page.paragraph(".hidden \\fB it's --log-level");
  page.item("--flag", "'a");
  page.lines("one\n.two");
  EXPECT_EQ(page.text().substr(head),
            ".PP\n\\&.hidden \\efB it\\(aqs \\-\\-log\\-level\n"
            ".TP\n\\fB\\-\\-flag\\fR\n\\(aqa\n"
            ".PP\n.nf\none\n\\&.two\n.fi\n");
}

TEST(man_page, of_another_name_is_refused_with_the_names_there_are) {
  const auto r = load({"--print-man", "stoxctl"}, [](std::string_view) { return std::nullopt; });
  ASSERT_FALSE(r.has_value());
  EXPECT_EQ(r.error().front(), "--print-man: there are the pages stoxd and stox.toml");
}

}  // namespace
}  // namespace stox::config
