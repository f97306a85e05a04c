#include "config/values.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::config {

namespace {

struct unit {
  std::string_view name;
  std::int64_t factor;
};

// From the largest, so that writing finds the shortest text.
constexpr std::array durations{unit{"h", 3'600'000}, unit{"min", 60'000}, unit{"s", 1000}, unit{"ms", 1}};
constexpr std::array sizes{unit{"GiB", 1LL << 30},
                           unit{"MiB", 1LL << 20},
                           unit{"KiB", 1LL << 10},
                           unit{"GB", 1'000'000'000},
                           unit{"MB", 1'000'000},
                           unit{"kB", 1000},
                           unit{"B", 1}};
constexpr std::uint64_t max_number = 1'000'000'000'000;

template <std::size_t N>
std::optional<std::int64_t> parse_with_unit(std::string_view text, const std::array<unit, N>& units) {
  const auto digits = std::find_if_not(text.begin(), text.end(), text::is_digit);
  const auto count = static_cast<std::size_t>(digits - text.begin());
  const auto number = text::to_number(text.substr(0, count), max_number);
  if (!number) return std::nullopt;
  const auto name = text::trim(text.substr(count));
  if (name.empty()) return static_cast<std::int64_t>(*number);
  for (const auto& u : units) {
    if (!text::iequals(name, u.name)) continue;
    const auto value = static_cast<std::int64_t>(*number);
    if (value > INT64_MAX / u.factor) return std::nullopt;
    return value * u.factor;
  }
  return std::nullopt;
}

template <std::size_t N>
std::string write_with_unit(std::int64_t value, const std::array<unit, N>& units) {
  for (const auto& u : units) {
    if (value != 0 && value % u.factor == 0) return std::to_string(value / u.factor) + std::string(u.name);
  }
  return std::to_string(value) + std::string(units.back().name);
}

ip_prefix prefix(std::string_view text) { return ip_prefix::parse(text).value_or(ip_prefix{}); }

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) { return parse_with_unit(text, durations); }
std::string write_duration(std::int64_t milliseconds) { return write_with_unit(milliseconds, durations); }
std::optional<std::int64_t> parse_size(std::string_view text) { return parse_with_unit(text, sizes); }
std::string write_size(std::int64_t bytes) { return write_with_unit(bytes, sizes); }

namespace {

bool looks_like_domain(std::string_view text) {
  if (text.empty() || text.size() > 253 || !text::is_utf8(text)) return false;
  for (const auto label : text::split(text, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    const auto allowed = [](char c) {
      return text::is_alnum(c) || c == '-' || static_cast<unsigned char>(c) >= 0x80;
    };
    if (!std::all_of(label.begin(), label.end(), allowed)) return false;
  }
  return true;
}

// DNS and SIP (RFC 3261 §25.1) know A-labels only.
std::optional<std::string> parse_host(std::string_view text) {
  if (!looks_like_domain(text)) return std::nullopt;
  auto name = xmpp::domain_to_ascii(text);
  return name ? std::optional(std::move(*name)) : std::nullopt;
}

}  // namespace

std::optional<std::string> parse_domain(std::string_view text) {
  if (!looks_like_domain(text)) return std::nullopt;
  auto name = xmpp::domain_to_unicode(text);
  return name ? std::optional(std::move(*name)) : std::nullopt;
}

std::optional<host_port> parse_host_port(std::string_view text, std::optional<std::uint16_t> default_port) {
  host_port out;
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const auto host = has_port ? text.substr(0, colon) : text;
  if (has_port) {
    const auto port = text::to_number(text.substr(colon + 1), 65535);
    if (!port) return std::nullopt;
    out.port = static_cast<std::uint16_t>(*port);
  } else if (default_port) {
    out.port = *default_port;
  } else {
    return std::nullopt;
  }
  // An IPv6 literal without brackets would lose its last group to the port.
  if (!host.empty() && host.front() == '[') {
    const auto ip = ip_address::parse(host);
    if (!ip) return std::nullopt;
    out.host = ip->to_string();
    return out;
  }
  const auto name = parse_host(host);
  if (!name) return std::nullopt;
  out.host = *name;
  return out;
}

std::string parse_listener(std::string_view text, settings::listener& out) {
  static constexpr std::string_view form =
      "; write \"udp:HOST:PORT\", \"tcp:HOST:PORT\" or \"tls:HOST:PORT\", IPv6 in brackets";
  const auto colon = text.find(':');
  const auto scheme = text.substr(0, colon);
  if (scheme == "udp") {
    out.via = transport::udp;
  } else if (scheme == "tcp") {
    out.via = transport::tcp;
  } else if (scheme == "tls") {
    out.via = transport::tls;
  } else {
    return quote(text) + " does not begin with \"udp:\", \"tcp:\" or \"tls:\"" + std::string(form);
  }
  if (colon == std::string_view::npos) return quote(text) + " is not a listening address" + std::string(form);
  const auto at = socket_address::parse(text.substr(colon + 1));
  if (!at) {
    if (parse_host_port(text.substr(colon + 1), std::nullopt)) {
      return quote(text) + " names a host; write the IP address to listen on, e.g. \"udp:127.0.0.1:5060\"";
    }
    return quote(text) + " is not a listening address" + std::string(form);
  }
  out.at = *at;
  return {};
}

std::string write_listener(const settings::listener& l) {
  return std::string(to_string(l.via)) + ":" + l.at.to_string();
}

std::string parse_stream_listener(std::string_view text, socket_address& out) {
  static constexpr std::string_view form = "; write \"tcp:HOST:PORT\", IPv6 in brackets";
  if (!text.starts_with("tcp:")) return quote(text) + " does not begin with \"tcp:\"" + std::string(form);
  const auto rest = text.substr(4);
  const auto at = socket_address::parse(rest);
  if (!at && parse_host_port(rest, std::nullopt))
    return quote(text) + " names a host; write the IP address to listen on, e.g. \"tcp:[::]:5269\"";
  if (!at) return quote(text) + " is not a listening address" + std::string(form);
  out = *at;
  return {};
}

std::string write_stream_listener(const socket_address& at) { return "tcp:" + at.to_string(); }

namespace {

// One ";name" or ";name=value" of a route; what the gateway does not use itself stays in the URI for the
// proxy.
std::string apply_route_parameter(std::string_view parameter, std::string_view whole,
                                  settings::sip_route& out) {
  const auto equals = parameter.find('=');
  const auto name = parameter.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view() : parameter.substr(equals + 1);
  if (name.empty()) return quote(whole) + " has an empty parameter; remove the extra \";\"";
  if (text::iequals(name, "maddr"))
    return quote(whole) + " has maddr, which redirects; write the address itself as the host";
  if (!text::iequals(name, "transport")) return {};
  if (text::iequals(value, "udp")) {
    out.via = transport::udp;
  } else if (text::iequals(value, "tcp")) {
    out.via = transport::tcp;
  } else if (text::iequals(value, "tls")) {
    // RFC 5922 §7.2: a certificate proves a domain, never an address.
    if (ip_address::parse(out.host))
      return quote(whole) + " is an address, which no certificate proves; name the proxy for TLS";
    out.via = transport::tls;
  } else {
    return quote(whole) + " has an unknown transport; use udp, tcp or tls";
  }
  return {};
}

}  // namespace

std::string parse_advertised(std::string_view text, settings::advertised& out) {
  const auto bad = [text] {
    return quote(text) +
           " is not a host; write a name or an address (the port is the listener's), or \"udp:HOST:PORT\" "
           "for one "
           "transport";
  };
  const auto scheme = text.substr(0, text.find(':'));
  out = {};
  for (const auto via : {transport::udp, transport::tcp, transport::tls})
    if (scheme == to_string(via)) out.via = via;
  if (!out.via) {
    const auto ip = ip_address::parse(text);
    const auto name = ip ? std::optional(ip->to_uri_host()) : parse_host(text);
    if (!name) return bad();
    out.host = *name;
    return {};
  }
  const auto rest = text.substr(std::min(scheme.size() + 1, text.size()));
  const auto where = parse_host_port(rest, std::uint16_t{0});
  if (!where || (where->port == 0 && parse_host_port(rest, std::nullopt))) return bad();
  const auto ip = ip_address::parse(where->host);
  out.host = ip ? ip->to_uri_host() : where->host;
  out.port = where->port;
  return {};
}

std::string write_advertised(const settings::advertised& a) {
  std::string out = a.via ? std::string(to_string(*a.via)) + ":" + a.host : a.host;
  if (a.port != 0) out += ":" + std::to_string(a.port);
  return out;
}

std::string parse_route(std::string_view text, settings::sip_route& out) {
  static constexpr std::string_view form =
      "; write \"sip:proxy.example.com;lr\" or \"sip:192.0.2.1:5060;lr\", with \";transport=tcp\" or "
      "\";transport=tls\"";
  if (text::istarts_with(text, "sips:"))
    return quote(text) + " asks for TLS on the whole way, which nobody can promise" + std::string(form);
  const auto plain = [](char c) {
    return c > ' ' && c < 0x7F && c != '<' && c != '>' && c != '"' && c != ',' && c != '?';
  };
  if (!text::istarts_with(text, "sip:") || !std::all_of(text.begin(), text.end(), plain)) {
    return quote(text) + " is not a SIP URI" + std::string(form);
  }
  auto rest = text::split(text.substr(4), ';');
  const auto where = parse_host_port(rest.front(), std::uint16_t{0});
  const bool no_port = where && where->port == 0 && parse_host_port(rest.front(), std::nullopt);
  if (!where || no_port) {
    if (rest.front().find('@') != std::string_view::npos)
      return quote(text) + " has a user part; a route names only a host";
    return quote(text) + " has no valid host and port" + std::string(form);
  }
  const auto ip = ip_address::parse(where->host);
  out =
      settings::sip_route{std::string(text), ip ? ip->to_uri_host() : where->host, where->port, std::nullopt};
  // RFC 3263 §4.1: an address is reached over UDP unless the URI says otherwise; a name may have its own
  // wishes.
  if (ip) {
    out.via = transport::udp;
    if (out.port == 0) out.port = 5060;
  }
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (auto why = apply_route_parameter(rest[i], text, out); !why.empty()) return why;
  }
  return {};
}

std::optional<log_level> parse_level(std::string_view text) {
  for (const auto level : {log_level::debug, log_level::info, log_level::warning, log_level::error}) {
    if (text == write_level(level)) return level;
  }
  return std::nullopt;
}

std::string_view write_level(log_level level) {
  switch (level) {
    case log_level::debug: return "debug";
    case log_level::info: return "info";
    case log_level::warning: return "warning";
    case log_level::error: return "error";
  }
  return "?";
}

std::string_view write_tls(settings::tls_policy tls) {
  switch (tls) {
    case settings::tls_policy::required: return "required";
    case settings::tls_policy::preferred: return "preferred";
  }
  return "?";
}

std::string_view write_auth(settings::s2s_auth auth) {
  switch (auth) {
    case settings::s2s_auth::pkix: return "pkix";
    case settings::s2s_auth::dane: return "dane";
    case settings::s2s_auth::dialback: return "dialback";
  }
  return "?";
}

bool is_public(const ip_address& ip) {
  static const std::array inside{
      prefix("127.0.0.0/8"),    prefix("10.0.0.0/8"),    prefix("172.16.0.0/12"), prefix("192.168.0.0/16"),
      prefix("169.254.0.0/16"), prefix("100.64.0.0/10"), prefix("::1"),           prefix("fc00::/7"),
      prefix("fe80::/10")};
  return std::none_of(inside.begin(), inside.end(), [&ip](const ip_prefix& p) { return p.contains(ip); });
}

bool is_loopback(const ip_address& ip) {
  static const std::array inside{prefix("127.0.0.0/8"), prefix("::1")};
  return std::any_of(inside.begin(), inside.end(), [&ip](const ip_prefix& p) { return p.contains(ip); });
}

std::string quote(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace stox::config
