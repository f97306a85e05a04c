#pragma once

#include <string>
#include <utility>

namespace stox {

/// Text that must not reach a log or a trace by accident: message bodies, passwords, a peer's free words.
/// Printing it gives only its size; whoever needs the text says so with `reveal()`.
class redacted {
 public:
  redacted() = default;
  explicit redacted(std::string text) : text_(std::move(text)) {}

  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  std::string shown() const { return "[" + std::to_string(text_.size()) + " bytes]"; }

  friend bool operator==(const redacted&, const redacted&) = default;

 private:
  std::string text_;
};

}  // namespace stox
