#include "store/tables.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "store/sqlite.hpp"

namespace stox::store {

namespace {

/// Each has id (the newest row has the highest), domain, expiry and engine.
constexpr std::array<const char*, 3> tables = {"incident", "capability", "receipt"};

std::int64_t seconds(wall_time t) {
  return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
}

/// Gives a statement its values, one after the other, and runs it.
class filler {
 public:
  explicit filler(const statement& s) : s_(s.get()) { ok_ = s_ != nullptr && sqlite3_reset(s_) == SQLITE_OK; }
  /// `text` must live until run().
  filler& operator()(const std::string& text) {
    ok_ = ok_ && sqlite3_bind_text(s_, ++at_, text.data(), static_cast<int>(text.size()), SQLITE_STATIC) ==
                     SQLITE_OK;
    return *this;
  }
  filler& operator()(std::int64_t n) {
    ok_ = ok_ && sqlite3_bind_int64(s_, ++at_, n) == SQLITE_OK;
    return *this;
  }
  filler& operator()(unsigned n) { return (*this)(std::int64_t{n}); }
  filler& operator()(bool b) { return (*this)(std::int64_t{b}); }
  filler& operator()(wall_time t) { return (*this)(seconds(t)); }
  filler& operator()(const receipt_key& k) { return (*this)(k.to_sip)(k.jid)(k.aor)(k.id); }
  bool run() { return ok_ && sqlite3_step(s_) == SQLITE_DONE; }

 private:
  sqlite3_stmt* s_;
  int at_ = 0;
  bool ok_;
};

/// Gives the columns of the row that a statement stands on, one after the other.
class columns {
 public:
  explicit columns(const statement& s) : s_(s.get()) {}
  columns& operator()(std::string& out) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(s_, at_));
    if (text != nullptr) out.assign(text, static_cast<std::size_t>(sqlite3_column_bytes(s_, at_)));
    ++at_;
    return *this;
  }
  columns& operator()(bool& out) {
    out = sqlite3_column_int(s_, at_++) != 0;
    return *this;
  }
  columns& operator()(unsigned& out) {
    out = static_cast<unsigned>(sqlite3_column_int(s_, at_++));
    return *this;
  }
  columns& operator()(wall_time& out) {
    out = wall_time(std::chrono::seconds(sqlite3_column_int64(s_, at_++)));
    return *this;
  }

 private:
  sqlite3_stmt* s_;
  int at_ = 0;
};

/// The statements of one batch.
struct writer {
  explicit writer(sqlite3* db) : db_(db) {}

