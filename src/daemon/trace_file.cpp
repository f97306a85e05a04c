#include "daemon/trace_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stox::daemon {

std::unique_ptr<trace_file> trace_file::create(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return nullptr;
  std::FILE* f = ::fdopen(fd, "w");
  if (f == nullptr) {
    ::close(fd);
    return nullptr;
  }
  return std::unique_ptr<trace_file>(new trace_file(f));
}

void trace_file::line(std::string_view text) {
  if (broken_) return;
  broken_ = std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() ||
            std::fputc('\n', file_.get()) == EOF;
}

void trace_file::flush() {
  if (!broken_) broken_ = std::fflush(file_.get()) != 0;
}

}  // namespace stox::daemon
