#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "settings/settings.hpp"

/// The texts that values have in the file, on the command line and in the environment: pure functions, both
/// ways.
namespace stox::config {

/// "150ms", "2s", "5min", "1h" in milliseconds; a bare number is milliseconds.
std::optional<std::int64_t> parse_duration(std::string_view text);
std::string write_duration(std::int64_t milliseconds);

/// "512MiB", "64kB", "1000B" in bytes; a bare number is bytes. kB, MB, GB count by 1000, KiB, MiB, GiB by
/// 1024.
std::optional<std::int64_t> parse_size(std::string_view text);
std::string write_size(std::int64_t bytes);

/// A domain of letters, digits and hyphens (or UTF-8 beyond ASCII) in its one spelling: lower case and
/// U-labels, however it was written. So equal domains are equal texts, and people can read them.
std::optional<std::string> parse_domain(std::string_view text);

/// HOST:PORT, where HOST is a domain or a literal address (IPv6 in brackets). The port may be missing if
/// there is a default for it.
struct host_port {
  std::string host;  ///< without brackets
  std::uint16_t port = 0;
};
std::optional<host_port> parse_host_port(std::string_view text, std::optional<std::uint16_t> default_port);

/// Each of these returns an empty string on success, else "what; hint" for the error line.
std::string parse_listener(std::string_view text, settings::listener& out);
std::string write_listener(const settings::listener& l);
/// The same for XMPP streams, which have one spelling: "tcp:HOST:PORT".
std::string parse_stream_listener(std::string_view text, socket_address& out);
std::string write_stream_listener(const socket_address& at);
std::string parse_advertised(std::string_view text, settings::advertised& out);
std::string write_advertised(const settings::advertised& a);
std::string parse_route(std::string_view text, settings::sip_route& out);

std::optional<log_level> parse_level(std::string_view text);
std::string_view write_level(log_level level);

std::string_view write_tls(settings::tls_policy tls);
std::string_view write_auth(settings::s2s_auth auth);

/// Whether hosts beyond this site can reach the address: neither loopback, link-local, private (RFC 1918, RFC
/// 4193) nor shared (RFC 6598). The unspecified address listens everywhere, hence is public.
bool is_public(const ip_address& ip);
bool is_loopback(const ip_address& ip);

/// `text` as a TOML basic string, with its quotes.
std::string quote(std::string_view text);

}  // namespace stox::config
