#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace stox::daemon {

/// The file of --record: lines are gathered and leave with flush(). Mode 0600, since it tells who spoke with
/// whom.
class trace_file {
 public:
  /// Makes the file, or PATH.1, PATH.2 ... if it exists: it may be the trace of a crash. Empty on failure,
  /// errno says why. Ends at the first flush() with `limit` bytes or more, so that no batch is cut.
  static std::unique_ptr<trace_file> create(const std::string& path, std::uint64_t limit);
  void line(std::string_view text);
  void flush();
  const std::string& path() const { return path_; }
  /// A write failed (a full disk, say) and nothing more is written.
  bool broken() const { return broken_; }
  /// The limit is reached, the last line says so, and nothing more is written.
  bool full() const { return full_; }

 private:
  struct closer {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  trace_file(std::FILE* f, std::string path, std::uint64_t limit)
      : file_(f), path_(std::move(path)), limit_(limit) {}

  std::unique_ptr<std::FILE, closer> file_;
  std::string path_;
  std::uint64_t limit_, size_ = 0;
  bool broken_ = false;
  bool full_ = false;
};

}  // namespace stox::daemon
