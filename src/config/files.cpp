#include "config/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace stox::config {

file_text read_file(const std::string& path, std::size_t max) {
  file_text out;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about {};
  if (fd < 0 || ::fstat(fd, &about) != 0) {
    out.why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    return out;
  }
  out.others_can_read = S_ISREG(about.st_mode) && (about.st_mode & S_IROTH) != 0;
  char buffer[16 * 1024];
  for (;;) {
    const auto n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) out.why = std::strerror(errno);
    if (n <= 0) break;
    out.text.append(buffer, static_cast<std::size_t>(n));
    if (out.text.size() > max) {
      out.why = "larger than " + std::to_string(max) + " bytes";
      break;
    }
  }
  ::close(fd);
  return out;
}

std::string beside_file(const std::string& path, const std::string& beside) {
  const std::filesystem::path p(path);
  return p.is_absolute() ? path : (std::filesystem::path(beside).parent_path() / p).string();
}

}  // namespace stox::config
