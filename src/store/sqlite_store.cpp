#include "store/sqlite_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "store/errc.hpp"
#include "store/schema.hpp"
#include "store/sqlite.hpp"

namespace stox::store {
namespace {

constexpr const char* run_state = "run";  // meta: "open" while a daemon runs, "clean" after an orderly end

std::int64_t seconds(wall_time t) {
  return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
}

bool bind(sqlite3_stmt* s, int at, const std::string& text) {
  return sqlite3_bind_text(s, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC) == SQLITE_OK;
}

bool set_meta(sqlite3* db, const char* key, const char* value) {
  const auto s =
      prepare(db, "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
  return s && bind(s.get(), 1, key) && bind(s.get(), 2, value) && sqlite3_step(s.get()) == SQLITE_DONE;
}

std::string text_of(sqlite3_stmt* s, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(s, column));
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(s, column))};
}

std::string get_meta(sqlite3* db, const char* key) {
  const auto s = prepare(db, "SELECT value FROM meta WHERE key = ?1");
  if (!s || !bind(s.get(), 1, key) || sqlite3_step(s.get()) != SQLITE_ROW) return {};
  return text_of(s.get(), 0);
}

std::vector<incident> select(sqlite3* db, const incident_query& q) {
  std::vector<incident> out;
  const auto s =
      prepare(db,
              "SELECT at, domain, expiry, engine, kind, detail FROM incident WHERE at >= ?1 ORDER BY id "
              "DESC LIMIT ?2");
  if (!s) return out;
  sqlite3_bind_int64(s.get(), 1, seconds(q.since));
  sqlite3_bind_int64(s.get(), 2, q.limit);
  const auto time = [&](int column) {
    return wall_time(std::chrono::seconds(sqlite3_column_int64(s.get(), column)));
  };
  while (sqlite3_step(s.get()) == SQLITE_ROW) {
    out.push_back({time(0), text_of(s.get(), 1), time(2),
                   static_cast<unsigned>(sqlite3_column_int(s.get(), 3)), text_of(s.get(), 4),
                   text_of(s.get(), 5)});
  }
  std::reverse(out.begin(), out.end());
  return out;
}

bool insert(sqlite3_stmt* s, const incident& i) {
  sqlite3_reset(s);
  sqlite3_bind_int64(s, 1, seconds(i.at));
  sqlite3_bind_int64(s, 3, seconds(i.expiry));
  sqlite3_bind_int64(s, 4, i.engine);
  return bind(s, 2, i.domain) && bind(s, 5, i.kind) && bind(s, 6, i.detail) && sqlite3_step(s) == SQLITE_DONE;
}

void prune(sqlite3* db) {
  const auto old = prepare(db, "DELETE FROM incident WHERE expiry < ?1");
  if (old) {
    sqlite3_bind_int64(old.get(), 1, seconds(std::chrono::system_clock::now()));
    sqlite3_step(old.get());
  }
  const auto many = prepare(db, "DELETE FROM incident WHERE id <= (SELECT max(id) FROM incident) - ?1");
  if (many) {
    sqlite3_bind_int64(many.get(), 1, sqlite_store::rows_limit);
    sqlite3_step(many.get());
  }
}

/// A descriptor with its owner.
class descriptor {
 public:
  explicit descriptor(int fd = -1) : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Makes the file private: SQLite would make it with the process's umask, and gives its -wal and -shm files
// the mode of the main one. The lock is flock's, which does not touch SQLite's own (fcntl); it must be closed
// after the database, since closing any descriptor of a file gives up the process's fcntl locks on it.
result<descriptor> lock_file(const std::string& path) {
  descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0) return error{errc::cannot_open, path + ": " + std::strerror(errno)};
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return error{errc::in_use, path + ": another stoxd has it open"};
    return error{errc::cannot_open, path + ": lock: " + std::strerror(errno)};
  }
  // An older file may be open to others; one that is not ours stays as its owner wants it.
  struct stat about {};
  if (::fstat(file.get(), &about) == 0 && (about.st_mode & 0077) != 0) ::fchmod(file.get(), 0600);
  return file;
}

result<database> open_file(const std::string& path) {
  sqlite3* raw = nullptr;
  const int status = sqlite3_open_v2(
      path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database db(raw);
  if (status != SQLITE_OK) return error{errc::cannot_open, path + ": " + sqlite3_errstr(status)};
  sqlite3_busy_timeout(db.get(), 5000);
  // WAL with NORMAL: a power cut may lose the last transactions, never the file.
  if (!execute(db.get(),
               "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF")) {
    return error{errc::cannot_open, path + ": " + sqlite3_errmsg(db.get())};
  }
  return db;
}

}  // namespace

