#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace stox::daemon {

/// The file of --record: lines are gathered and leave with flush(). Mode 0600, since it tells who spoke with
/// whom.
class trace_file {
 public:
  /// Makes or truncates the file; empty on failure, errno says why.
  static std::unique_ptr<trace_file> create(const std::string& path);
  void line(std::string_view text);
  void flush();
  /// A write failed (a full disk, say) and nothing more is written.
  bool broken() const { return broken_; }

 private:
  struct closer {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  explicit trace_file(std::FILE* f) : file_(f) {}
  std::unique_ptr<std::FILE, closer> file_;
  bool broken_ = false;
};

}  // namespace stox::daemon
