#pragma once

#include <optional>
#include <string>

#include "base/instant.hpp"

/// What systemd wants to hear from a service of Type=notify. Nothing happens where NOTIFY_SOCKET is not set.
namespace stox::daemon::service {

void ready(const std::string& status);
void reloading();  ///< to be followed by ready()
/// Goodbye may take `limit`: systemd is asked for that time and some more.
void stopping(duration limit);
void alive();
/// How often alive() is to be said: half of WATCHDOG_USEC; nullopt: nobody watches.
std::optional<duration> alive_interval();

}  // namespace stox::daemon::service
