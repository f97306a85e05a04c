#include "daemon/service.hpp"

#include <systemd/sd-daemon.h>

#include <chrono>
#include <cstdint>

namespace stox::daemon::service {

void ready(const std::string& status) { sd_notify(0, ("READY=1\nSTATUS=" + status).c_str()); }

void reloading() {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
  sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count())).c_str());
}

void stopping(duration limit) {
  // For the links to confirm and to close, and for the store.
  constexpr auto goodbye = std::chrono::seconds(15);
  const auto usec = std::chrono::duration_cast<std::chrono::microseconds>(limit + goodbye).count();
  sd_notify(
      0, ("STOPPING=1\nSTATUS=finishing open messages\nEXTEND_TIMEOUT_USEC=" + std::to_string(usec)).c_str());
}

void alive() { sd_notify(0, "WATCHDOG=1"); }

std::optional<duration> alive_interval() {
  std::uint64_t usec = 0;
  if (sd_watchdog_enabled(0, &usec) <= 0) return std::nullopt;
  return std::chrono::microseconds(usec / 2);
}

}  // namespace stox::daemon::service
