#include "base/net_address.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "base/io.hpp"
#include "base/text.hpp"

// inet_pton and inet_ntop are pure functions over bytes; no socket is touched here.
namespace stox {

std::string_view to_string(transport t) {
  switch (t) {
    case transport::udp: return "udp";
    case transport::tcp: return "tcp";
    case transport::tls: return "tls";
  }
  return "?";
}

std::string_view io::to_string(fail f) {
  switch (f) {
    case fail::peer_closed: return "closed by peer";
    case fail::refused: return "connection refused";
    case fail::unreachable: return "unreachable";
    case fail::timed_out: return "timed out";
    case fail::reset: return "connection reset";
    case fail::overflow: return "write queue full";
    case fail::not_found: return "host not found";
    case fail::closed_here: return "closed";
    case fail::tls: return "TLS failed";
  }
  return "?";
}

bool is_host_address(const socket_address& to) {
  const auto& b = to.ip.bytes;
  const bool multicast = to.ip.is_v4() ? (b[12] >= 224) : b[0] == 0xFF;  // and 240/4, with broadcast
  return to.port != 0 && !to.ip.is_unspecified() && !multicast;
}

std::string_view io::to_string(record_type t) {
  switch (t) {
    case record_type::a: return "A";
    case record_type::aaaa: return "AAAA";
    case record_type::srv: return "SRV";
    case record_type::naptr: return "NAPTR";
    case record_type::tlsa: return "TLSA";
  }
  return "?";
}

std::string_view io::to_string(lookup_status s) {
  switch (s) {
    case lookup_status::found: return "found";
    case lookup_status::no_data: return "no such record";
    case lookup_status::no_name: return "no such name";
    case lookup_status::failed: return "no answer";
  }
  return "?";
}

namespace {

/// Dotted decimals as inet_pton takes them: four numbers of one to three digits, none with a leading zero.
bool parse_v4(std::string_view text, std::uint8_t* out) {
  for (int i = 0; i < 4; ++i) {
    const auto end = i < 3 ? text.find('.') : text.size();
    if (end == std::string_view::npos || end == 0 || end > 3 || (end > 1 && text.front() == '0'))
      return false;
    const auto number = text::to_number(text.substr(0, end), 255);
    if (!number) return false;
    out[i] = static_cast<std::uint8_t>(*number);
    text.remove_prefix(i < 3 ? end + 1 : end);
  }
  return true;
}

}  // namespace

std::optional<ip_address> ip_address::parse(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == std::string_view::npos) return std::nullopt;
  }
  // A NUL would end the C string early, and hide what follows it.
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return std::nullopt;
  ip_address out;
  if (text.find(':') != std::string_view::npos) {
    const std::string copy(text);
    if (inet_pton(AF_INET6, copy.c_str(), out.bytes.data()) != 1) return std::nullopt;
    return out;
  }
  if (!parse_v4(text, out.bytes.data() + 12)) return std::nullopt;
  out.bytes[10] = out.bytes[11] = 0xFF;
  return out;
}

bool ip_address::is_v4() const {
  return std::all_of(bytes.begin(), bytes.begin() + 10, [](auto b) { return b == 0; }) && bytes[10] == 0xFF &&
         bytes[11] == 0xFF;
}

bool ip_address::is_unspecified() const {
  const auto host = bytes.begin() + (is_v4() ? 12 : 0);
  return std::all_of(host, bytes.end(), [](auto b) { return b == 0; });
}

std::string ip_address::to_string() const {
  if (!is_v4()) {
    char buffer[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, bytes.data(), buffer, sizeof buffer);
    return buffer;
  }
  // Written into every Via of ours; inet_ntop would go through sprintf.
  std::string out;
  for (std::size_t i = 12; i < bytes.size(); ++i) {
    if (!out.empty()) out += '.';
    out += std::to_string(bytes[i]);
  }
  return out;
}

std::string ip_address::to_uri_host() const { return is_v4() ? to_string() : "[" + to_string() + "]"; }

std::optional<socket_address> socket_address::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto host = text.substr(0, colon);
  // An unbracketed IPv6 address cannot carry a port: its last group would be taken for one.
  if (host.find(':') != std::string_view::npos && host.front() != '[') return std::nullopt;
  const auto ip = ip_address::parse(host);
  const auto port = text::to_number(text.substr(colon + 1), 65535);
  if (!ip || !port) return std::nullopt;
  return socket_address{*ip, static_cast<std::uint16_t>(*port)};
}

std::string socket_address::to_string() const { return ip.to_uri_host() + ":" + std::to_string(port); }

std::optional<ip_prefix> ip_prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto ip = ip_address::parse(text.substr(0, slash));
  if (!ip) return std::nullopt;
  ip_prefix out{*ip, 128};
  if (slash != std::string_view::npos) {
    const unsigned width = ip->is_v4() ? 32 : 128;
    const auto length = text::to_number(text.substr(slash + 1), width);
    if (!length) return std::nullopt;
    out.length = static_cast<unsigned>(*length) + (128 - width);
  }
  return out;
}

bool ip_prefix::contains(const ip_address& ip) const {
  const unsigned whole = length / 8;
  if (!std::equal(base.bytes.begin(), base.bytes.begin() + whole, ip.bytes.begin())) return false;
  const unsigned rest = length % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFF << (8 - rest));
  return (base.bytes[whole] & mask) == (ip.bytes[whole] & mask);
}

std::string ip_prefix::to_string() const {
  return base.to_string() + "/" + std::to_string(base.is_v4() && length >= 96 ? length - 96 : length);
}

}  // namespace stox
