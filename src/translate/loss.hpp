#pragma once

#include <string>
#include <vector>

namespace stox::translate {

/// One piece of a message that could not be carried: what ("message/active", "sip Priority") and why. Listed
/// in docs/losses.md.
struct loss {
  std::string what;
  std::string why;
  friend bool operator==(const loss&, const loss&) = default;
};

/// What a translator gives: the value and, honestly, what is not in it.
template <class T>
struct translated {
  T value;
  std::vector<loss> losses;
};

}  // namespace stox::translate
