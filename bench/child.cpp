#include "child.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace bench {

void die(const std::string& what) {
  std::fprintf(stderr, "stox_load: %s%s%s\n", what.c_str(), errno ? ": " : "",
               errno ? std::strerror(errno) : "");
  std::exit(1);
}

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

int bound(int type, std::uint16_t& port) {
  const int fd = ::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  auto address = loopback(port);
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

/// recvmmsg and sendmmsg, 64 datagrams at a time, until it is killed.
[[noreturn]] void echo(int fd) {
  constexpr std::size_t batch = 64, bytes = 2048;
  static std::array<std::array<char, bytes>, batch> buffers;
  std::array<sockaddr_in, batch> from{};
  std::array<iovec, batch> parts{};
  std::array<mmsghdr, batch> messages{};
  ::fcntl(fd, F_SETFL, 0);
  for (;;) {
    for (std::size_t i = 0; i < batch; ++i) {
      parts[i] = {buffers[i].data(), bytes};
      messages[i].msg_hdr = {&from[i], sizeof from[i], &parts[i], 1, nullptr, 0, 0};
    }
    const int got = ::recvmmsg(fd, messages.data(), batch, MSG_WAITFORONE, nullptr);
    if (got <= 0) _exit(1);
    for (int i = 0; i < got; ++i)
      parts[static_cast<std::size_t>(i)].iov_len = messages[static_cast<std::size_t>(i)].msg_len;
    ::sendmmsg(fd, messages.data(), static_cast<unsigned>(got), 0);
  }
}

pid_t fork_with_us() {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) die("fork");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) _exit(1);
  }
  return pid;
}

}  // namespace

int udp_socket(std::uint16_t& port) {
  port = 0;
  const int fd = bound(SOCK_DGRAM, port);
  if (fd < 0) die("no UDP socket");
  const int size = 16 << 20;
  // FORCE needs a privilege; without it the kernel's limit has to do.
  for (const int option : {SO_RCVBUF, SO_RCVBUFFORCE, SO_SNDBUF, SO_SNDBUFFORCE})
    ::setsockopt(fd, SOL_SOCKET, option, &size, sizeof size);
  errno = 0;
  return fd;
}

int tcp_listener(std::uint16_t& port) {
  port = 0;
  const int fd = bound(SOCK_STREAM, port);
  if (fd < 0 || ::listen(fd, 16) != 0) die("no TCP listener");
  return fd;
}

int tcp_connection(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  errno = 0;
  return -1;
}

std::uint16_t free_port() {
  for (int i = 0; i < 100; ++i) {
    std::uint16_t port = 0;
    const int tcp = bound(SOCK_STREAM, port);
    const int udp = bound(SOCK_DGRAM, port);
    if (tcp >= 0) ::close(tcp);
    if (udp >= 0) ::close(udp);
    if (tcp >= 0 && udp >= 0) return port;
  }
  die("no free port");
}

child::child(const std::vector<std::string>& command, const std::string& log, const std::string& preload) {
  pid_ = fork_with_us();
  if (pid_ != 0) return;
  ::setpgid(0, 0);
  if (!preload.empty()) ::setenv("LD_PRELOAD", preload.c_str(), 1);
  const int out = ::open(log.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
  const int in = ::open("/dev/null", O_RDONLY);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(out, 2);
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  _exit(127);
}

child::child(int echo_socket) {
  pid_ = fork_with_us();
  if (pid_ == 0) echo(echo_socket);
}

child::~child() {
  ::kill(pid_, SIGTERM);
  for (int i = 0; i < 500; ++i) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool child::running() {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

namespace {

/// Adds one process to `u` if it is `pid` or one of its group.
void add_process(const std::string& number, pid_t pid, usage& u) {
  std::ifstream file("/proc/" + number + "/stat");
  std::string line;
  std::getline(file, line);
  // The fields behind the name in brackets: state is the 3rd, the group the 5th, utime the 14th, stime the
  // 15th, rss the 24th.
  const auto close = line.rfind(')');
  if (close == std::string::npos) return;
  std::istringstream fields(line.substr(close + 2));
  std::string skipped;
  pid_t group = 0;
  fields >> skipped >> skipped >> group;
  if (group != pid && number != std::to_string(pid)) return;
  for (int i = 6; i < 14; ++i) fields >> skipped;
  double utime = 0, stime = 0, pages = 0;
  fields >> utime >> stime;
  for (int i = 16; i < 24; ++i) fields >> skipped;
  fields >> pages;
  u.cpu_seconds += (utime + stime) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  u.rss_mib += pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

}  // namespace

usage child::used() const {
  usage u;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") == std::string::npos) add_process(name, pid_, u);
  }
  return u;
}

}  // namespace bench
