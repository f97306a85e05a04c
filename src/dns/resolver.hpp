#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "base/instant.hpp"
#include "base/io.hpp"
#include "base/log.hpp"
#include "dns/record.hpp"

namespace stox::dns {

struct resolver_options {
  duration timeout = std::chrono::seconds(5);   ///< one question
  duration longest = std::chrono::hours(24);    ///< what was found is kept for its TTL, at most this long
  duration negative = std::chrono::minutes(5);  ///< the same for "no such name" (RFC 2308 §5)
  duration failure = std::chrono::seconds(5);   ///< a failure (RFC 2308 §7: at most 5 minutes)
  std::size_t cache_entries = 4096;             ///< the least recently used goes
  std::size_t open_questions = 512;             ///< beyond them a question fails at once
};

struct resolver_stats {
  std::uint64_t asked = 0, from_cache = 0, failed = 0, timed_out = 0, refused = 0;
  std::uint64_t bad_records = 0;  ///< data that could not be read
};

/// Asks the rim's resolver, each question once at a time, and remembers the answers. Sans-I/O; one thread.
/// References outlive it.
class resolver {
 public:
  resolver(resolver_options options, deadline_index& deadlines, byte_account& memory, io_port& io)
      : options_(options), deadlines_(deadlines), memory_(memory), io_(io) {}
  ~resolver();
  resolver(const resolver&) = delete;
  resolver& operator=(const resolver&) = delete;

  /// The answer, if it is known now; else it comes by poll().
  std::optional<answer> ask(const question& q, instant now);
  void handle(const io::looked_up& e, instant now);
  void handle_timeout(std::uint64_t key, instant now);
  void tidy(instant now);  ///< forgets what is out of date
  void clear();            ///< forgets all answers: others are asked from now on

  struct answered {
    dns::question question;
    dns::answer answer;
  };
  /// Drain after every call of handle and handle_timeout.
  std::optional<answered> poll();
  const resolver_stats& stats() const { return stats_; }
  /// Log values since the last call: at most one a minute while questions fail, and one when names work
  /// again.
  std::vector<log_record> take_log() { return std::exchange(log_, {}); }

 private:
  struct known {
    dns::question question;
    dns::answer answer;
    steady_time until;
    charge memory;
  };
  struct pending {
    io::lookup_id id{};
    timer_handle timer;
  };
  using pending_map = std::map<question, pending>;

  void finish(pending_map::iterator at, answer a, duration keep, instant now);
  void note_failure(const question& q, std::string_view why, instant now);
  void note_answer(const question& q);
  void forget(std::list<known>::iterator at);
  void remember(const question& q, const answer& a, steady_time until);

  resolver_options options_;
  deadline_index& deadlines_;
  byte_account& memory_;
  io_port& io_;
  std::list<known> cache_;  ///< the last used first
  std::map<question, std::list<known>::iterator> by_question_;
  std::size_t cached_ = 0;  ///< bytes, of the account
  pending_map pending_;
  std::map<io::lookup_id, pending_map::iterator> by_id_;
  std::uint64_t last_id_ = 0;
  std::deque<answered> answers_;
  resolver_stats stats_;
  std::uint64_t failing_ = 0;  ///< failures in a row
  std::uint64_t untold_ = 0;   ///< failures since the last warning
  bool outage_told_ = false;   ///< as an outage, not as one bad name
  std::optional<steady_time> warned_;
  std::vector<log_record> log_;
};

}  // namespace stox::dns
