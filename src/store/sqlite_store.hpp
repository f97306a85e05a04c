#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "base/stored_row.hpp"

namespace stox::store {

/// Something that an operator may be asked about later, such as a message whose fate could not be known.
/// Never holds a body or a secret.
struct incident {
  wall_time at;
  std::string domain;  ///< of the tenant; empty: the gateway itself
  wall_time expiry;    ///< the row is removed some time after it
  unsigned engine = 0;
  std::string kind;    ///< "message.to_sip.in_doubt"
  std::string detail;  ///< "conv=... call_id=..."
};

/// Of changes: incidents, and rows saved and removed.
struct store_counters {
  std::uint64_t written = 0;
  std::uint64_t dropped = 0;  ///< the queue was full
  std::uint64_t failed = 0;   ///< SQLite refused, e.g. the disk was full
};

/// Which incidents to find: the newest `limit` of those at or after `since`.
struct incident_query {
  wall_time since;
  unsigned limit = 100;
};

/// Whether the last batch could be written; `why` is SQLite's reason if not.
struct store_health {
  bool writes = true;
  bool in_memory = false;  ///< the file could not be used at the start: what is added ends with the process
  std::string why;
};

struct table_size {
  std::string name;
  std::uint64_t rows = 0;
  std::uint64_t expired = 0;  ///< of them; they go with the next sweep of a clock that is believed
};

/// What a look at the store found.
struct store_report {
  std::vector<std::string> problems;  ///< of the file, in SQLite's words; empty: it is sound
  bool writes = false;                ///< a write on trial came through, and what is written lasts
  std::string why;                    ///< if not
  std::uint64_t bytes = 0;            ///< of the file and its log; 0: in memory
  std::vector<table_size> tables;
};

/// A file that was damaged and is out of the way now.
struct broken_file {
  std::string moved_to, why;
};

/// The database file, in WAL mode, and the one thread that writes it. Its public functions may be called from
/// any thread; none of them waits for the disk but open(), load() and close(). Changes are written in
/// batches, one transaction each, in the order in which they came. Rows that have expired are handed out no
/// more, and are taken out with each batch and at least every ten minutes once the wall clock is believed
/// (settled_clock). The file is locked (flock) while it is open: a second daemon is refused before it changes
/// anything.
class sqlite_store {
 public:
  static constexpr std::size_t queue_limit = 4096;  ///< changes waiting to be written
  /// Removals may wait beyond it: a save that is lost costs one receipt after a restart, a removal that is
  /// lost might send one twice.
  static constexpr std::size_t removals_limit = 4 * queue_limit;
  static constexpr int rows_limit = 100'000;  ///< rows kept of each table, about; the oldest go first

  /// ":memory:" keeps nothing beyond the process. Makes the file (mode 0600) but no directories; migrates an
  /// older one. A broken file is moved aside and a new one made. A full or read-only disk, or a file that is
  /// not ours to write, is no error: then the store is in memory, and health() says why. Errors are a folder
  /// that is missing, a second daemon, another program's database, and a schema that is too new.
  /// `health_changed` is called on the store's thread when writing begins to fail and when it works again,
  /// `clock` on both threads.
  static result<std::unique_ptr<sqlite_store>> open(const std::string& path,
                                                    std::function<void()> health_changed = {},
                                                    std::function<instant()> clock = read_clocks);
  ~sqlite_store();  ///< close(false)
  sqlite_store(const sqlite_store&) = delete;
  sqlite_store& operator=(const sqlite_store&) = delete;

  /// Whether the run before this one ended without close(true): it crashed or was killed. False for the first
  /// run.
  bool found_unclean() const;
  std::optional<broken_file> found_broken() const;
  void add(incident i);
  void save(stored_row row);  ///< in place of the one of that name
  void remove(row_key key);
  /// The newest `limit` rows of each kind, the oldest of them first; waits for the disk.
  std::vector<stored_row> load(unsigned limit);
  /// Calls `found` with the incidents, oldest first, on the store's thread; with none after close(). What was
  /// added before is found.
  void find(incident_query q, const std::function<void(std::vector<incident>)>& found);
  /// Looks through the whole file, tries to write, and calls `checked` on the store's thread; after close()
  /// at once, with a problem. What was added before is written before.
  void check(const std::function<void(store_report)>& checked);
  /// Writes what is queued and ends the thread; `clean` is what the next run's found_unclean() reads. Later
  /// calls do nothing.
  void close(bool clean);
  store_counters counters() const;
  store_health health() const;

 private:
  struct impl;
  static instant read_clocks();
  explicit sqlite_store(std::unique_ptr<impl> i);
  std::unique_ptr<impl> impl_;
};

}  // namespace stox::store
