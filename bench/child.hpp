#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// What one process, with the processes that it made, has used so far.
struct usage {
  double cpu_seconds = 0;  ///< user and system, all threads
  double rss_mib = 0;
};

/// A process that ends with us.
class child {
 public:
  /// Runs the program (found in PATH) with its arguments, in a process group of its own, its output into
  /// `log`. `preload`: a library to load before all others; empty: none.
  child(const std::vector<std::string>& command, const std::string& log, const std::string& preload = {});
  /// Echoes each datagram on a socket of 127.0.0.1, as a measure of the bare kernel.
  explicit child(int echo_socket);
  ~child();  ///< TERM, and KILL after 5 s
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  bool running();
  usage used() const;

 private:
  pid_t pid_ = -1;
};

/// A UDP socket on a free port of 127.0.0.1 with large buffers, not blocking; its port.
int udp_socket(std::uint16_t& port);
/// A listening TCP socket likewise.
int tcp_listener(std::uint16_t& port);
/// A blocking connection to that port; -1: nobody listens.
int tcp_connection(std::uint16_t port);
/// A port that was free for UDP and TCP a moment ago.
std::uint16_t free_port();

[[noreturn]] void die(const std::string& what);

}  // namespace bench