  bool operator()(const incident& i) {
    const auto& s = ready(incident_,
                          "INSERT INTO incident (at, domain, expiry, engine, kind, detail) "
                          "VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    return filler(s)(i.at)(i.domain)(i.expiry)(i.engine)(i.kind)(i.detail).run();
  }
  bool operator()(const stored_row& row) { return std::visit(*this, row); }
  bool operator()(const row_key& key) { return std::visit(*this, key); }
  // A row that takes another's place gets a new id: it is the newest now.
  bool operator()(const capability_row& r) {
    const auto& s = ready(capability_,
                          "INSERT OR REPLACE INTO capability (address, feature, value, how, learned, domain, "
                          "expiry, engine) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    return filler(s)(r.address)(r.feature)(r.value)(r.how)(r.learned)(r.domain)(r.expiry)(r.engine).run();
  }
  bool operator()(const receipt_row& r) {
    const auto& s =
        ready(receipt_,
              "INSERT OR REPLACE INTO receipt (to_sip, jid, aor, message_id, delivered, failed, displayed, "
              "original_id, reply_to, date_time, call_id, type, route, original_to, domain, expiry, engine) "
              "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)");
    return filler(s)(r.key)(r.delivered)(r.failed)(r.displayed)(r.original_id)(r.reply_to)(r.date_time)(
               r.call_id)(r.type)(r.route)(r.original_to)(r.domain)(r.expiry)(r.engine)
        .run();
  }
  bool operator()(const capability_key& k) {
    return filler(ready(forget_, "DELETE FROM capability WHERE address = ?1"))(k.address).run();
  }
  bool operator()(const receipt_key& k) {
    const auto& s =
        ready(done_, "DELETE FROM receipt WHERE to_sip = ?1 AND jid = ?2 AND aor = ?3 AND message_id = ?4");
    return filler(s)(k).run();
  }

 private:
  const statement& ready(statement& s, const char* sql) {
    if (!s) s = prepare(db_, sql);
    return s;
  }
  sqlite3* db_;
  statement incident_, capability_, receipt_, forget_, done_;
};

std::vector<stored_row> newest(std::vector<stored_row> rows) {
  std::reverse(rows.begin(), rows.end());
  return rows;
}

std::vector<stored_row> load_capabilities(sqlite3* db, wall_time now, unsigned limit) {
  std::vector<stored_row> out;
  const auto s =
      prepare(db,
              "SELECT address, feature, value, how, learned, domain, engine, expiry FROM capability "
              "WHERE expiry > ?1 ORDER BY id DESC LIMIT ?2");
  if (!s) return out;
  sqlite3_bind_int64(s.get(), 1, seconds(now));
  sqlite3_bind_int64(s.get(), 2, limit);
  while (sqlite3_step(s.get()) == SQLITE_ROW) {
    capability_row r;
    columns{s}(r.address)(r.feature)(r.value)(r.how)(r.learned)(r.domain)(r.engine)(r.expiry);
    out.emplace_back(std::move(r));
  }
  return newest(std::move(out));
}

std::vector<stored_row> load_receipts(sqlite3* db, wall_time now, unsigned limit) {
  std::vector<stored_row> out;
  const auto s = prepare(db,
                         "SELECT to_sip, jid, aor, message_id, delivered, failed, displayed, original_id, "
                         "reply_to, date_time, call_id, type, route, original_to, domain, engine, expiry "
                         "FROM receipt "
                         "WHERE expiry > ?1 ORDER BY id DESC LIMIT ?2");
  if (!s) return out;
  sqlite3_bind_int64(s.get(), 1, seconds(now));
  sqlite3_bind_int64(s.get(), 2, limit);
  while (sqlite3_step(s.get()) == SQLITE_ROW) {
    receipt_row r;
    columns{s}(r.key.to_sip)(r.key.jid)(r.key.aor)(r.key.id)(r.delivered)(r.failed)(r.displayed)(
        r.original_id)(r.reply_to)(r.date_time)(r.call_id)(r.type)(r.route)(r.original_to)(r.domain)(
        r.engine)(r.expiry);
    out.emplace_back(std::move(r));
  }
  return newest(std::move(out));
}

/// Runs a statement with one number in it.
bool run(sqlite3* db, const std::string& sql, std::int64_t n) {
  return filler(prepare(db, sql.c_str()))(n).run();
}

}  // namespace

std::string write_changes(sqlite3* db, const std::deque<change>& changes) {
  writer to(db);
  for (const auto& c : changes) {
    // At once: the end of the other statements takes the reason away.
    if (!std::visit(to, c)) return sqlite3_errmsg(db);
  }
  return {};
}

bool sweep(sqlite3* db, wall_time now) {
  return std::all_of(tables.begin(), tables.end(), [&](const std::string& table) {
    return run(db, "DELETE FROM " + table + " WHERE expiry <= ?1", seconds(now));
  });
}

bool trim(sqlite3* db) {
  return std::all_of(tables.begin(), tables.end(), [&](const std::string& table) {
    return run(db,
               "DELETE FROM " + table + " WHERE id <= (SELECT id FROM " + table +
                   " ORDER BY id DESC LIMIT 1 OFFSET ?1)",
               sqlite_store::rows_limit);
  });
}

std::vector<incident> find_incidents(sqlite3* db, const incident_query& q) {
  std::vector<incident> out;
  const auto s =
      prepare(db,
              "SELECT at, domain, expiry, engine, kind, detail FROM incident WHERE at >= ?1 ORDER BY id "
              "DESC LIMIT ?2");
  if (!s) return out;
  sqlite3_bind_int64(s.get(), 1, seconds(q.since));
  sqlite3_bind_int64(s.get(), 2, q.limit);
  while (sqlite3_step(s.get()) == SQLITE_ROW) {
    incident i;
    columns{s}(i.at)(i.domain)(i.expiry)(i.engine)(i.kind)(i.detail);
    out.push_back(std::move(i));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

std::vector<stored_row> load_rows(sqlite3* db, wall_time now, unsigned limit) {
  auto out = load_capabilities(db, now, limit);
  for (auto& r : load_receipts(db, now, limit)) out.push_back(std::move(r));
  return out;
}

std::vector<table_size> count_rows(sqlite3* db, wall_time now) {
  std::vector<table_size> out;
  for (const std::string table : tables) {
    const auto s = prepare(db, ("SELECT count(*), total(expiry <= ?1) FROM " + table).c_str());
    if (!s) continue;
    sqlite3_bind_int64(s.get(), 1, seconds(now));
    if (sqlite3_step(s.get()) != SQLITE_ROW) continue;
    out.push_back({table, static_cast<std::uint64_t>(sqlite3_column_int64(s.get(), 0)),
                   static_cast<std::uint64_t>(sqlite3_column_int64(s.get(), 1))});
  }
  return out;
}

}  // namespace stox::store
