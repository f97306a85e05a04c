#pragma once

#include <cstdint>
#include <string>

namespace bench {

/// Kamailio with its own xmpp module in the place of stoxd, as a measure of what operators have today: the
/// same component link, the same proxy, the same messages.
struct kamailio_place {
  std::uint16_t listen = 0, proxy = 0, component = 0;  ///< ports of 127.0.0.1
};
std::string kamailio_config(const kamailio_place& p);

/// The library that is loaded before its own: Debian 12's module walks off the end of expat's attributes
/// (Kamailio issue 4154), so that the bare module crashes with the first element. Built beside the load
/// driver.
std::string expat_guard_path();

}  // namespace bench
