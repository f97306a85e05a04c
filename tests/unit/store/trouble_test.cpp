#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <future>

#include "unit/store/store_folder.hpp"

/// A disk and a file that are not as they should be: the daemon is to run on, and to know it.
namespace stox::store {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

/// A file that may not grow is what a full disk looks like from here.
class full_disk {
 public:
  full_disk() : old_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{0, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
  }
  full_disk(const full_disk&) = delete;
  full_disk& operator=(const full_disk&) = delete;
  ~full_disk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, old_);
  }

 private:
  void (*old_)(int);
  rlimit before_{};
};

class trouble : public store_folder {
 protected:
  /// A store as a run of some length left it.
  void write_store(int incidents) const {
    auto store = sqlite_store::open(path);
    ASSERT_TRUE(store);
    for (int i = 0; i < incidents; ++i) (*store)->add(sample("call_id=" + std::to_string(i)));
    (*store)->close(true);
  }
  void overwrite(std::streamoff at, std::size_t bytes) const {
    std::fstream f(path, std::ios::in | std::ios::out | std::ios::binary);
    f.seekp(at) << std::string(bytes, '\xA5');
  }
  std::string the_file_aside() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const auto name = entry.path().string();
      if (name.find(".broken-") != std::string::npos && !name.ends_with("-wal")) return name;
    }
    return {};
  }
  static std::vector<std::string> found(sqlite_store& store) {
    std::promise<std::vector<std::string>> answer;
    store.find({}, [&](const std::vector<incident>& all) {
      std::vector<std::string> details;
      for (const auto& i : all) details.push_back(i.detail);
      answer.set_value(details);
    });
    return answer.get_future().get();
  }
  void expect_a_fresh_store_beside_the_broken_one() const {
    const auto size = std::filesystem::file_size(path);
    auto store = sqlite_store::open(path);
    ASSERT_TRUE(store) << store.error().to_string();
    EXPECT_TRUE((*store)->health().writes);
    const auto aside = the_file_aside();
    ASSERT_THAT(aside, StartsWith(path + ".broken-2"));
    EXPECT_EQ(std::filesystem::file_size(aside), size) << "nothing of it is lost";
    ASSERT_TRUE((*store)->found_broken());
    EXPECT_EQ((*store)->found_broken()->moved_to, aside);
    EXPECT_THAT((*store)->found_broken()->why, StartsWith(path + ": "));
    (*store)->add(sample("new"));
    EXPECT_THAT(found(**store), ElementsAre("new"));
    EXPECT_FALSE(sqlite_store::open(path)) << "the new file is locked";
    (*store)->close(true);
    const auto again = sqlite_store::open(path);
    ASSERT_TRUE(again);
    EXPECT_FALSE((*again)->found_broken());
    EXPECT_EQ(found(**again).size(), 1u);
  }
};

TEST_F(trouble, a_broken_header_is_moved_aside) {
  write_store(3);
  overwrite(0, 100);
  expect_a_fresh_store_beside_the_broken_one();
}

