#include "store/sqlite_store.hpp"

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "store/errc.hpp"
#include "store/settled_clock.hpp"
#include "store/sqlite.hpp"
#include "store/store_check.hpp"
#include "store/store_file.hpp"
#include "store/tables.hpp"

namespace stox::store {
namespace {

constexpr const char* nowhere = ":memory:";

constexpr auto sweep_every = std::chrono::minutes(10);
constexpr std::size_t trim_every = 1000;  ///< changes: to find the oldest rows takes a walk through the table

}  // namespace

struct sqlite_store::impl {
  explicit impl(std::function<instant()> c) : clock(std::move(c)), settled(clock()) {}

  void run();
  void write(const std::deque<change>& batch);
  void put(change c, std::size_t limit);
  bool ask(std::function<void()> question);
  void tell_health(bool good, std::string why);
  store_report check();

  result<> open(const std::string& wanted);
  result<> open_file();
  result<> open_memory();

  const std::function<instant()> clock;
  settled_clock settled;  // the worker's
  std::string path;       // empty: in memory because store.path says so
  descriptor lock;        // outlives the database
  database db;
  bool unclean = false;
  bool lasting = true;  // false: the file cannot be used, so nothing is kept beyond the process
  std::optional<broken_file> aside;
  std::function<void()> health_changed;
  std::thread worker;
  mutable std::mutex guard;  // for what follows
  std::condition_variable wake;
  std::deque<change> queue;
  std::deque<std::function<void()>> questions;  // run on the store's thread, after what came before them
  store_counters counts;
  store_health state;
  bool ending = false;
  std::size_t untrimmed = 0;  // changes since the last trim; the worker's
};

void sqlite_store::impl::run() {
  std::unique_lock held(guard);
  for (;;) {
    const bool work =
        wake.wait_for(held, sweep_every, [this] { return ending || !queue.empty() || !questions.empty(); });
    if (work && queue.empty() && questions.empty()) return;
    std::deque<change> batch;
    batch.swap(queue);
    std::deque<std::function<void()>> asked;
    asked.swap(questions);
    held.unlock();
    if (!batch.empty() || !work) write(batch);
    for (const auto& question : asked) question();
    held.lock();
  }
}

// A batch is one transaction: all of it or nothing.
void sqlite_store::impl::write(const std::deque<change>& batch) {
  untrimmed += batch.size();
  const bool full = untrimmed >= trim_every;
  bool good = execute(db.get(), "BEGIN IMMEDIATE");
  std::string why = good ? write_changes(db.get(), batch) : "";
  const auto now = clock();
  const bool sweeps = settled.may_be_believed(now);
  good = good && why.empty() && (!sweeps || sweep(db.get(), now.wall)) && (!full || trim(db.get())) &&
         execute(db.get(), "COMMIT");
  if (good && full) untrimmed = 0;
  if (!good && why.empty()) why = sqlite3_errmsg(db.get());
  if (!good) execute(db.get(), "ROLLBACK");
  {
    const std::lock_guard held(guard);
    (good ? counts.written : counts.failed) += batch.size();
  }
  tell_health(good, std::move(why));
}

void sqlite_store::impl::tell_health(bool good, std::string why) {
  bool changed = false;
  {
    const std::lock_guard held(guard);
    changed = lasting && state.writes != good;
    if (changed) state = {good, false, std::move(why)};
  }
  if (changed && health_changed) health_changed();
}

store_report sqlite_store::impl::check() {
  const bool good = can_write(db.get());
  std::string why = good ? "" : sqlite3_errmsg(db.get());
  if (!good) execute(db.get(), "ROLLBACK");
  tell_health(good, std::move(why));
  auto out = check_file(lasting ? path : std::string(), db.get(), clock().wall);
  const std::lock_guard held(guard);
  out.writes = state.writes;
  out.why = state.why;
  return out;
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

instant sqlite_store::read_clocks() {
  return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()};
}

sqlite_store::sqlite_store(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
sqlite_store::~sqlite_store() { close(false); }

result<std::unique_ptr<sqlite_store>> sqlite_store::open(const std::string& path,
                                                         std::function<void()> health_changed,
                                                         std::function<instant()> clock) {
  auto i = std::make_unique<impl>(std::move(clock));
  if (const auto opened = i->open(path); !opened) return opened.error();
  i->health_changed = std::move(health_changed);
  trim(i->db.get());
  auto* const worker_of = i.get();
  i->worker = std::thread([worker_of] { worker_of->run(); });
  return std::unique_ptr<sqlite_store>(new sqlite_store(std::move(i)));
}

bool sqlite_store::found_unclean() const { return impl_->unclean; }
std::optional<broken_file> sqlite_store::found_broken() const { return impl_->aside; }

void sqlite_store::impl::put(change c, std::size_t limit) {
  {
    const std::lock_guard held(guard);
    if (ending || queue.size() >= limit) {
      ++counts.dropped;
      return;
    }
    queue.push_back(std::move(c));
  }
  wake.notify_one();
}

bool sqlite_store::impl::ask(std::function<void()> question) {
  {
    const std::lock_guard held(guard);
    if (ending) return false;
    questions.push_back(std::move(question));
  }
  wake.notify_one();
  return true;
}

void sqlite_store::add(incident i) { impl_->put(std::move(i), queue_limit); }
void sqlite_store::save(stored_row row) { impl_->put(std::move(row), queue_limit); }
void sqlite_store::remove(row_key key) { impl_->put(std::move(key), removals_limit); }

std::vector<stored_row> sqlite_store::load(unsigned limit) {
  // Owned by both threads: the one that waits may be gone before the other has told it all.
  const auto loaded = std::make_shared<std::promise<std::vector<stored_row>>>();
  auto rows = loaded->get_future();
  const bool asked = impl_->ask(
      [this, limit, loaded] { loaded->set_value(load_rows(impl_->db.get(), impl_->clock().wall, limit)); });
  return asked ? rows.get() : std::vector<stored_row>();
}

void sqlite_store::find(incident_query q, const std::function<void(std::vector<incident>)>& found) {
  const bool asked = impl_->ask([this, q, found] { found(find_incidents(impl_->db.get(), q)); });
  if (!asked) found({});
}

void sqlite_store::check(const std::function<void(store_report)>& checked) {
  if (impl_->ask([this, checked] { checked(impl_->check()); })) return;
  store_report closed;
  closed.problems.emplace_back("the store is closed");
  checked(std::move(closed));
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
