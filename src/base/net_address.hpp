#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stox {

enum class transport : std::uint8_t { udp, tcp, tls };
std::string_view to_string(transport t);

/// An IPv4 or IPv6 address as 16 bytes, IPv4 mapped (::ffff:a.b.c.d), so that a dual-stack socket and an IPv4
/// one give equal values.
struct ip_address {
  std::array<std::uint8_t, 16> bytes{};

  static std::optional<ip_address> parse(
      std::string_view text);  ///< "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"
  bool is_v4() const;
  bool is_unspecified() const;      ///< 0.0.0.0 or ::
  std::string to_string() const;    ///< without brackets
  std::string to_uri_host() const;  ///< IPv6 in brackets, as SIP and URIs want it
  friend auto operator<=>(const ip_address&, const ip_address&) = default;
};

struct socket_address {
  ip_address ip;
  std::uint16_t port = 0;

  static std::optional<socket_address> parse(
      std::string_view text);  ///< "192.0.2.1:5060", "[2001:db8::1]:5060"
  std::string to_string() const;
  friend auto operator<=>(const socket_address&, const socket_address&) = default;
};

/// Whether a server can be there. Other addresses are no one's in particular: whoever names them to us could
/// make us write to everybody near, or to ourselves.
bool is_host_address(const socket_address& to);

/// "192.0.2.0/24", "2001:db8::/32" or a bare address (a prefix of full length).
struct ip_prefix {
  ip_address base;
  unsigned length = 128;  ///< in the 128-bit form: an IPv4 /24 is 120

  static std::optional<ip_prefix> parse(std::string_view text);
  bool contains(const ip_address& ip) const;
  std::string to_string() const;
  friend bool operator==(const ip_prefix&, const ip_prefix&) = default;
};

}  // namespace stox

template <>
struct std::hash<stox::ip_address> {
  std::size_t operator()(const stox::ip_address& a) const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(a.bytes.data()), a.bytes.size()});
  }
};
template <>
struct std::hash<stox::socket_address> {
  std::size_t operator()(const stox::socket_address& a) const noexcept {
    return std::hash<stox::ip_address>{}(a.ip) * 31 + a.port;
  }
};