TEST_F(trouble, a_broken_page_in_the_middle_is_found_at_the_start) {
  write_store(2000);
  ASSERT_GT(std::filesystem::file_size(path), 100'000u);
  overwrite(40960, 4096);
  expect_a_fresh_store_beside_the_broken_one();
}

TEST_F(trouble, a_file_that_was_cut_off_is_moved_aside) {
  write_store(2000);
  std::filesystem::resize_file(path, 50'000);
  expect_a_fresh_store_beside_the_broken_one();
}

TEST_F(trouble, a_text_in_the_files_place_is_moved_aside) {
  std::ofstream(path) << "This is no database, and it is long enough for SQLite to look at its header.\n"
                      << std::string(200, 'x');
  expect_a_fresh_store_beside_the_broken_one();
}

TEST_F(trouble, a_broken_file_that_a_crash_left_tells_of_both) {
  write_store(3);
  { ASSERT_TRUE(sqlite_store::open(path)); }
  overwrite(0, 100);
  const auto store = sqlite_store::open(path);
  ASSERT_TRUE(store);
  EXPECT_TRUE((*store)->found_unclean());
  EXPECT_TRUE((*store)->found_broken());
}

TEST_F(trouble, a_disk_that_is_full_at_the_start_leaves_a_store_in_memory) {
  const full_disk full;
  auto store = sqlite_store::open(path);
  ASSERT_TRUE(store) << store.error().to_string();
  const auto health = (*store)->health();
  EXPECT_FALSE(health.writes);
  EXPECT_TRUE(health.in_memory);
  EXPECT_THAT(health.why, StartsWith(path + ": "));
  (*store)->add(sample("only here"));
  EXPECT_THAT(found(**store), ElementsAre("only here"));
  EXPECT_FALSE((*store)->health().writes) << "a row in memory is not a row on the disk";
  EXPECT_FALSE(sqlite_store::open(path)) << "a second daemon is refused all the same";
}

TEST_F(trouble, a_full_disk_at_the_start_harms_no_store_that_is_there) {
  write_store(3);
  {
    const full_disk full;
    const auto store = sqlite_store::open(path);
    ASSERT_TRUE(store);
    (*store)->close(true);
  }
  const auto store = sqlite_store::open(path);
  ASSERT_TRUE(store);
  EXPECT_TRUE((*store)->health().writes);
  EXPECT_EQ(found(**store).size(), 3u);
}

store_report checked(sqlite_store& store) {
  std::promise<store_report> answer;
  store.check([&](store_report r) { answer.set_value(std::move(r)); });
  return answer.get_future().get();
}

TEST_F(trouble, a_full_disk_keeps_no_rows_and_a_check_finds_it_out_and_when_it_is_over) {
  int told = 0;
  auto store = sqlite_store::open(path, [&told] { ++told; });
  ASSERT_TRUE(store);
  {
    const full_disk full;
    const auto report = checked(**store);
    EXPECT_FALSE(report.writes) << "nothing was to be written, so nothing else has noticed";
    EXPECT_THAT(report.why, testing::Not(testing::IsEmpty()));
    EXPECT_FALSE((*store)->health().writes);
    (*store)->save(capability_row{"a@x",
                                  "receipts",
                                  "yes",
                                  "disco",
                                  {},
                                  "",
                                  0,
                                  std::chrono::system_clock::now() + std::chrono::hours(1)});
    EXPECT_TRUE((*store)->load(10).empty());
    EXPECT_EQ((*store)->counters().failed, 1u);
  }
  const auto report = checked(**store);
  EXPECT_TRUE(report.writes);
  EXPECT_EQ(report.why, "");
  EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  EXPECT_TRUE((*store)->health().writes);
  EXPECT_EQ(told, 2);
}

TEST_F(trouble, rows_of_a_store_in_memory_are_there_and_a_check_says_that_they_will_not_last) {
  const full_disk full;
  auto store = sqlite_store::open(path);
  ASSERT_TRUE(store);
  (*store)->save(capability_row{"a@x",
                                "receipts",
                                "yes",
                                "disco",
                                {},
                                "",
                                0,
                                std::chrono::system_clock::now() + std::chrono::hours(1)});
  EXPECT_EQ((*store)->load(10).size(), 1u);
  const auto report = checked(**store);
  EXPECT_FALSE(report.writes);
  EXPECT_THAT(report.why, StartsWith(path + ": "));
  EXPECT_TRUE(report.problems.empty());
}

TEST_F(trouble, a_full_disk_at_the_end_is_no_unclean_end) {
  {
    auto store = sqlite_store::open(path);
    ASSERT_TRUE(store);
    (*store)->add(sample("before"));
    EXPECT_EQ(found(**store).size(), 1u);
    const full_disk full;
    (*store)->add(sample("no room"));
    (*store)->close(true);
    EXPECT_EQ((*store)->counters().failed, 1u);
  }
  const auto store = sqlite_store::open(path);
  ASSERT_TRUE(store);
  EXPECT_FALSE((*store)->found_unclean());
  EXPECT_THAT(found(**store), ElementsAre("before"));
}

/// Everything as it is for a service whose files somebody else made: root may write where nobody may.
class as_nobody {
 public:
  as_nobody() : root_(geteuid() == 0) { become(65534); }
  as_nobody(const as_nobody&) = delete;
  as_nobody& operator=(const as_nobody&) = delete;
  ~as_nobody() { become(0); }

 private:
  void become(uid_t user) const {
    if (root_ && seteuid(user) != 0) ADD_FAILURE() << "seteuid " << user;
  }
  bool root_;
};

TEST_F(trouble, a_file_that_may_only_be_read_leaves_a_store_in_memory) {
  write_store(1);
  ASSERT_EQ(chmod(path.c_str(), 0444), 0);
  ASSERT_EQ(chmod(folder.c_str(), 0555), 0);
  {
    const as_nobody now;
    auto store = sqlite_store::open(path);
    ASSERT_TRUE(store) << store.error().to_string();
    EXPECT_EQ((*store)->health().why, path + ": Permission denied");
    (*store)->add(sample("only here"));
    EXPECT_THAT(found(**store), ElementsAre("only here"));
    (*store)->close(true);
  }
  ASSERT_EQ(chmod(folder.c_str(), 0755), 0);
}

TEST_F(trouble, a_broken_file_in_a_folder_that_may_only_be_read_leaves_a_store_in_memory) {
  write_store(1);
  overwrite(0, 100);
  ASSERT_EQ(chmod(path.c_str(), 0666), 0);
  ASSERT_EQ(chmod(folder.c_str(), 0555), 0);
  {
    const as_nobody now;
    const auto store = sqlite_store::open(path);
    ASSERT_TRUE(store) << store.error().to_string();
    EXPECT_EQ((*store)->health().why, path + ": is broken and cannot be moved aside: Permission denied");
    EXPECT_FALSE((*store)->found_broken());
  }
  ASSERT_EQ(chmod(folder.c_str(), 0755), 0);
}

}  // namespace
}  // namespace stox::store
