#include "daemon/logger.hpp"

#include <poll.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>

#include "daemon/log_line.hpp"

namespace stox::daemon {
namespace {

constexpr std::size_t gathered_limit = 64 * 1024;
constexpr int stuck_reader_ms = 100;  // a log pipe that nobody reads must not hold the gateway up for longer

class batch_sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit batch_sink(int fd) : fd_(fd) {}
  std::uint64_t lost() const { return lost_; }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    gathered_.append(line.data(), line.size());
    if (gathered_.size() > gathered_limit) flush_();
  }
  void flush_() override {
    std::string_view rest = gathered_;
    while (!rest.empty()) {
      // A pipe that is writable takes PIPE_BUF bytes at once: a reader that stalls costs one short wait,
      // never the messages.
      pollfd ready{fd_, POLLOUT, 0};
      if (::poll(&ready, 1, patience_ms_) <= 0) {
        patience_ms_ = 0;
        break;
      }
      patience_ms_ = stuck_reader_ms;
      const auto n = ::write(fd_, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
      if (n > 0) {
        rest.remove_prefix(static_cast<std::size_t>(n));
        continue;
      }
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      break;
    }
    lost_ += static_cast<std::uint64_t>(std::count(rest.begin(), rest.end(), '\n'));
    gathered_.clear();
  }

  int fd_;
  int patience_ms_ = stuck_reader_ms;
  std::uint64_t lost_ = 0;
  std::string gathered_;
};

spdlog::level::level_enum level_of(log_level level) {
  switch (level) {
    case log_level::debug: return spdlog::level::debug;
    case log_level::info: return spdlog::level::info;
    case log_level::warning: return spdlog::level::warn;
    case log_level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

struct logger::impl {
  explicit impl(int fd) : sink(std::make_shared<batch_sink>(fd)), log("stoxd", sink) {
    log.set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                                                                  spdlog::pattern_time_type::utc));
    log.set_level(spdlog::level::trace);  // write() has chosen already
  }
  std::shared_ptr<batch_sink> sink;
  spdlog::logger log;
};

logger::logger(int fd, log_level least) : least_(least), impl_(std::make_unique<impl>(fd)) {}
logger::~logger() { flush(); }

void logger::write(const log_record& r) {
  if (r.level < least_) return;
  // As a string_view: our text is never a format string.
  impl_->log.log(level_of(r.level), spdlog::string_view_t(log_line(r)));
}

void logger::flush() { impl_->log.flush(); }
std::uint64_t logger::lost() const { return impl_->sink->lost(); }
void logger::set_level(log_level least) { least_ = least; }

}  // namespace stox::daemon
