#pragma once

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace stox::test {

using pieces = std::vector<std::string_view>;

/// Calls `run(pieces)` with the text whole, split in two at every byte, and byte by byte. How the text came
/// must not matter: every run has to give what the whole text gave. Returns that, for the caller to check.
/// The result needs == and printing.
template <class Run>
auto parsegrind(std::string_view text, Run run) {
  const auto whole = run(pieces{text});
  for (std::size_t at = 1; at < text.size(); ++at) {
    const auto split = run(pieces{text.substr(0, at), text.substr(at)});
    EXPECT_EQ(split, whole) << "split at byte " << at << " of " << text.size();
    if (!(split == whole)) return whole;  // one report is enough
  }
  pieces bytes;
  for (std::size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
  EXPECT_EQ(run(bytes), whole) << "byte by byte";
  return whole;
}

}  // namespace stox::test
