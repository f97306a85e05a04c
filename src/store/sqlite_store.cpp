#include "store/sqlite_store.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "store/errc.hpp"
#include "store/sqlite.hpp"
#include "store/store_file.hpp"

namespace stox::store {
namespace {

constexpr const char* nowhere = ":memory:";

std::int64_t seconds(wall_time t) {
  return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
}

bool bind(sqlite3_stmt* s, int at, const std::string& text) {
  return sqlite3_bind_text(s, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC) == SQLITE_OK;
}

std::string text_of(sqlite3_stmt* s, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(s, column));
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(s, column))};
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

}  // namespace

struct sqlite_store::impl {
  struct question {
    incident_query query;
    std::function<void(std::vector<incident>)> found;
  };
  void run();
  void write(const std::deque<incident>& batch);

  result<> open(const std::string& wanted);
  result<> open_file();
  result<> open_memory();

  std::string path;  // empty: in memory because store.path says so
  descriptor lock;   // outlives the database
  database db;
  bool unclean = false;
  bool lasting = true;  // false: the file cannot be used, so nothing is kept beyond the process
  std::optional<broken_file> aside;
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
    changed = lasting && state.writes != good;
    if (changed) state = {good, false, std::move(why)};
  }
  if (changed && health_changed) health_changed();
}

result<> sqlite_store::impl::open(const std::string& wanted) {
  if (wanted == nowhere) return open_memory();
  path = wanted;
  auto opened = open_file();
  if (opened) return opened;
  const auto& why = opened.error();
  // The gateway's work is messages: it does not stand still because what it would note cannot be kept.
  if (why.code != errc::unusable && why.code != errc::migration_failed) {
    if (lock.get() >= 0 && !unclean) mark_as_ended(path);
    return opened;
  }
  lasting = false;
  state = {false, true, why.detail};
  return open_memory();
}

result<> sqlite_store::impl::open_file() {
  auto locked = lock_file(path);
  if (!locked) return locked.error();
  lock = std::move(*locked);
  unclean = marked_as_running(path);
  const bool marked = mark_as_running(path);
  auto opened = open_database(path);
  if (!opened && opened.error().code == errc::broken) {
    const auto moved = move_aside(path);
    if (!moved) return moved.error();
    aside = {*moved, opened.error().detail};
    auto fresh = lock_file(path);
    if (!fresh) return fresh.error();
    lock = std::move(*fresh);
    opened = open_database(path);
  }
  if (!opened) return opened.error();
  if (!marked) return error{errc::unusable, path + ".running: cannot be made"};
  db = std::move(*opened);
  return {};
}

result<> sqlite_store::impl::open_memory() {
  auto opened = open_database(nowhere);
  if (!opened) return opened.error();
  db = std::move(*opened);
  return {};
}

sqlite_store::sqlite_store(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
sqlite_store::~sqlite_store() { close(false); }

result<std::unique_ptr<sqlite_store>> sqlite_store::open(const std::string& path,
                                                         std::function<void()> health_changed) {
  auto i = std::make_unique<impl>();
  if (const auto opened = i->open(path); !opened) return opened.error();
  i->health_changed = std::move(health_changed);
  prune(i->db.get());
  auto* const worker_of = i.get();
  i->worker = std::thread([worker_of] { worker_of->run(); });
  return std::unique_ptr<sqlite_store>(new sqlite_store(std::move(i)));
}

bool sqlite_store::found_unclean() const { return impl_->unclean; }
std::optional<broken_file> sqlite_store::found_broken() const { return impl_->aside; }

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
  impl_->db.reset();
  if (clean && impl_->lock.get() >= 0) mark_as_ended(impl_->path);
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
