#include "cli/control_client.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace stox::cli {

namespace {

constexpr std::size_t max_answer = std::size_t{16} << 20;
constexpr timeval limit{10, 0};

/// Closes its descriptor.
class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

error broken(const std::string& path, const char* step) {
  std::string why = path + ": " + step + ": " + std::strerror(errno);
  if (errno == ENOENT || errno == ECONNREFUSED) why += "; is stoxd running, and is this its admin.control?";
  if (errno == EACCES) why += "; only stoxd's own user and root may";
  return error(errc::unreachable, std::move(why));
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

result<std::string> ask_daemon(const std::string& path, const std::string& command) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return error(errc::unreachable, path + ": longer than a socket's path may be");
  path.copy(address.sun_path, path.size());
  const descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return broken(path, "socket");
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return broken(path, "connect");
  if (!write_all(fd.get(), command + "\n")) return broken(path, "write");
  std::string answer;
  char buffer[64 * 1024];
  for (;;) {
    const auto n = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return broken(path, "read");
    if (n == 0) return error(errc::unreachable, path + ": closed before the answer was whole");
    answer.append(buffer, static_cast<std::size_t>(n));
    if (const auto end = answer.find('\n'); end != std::string::npos) return answer.substr(0, end);
    if (answer.size() > max_answer)
      return error(errc::unreachable, path + ": the answer is larger than 16 MiB");
  }
}

}  // namespace stox::cli
