#include "net/signals.hpp"

#include <csignal>
#include <initializer_list>

namespace stox::net {
namespace {

sigset_t ours() {
  sigset_t out;
  sigemptyset(&out);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&out, number);
  return out;
}

}  // namespace

void hold_signals() {
  const auto set = ours();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void release_signals() {
  const auto set = ours();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool end_is_asked() {
  sigset_t waiting;
  sigemptyset(&waiting);
  sigpending(&waiting);
  return sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1;
}

}  // namespace stox::net