struct sqlite_store::impl {
  struct question {
    incident_query query;
    std::function<void(std::vector<incident>)> found;
  };
  void run();
  void write(const std::deque<incident>& batch);

  descriptor lock;  // outlives the database
  database db;
  bool unclean = false;
  std::function<void()> health_changed;
  std::thread worker;
  mutable std::mutex guard;  // for what follows
  std::condition_variable wake;
  std::deque<incident> queue;
  std::deque<question> questions;
  store_counters counts;
  store_health state;
  bool ending = false;
};

void sqlite_store::impl::run() {
  std::unique_lock held(guard);
  for (;;) {
    wake.wait(held, [this] { return ending || !queue.empty() || !questions.empty(); });
    if (queue.empty() && questions.empty()) return;
    std::deque<incident> batch;
    batch.swap(queue);
    std::deque<question> asked;
    asked.swap(questions);
    held.unlock();
    if (!batch.empty()) write(batch);
    for (const auto& q : asked) q.found(select(db.get(), q.query));
    held.lock();
  }
}

// A batch is one transaction: all of it or nothing.
void sqlite_store::impl::write(const std::deque<incident>& batch) {
  bool good = execute(db.get(), "BEGIN IMMEDIATE");
  if (good) {
    const auto s = prepare(
        db.get(),
        "INSERT INTO incident (at, domain, expiry, engine, kind, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    good = s != nullptr;
    for (const auto& i : batch) good = good && insert(s.get(), i);
    if (good) prune(db.get());
  }
  good = good && execute(db.get(), "COMMIT");
  std::string why = good ? "" : sqlite3_errmsg(db.get());
  if (!good) execute(db.get(), "ROLLBACK");
  bool changed = false;
  {
    const std::lock_guard held(guard);
    (good ? counts.written : counts.failed) += batch.size();
    changed = state.writes != good;
    if (changed) state = {good, std::move(why)};
  }
  if (changed && health_changed) health_changed();
}

sqlite_store::sqlite_store(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
sqlite_store::~sqlite_store() { close(false); }

result<std::unique_ptr<sqlite_store>> sqlite_store::open(const std::string& path,
                                                         std::function<void()> health_changed) {
  descriptor lock;
  if (path != ":memory:") {
    auto locked = lock_file(path);
    if (!locked) return locked.error();
    lock = std::move(*locked);
  }
  auto db = open_file(path);
  if (!db) return db.error();
  const auto migrated = migrate(db->get(), path, schema_steps());
  if (!migrated) return migrated.error();
  auto i = std::make_unique<impl>();
  i->lock = std::move(lock);
  i->db = std::move(*db);
  i->health_changed = std::move(health_changed);
  i->unclean = get_meta(i->db.get(), run_state) == "open";
  if (!set_meta(i->db.get(), run_state, "open")) {
    return error{errc::cannot_open, path + ": " + sqlite3_errmsg(i->db.get())};
  }
  prune(i->db.get());
  auto* const worker_of = i.get();
  i->worker = std::thread([worker_of] { worker_of->run(); });
  return std::unique_ptr<sqlite_store>(new sqlite_store(std::move(i)));
}

bool sqlite_store::found_unclean() const { return impl_->unclean; }

void sqlite_store::add(incident i) {
  {
    const std::lock_guard held(impl_->guard);
    if (impl_->ending || impl_->queue.size() >= queue_limit) {
      ++impl_->counts.dropped;
      return;
    }
    impl_->queue.push_back(std::move(i));
  }
  impl_->wake.notify_one();
}

void sqlite_store::find(incident_query q, std::function<void(std::vector<incident>)> found) {
  {
    const std::lock_guard held(impl_->guard);
    if (!impl_->ending) {
      impl_->questions.push_back({q, std::move(found)});
      impl_->wake.notify_one();
      return;
    }
  }
  found({});
}

void sqlite_store::close(bool clean) {
  {
    const std::lock_guard held(impl_->guard);
    impl_->ending = true;
  }
  impl_->wake.notify_one();
  if (!impl_->worker.joinable()) return;
  impl_->worker.join();
  if (clean) set_meta(impl_->db.get(), run_state, "clean");
  impl_->db.reset();
  impl_->lock = descriptor();
}

store_counters sqlite_store::counters() const {
  const std::lock_guard held(impl_->guard);
  return impl_->counts;
}

store_health sqlite_store::health() const {
  const std::lock_guard held(impl_->guard);
  return impl_->state;
}

}  // namespace stox::store
