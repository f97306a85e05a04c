#include "store/store_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "store/errc.hpp"
#include "store/schema.hpp"

namespace stox::store {

namespace {

std::string running_mark(const std::string& path) { return path + ".running"; }

// A path that cannot be right is the configuration's mistake; anything else is the disk's trouble.
errc why_not(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG: return errc::cannot_open;
    default: return errc::unusable;
  }
}

// PRAGMA quick_check: "ok", or what is wrong first. Bounded by rows_limit it takes a fraction of a second.
result<> look_through(sqlite3* db, const std::string& path) {
  const auto s = prepare(db, "PRAGMA quick_check(1)");
  if (!s || sqlite3_step(s.get()) != SQLITE_ROW) return database_error(db, errc::unusable, path, "checking");
  const std::string found = reinterpret_cast<const char*>(sqlite3_column_text(s.get(), 0));
  if (found != "ok") return error{errc::broken, path + ": " + found};
  return {};
}

}  // namespace

descriptor::~descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

// SQLite would make the file with the process's umask, and gives its -wal and -shm files the mode of the main
// one. The lock is flock's, which does not touch SQLite's own (fcntl); it must be closed after the database,
// since closing any descriptor of a file gives up the process's fcntl locks on it.
result<descriptor> lock_file(const std::string& path) {
  descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0) return error{why_not(errno), path + ": " + std::strerror(errno)};
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return error{errc::in_use, path + ": another stoxd has it open"};
    return error{errc::unusable, path + ": lock: " + std::strerror(errno)};
  }
  // An older file may be open to others; one that is not ours stays as its owner wants it.
  struct stat about {};
  if (::fstat(file.get(), &about) == 0 && (about.st_mode & 0077) != 0) ::fchmod(file.get(), 0600);
  return file;
}

result<database> open_database(const std::string& path) {
  sqlite3* raw = nullptr;
  const int status = sqlite3_open_v2(
      path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database db(raw);
  if (status != SQLITE_OK) return error{errc::unusable, path + ": " + sqlite3_errstr(status)};
  sqlite3_busy_timeout(db.get(), 5000);
  // WAL with NORMAL: a power cut may lose the last transactions, never the file.
  if (!execute(db.get(),
               "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF")) {
    return database_error(db.get(), errc::unusable, path, "opening");
  }
  if (const auto whole = look_through(db.get(), path); !whole) return whole.error();
  if (const auto migrated = migrate(db.get(), path, schema_steps()); !migrated) return migrated.error();
  return db;
}

result<std::string> move_aside(const std::string& path) {
  const auto now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, ".broken-%Y%m%dT%H%M%SZ", &utc);
  const auto target = path + stamp;
  // The log first: left behind, it would be taken for the log of the new file.
  std::rename((path + "-wal").c_str(), (target + "-wal").c_str());
  std::remove((path + "-shm").c_str());
  if (std::rename(path.c_str(), target.c_str()) != 0)
    return error{errc::unusable, path + ": is broken and cannot be moved aside: " + std::strerror(errno)};
  return target;
}

bool marked_as_running(const std::string& path) { return ::access(running_mark(path).c_str(), F_OK) == 0; }

bool mark_as_running(const std::string& path) {
  const descriptor made(::open(running_mark(path).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  return made.get() >= 0;
}

void mark_as_ended(const std::string& path) { std::remove(running_mark(path).c_str()); }

}  // namespace stox::store
