#pragma once

#include <string>
#include <utility>

#include "base/error.hpp"
#include "store/sqlite.hpp"

/// The database file and what lies beside it. For this room only.
namespace stox::store {

/// A descriptor with its owner.
class descriptor {
 public:
  explicit descriptor(int fd = -1) : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor();
  int get() const { return fd_; }

 private:
  int fd_;
};

/// Makes the file private, and ours as long as the descriptor is open. It must be closed after the database.
result<descriptor> lock_file(const std::string& path);

/// Opens it in WAL mode, looks through all of it, and brings it to the schema of this build.
result<database> open_database(const std::string& path);

/// Renames a broken file and its log to PATH.broken-TIME and PATH.broken-TIME-wal; the first of them.
result<std::string> move_aside(const std::string& path);

/// The mark of a run that has not ended: the file PATH.running. It is a file, not a row, because a file can
/// be removed on a full disk.
bool marked_as_running(const std::string& path);
bool mark_as_running(const std::string& path);
void mark_as_ended(const std::string& path);

}  // namespace stox::store
