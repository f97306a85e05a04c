#include "daemon/trace_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace stox::daemon {
namespace {

constexpr int most_traces = 100;  // a daemon that crashes and is restarted must not go on for ever

}  // namespace

std::unique_ptr<trace_file> trace_file::create(const std::string& path, std::uint64_t limit) {
  int fd = -1;
  std::string name = path;
  for (int i = 1; i <= most_traces; ++i) {
    fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0 || errno != EEXIST) break;
    name = path + "." + std::to_string(i);
  }
  if (fd < 0) return nullptr;
  std::FILE* f = ::fdopen(fd, "w");
  if (f == nullptr) {
    ::close(fd);
    return nullptr;
  }
  return std::unique_ptr<trace_file>(new trace_file(f, std::move(name), limit));
}

void trace_file::line(std::string_view text) {
  if (broken_ || full_) return;
  size_ += text.size() + 1;
  broken_ = std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() ||
            std::fputc('\n', file_.get()) == EOF;
}

void trace_file::flush() {
  if (broken_ || full_) return;
  const bool enough = size_ >= limit_;
  if (enough) line("# the trace ends here: it has reached its limit of " + std::to_string(limit_) + " bytes");
  broken_ = broken_ || std::fflush(file_.get()) != 0;
  full_ = enough && !broken_;
}

}  // namespace stox::daemon
