#include "daemon/trace_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace stox::daemon {
namespace {

constexpr std::uint64_t large = 1'000'000;

class trace : public testing::Test {
 protected:
  trace() {
    char name[] = "/tmp/stox-trace-XXXXXX";
    folder = ::mkdtemp(name);
    path = folder + "/trace";
  }
  ~trace() override { std::filesystem::remove_all(folder); }
  static std::string text(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string folder, path;
};

TEST_F(trace, is_private_and_leaves_with_flush) {
  const auto file = trace_file::create(path, large);
  ASSERT_TRUE(file);
  file->line("one");
  EXPECT_EQ(text(path), "");
  file->flush();
  EXPECT_EQ(text(path), "one\n");
  struct stat s {};
  ASSERT_EQ(::stat(path.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
}

TEST_F(trace, never_takes_the_place_of_an_earlier_one) {
  for (const auto* name : {"trace", "trace.1", "trace.2"}) {
    const auto file = trace_file::create(path, large);
    ASSERT_TRUE(file);
    EXPECT_EQ(file->path(), folder + "/" + name);
    file->line(name);
    file->flush();
  }
  EXPECT_EQ(text(path), "trace\n");
  EXPECT_EQ(text(path + ".2"), "trace.2\n");
}

TEST_F(trace, of_a_daemon_that_always_crashes_ends_after_a_hundred) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(trace_file::create(path, large));
  EXPECT_FALSE(trace_file::create(path, large));
  EXPECT_EQ(errno, EEXIST);
}

TEST_F(trace, ends_after_the_batch_that_reaches_the_limit_and_says_so) {
  const auto file = trace_file::create(path, 10);
  ASSERT_TRUE(file);
  file->line("12345678");
  file->flush();
  EXPECT_FALSE(file->full());
  file->line("a");
  file->line("the batch is not cut");
  file->flush();
  EXPECT_TRUE(file->full());
  file->line("late");
  file->flush();
  EXPECT_EQ(
      text(path),
      "12345678\na\nthe batch is not cut\n# the trace ends here: it has reached its limit of 10 bytes\n");
  EXPECT_FALSE(file->broken());
}

TEST_F(trace, in_a_missing_folder_cannot_be_had) {
  EXPECT_FALSE(trace_file::create(folder + "/missing/trace", large));
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace stox::daemon
