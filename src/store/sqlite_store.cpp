#include "store/sqlite_store.hpp"

#include <fcntl.h>
#include <unistd.h>

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

std::string get_meta(sqlite3* db, const char* key) {
  const auto s = prepare(db, "SELECT value FROM meta WHERE key = ?1");
  if (!s || !bind(s.get(), 1, key) || sqlite3_step(s.get()) != SQLITE_ROW) return {};
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(s.get(), 0));
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(s.get(), 0))};
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

// SQLite would make the file with the process's umask, and gives its -wal and -shm files the mode of the main
// one.
result<> make_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return error{errc::cannot_open, path + ": " + std::strerror(errno)};
  ::close(fd);
  return {};
}

result<database> open_file(const std::string& path) {
  if (path != ":memory:") {
    const auto made = make_private(path);
    if (!made) return made.error();
  }
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
  void run();
  void write(const std::deque<incident>& batch);

  database db;
  bool unclean = false;
  std::thread worker;
  mutable std::mutex guard;  // for what follows
  std::condition_variable wake;
  std::deque<incident> queue;
  store_counters counts;
  bool ending = false;
};

void sqlite_store::impl::run() {
  std::unique_lock lock(guard);
  for (;;) {
    wake.wait(lock, [this] { return ending || !queue.empty(); });
    if (queue.empty()) return;
    std::deque<incident> batch;
    batch.swap(queue);
    lock.unlock();
    write(batch);
    lock.lock();
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
  if (!good) execute(db.get(), "ROLLBACK");
  const std::lock_guard lock(guard);
  (good ? counts.written : counts.failed) += batch.size();
}

sqlite_store::sqlite_store(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
sqlite_store::~sqlite_store() { close(false); }

result<std::unique_ptr<sqlite_store>> sqlite_store::open(const std::string& path) {
  auto db = open_file(path);
  if (!db) return db.error();
  const auto migrated = migrate(db->get(), path, schema_steps());
  if (!migrated) return migrated.error();
  auto i = std::make_unique<impl>();
  i->db = std::move(*db);
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
    const std::lock_guard lock(impl_->guard);
    if (impl_->ending || impl_->queue.size() >= queue_limit) {
      ++impl_->counts.dropped;
      return;
    }
    impl_->queue.push_back(std::move(i));
  }
  impl_->wake.notify_one();
}

void sqlite_store::close(bool clean) {
  {
    const std::lock_guard lock(impl_->guard);
    impl_->ending = true;
  }
  impl_->wake.notify_one();
  if (!impl_->worker.joinable()) return;
  impl_->worker.join();
  if (clean) set_meta(impl_->db.get(), run_state, "clean");
  impl_->db.reset();
}

store_counters sqlite_store::counters() const {
  const std::lock_guard lock(impl_->guard);
  return impl_->counts;
}

}  // namespace stox::store
