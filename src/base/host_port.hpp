#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stox {

/// HOST:PORT for people and files; an IPv6 address, given without brackets, gets them.
std::string write_host_port(std::string_view host, std::uint16_t port);

}  // namespace stox
