#pragma once

#include <cstdint>
#include <memory>

#include "base/log.hpp"

namespace stox::daemon {

/// The log on a descriptor (standard error): "2026-01-31T12:00:00.000Z level event key=value ...", one line a
/// record. Lines are gathered and leave with flush(), one write for many. For one thread.
class logger {
 public:
  explicit logger(int fd, log_level least = log_level::info);
  ~logger();  ///< flushes
  logger(const logger&) = delete;
  logger& operator=(const logger&) = delete;

  void write(const log_record& r);
  void flush();
  void set_level(log_level least);
  log_level level() const { return least_; }
  /// Lines that nobody took: the reader of the log stalls or is gone.
  std::uint64_t lost() const;

 private:
  struct impl;
  log_level least_;
  std::unique_ptr<impl> impl_;
};

}  // namespace stox::daemon
