// Lines of a trace back into events.
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "base/text.hpp"
#include "engine/row_text.hpp"
#include "engine/trace.hpp"

namespace stox::engine {

namespace {

std::optional<std::string> unquoted(std::string_view s) {
  if (s.size() < 2 || s.front() != '"' || s.back() != '"') return std::nullopt;
  s = s.substr(1, s.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '\\') {
      out += s[i];
      continue;
    }
    if (++i == s.size()) return std::nullopt;
    if (s[i] == 'r') {
      out += '\r';
    } else if (s[i] == 'n') {
      out += '\n';
    } else if (s[i] == 'x') {
      if (i + 2 >= s.size()) return std::nullopt;
      const auto byte = text::percent_decode("%" + std::string(s.substr(i + 1, 2)));
      if (!byte) return std::nullopt;
      out += *byte;
      i += 2;
    } else {
      out += s[i];
    }
  }
  return out;
}

/// "key=value key=value bytes="..."": value up to the next blank, bytes up to the end.
class field_reader {
 public:
  explicit field_reader(std::string_view s) : rest_(s) {}
  std::optional<std::string_view> get(std::string_view key) {
    if (rest_.substr(0, key.size()) != key || rest_.substr(key.size(), 1) != "=") return std::nullopt;
    rest_.remove_prefix(key.size() + 1);
    const auto end = key == "bytes" ? rest_.size() : std::min(rest_.find(' '), rest_.size());
    const auto value = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return value;
  }
  template <class Id>
  bool id(std::string_view key, Id& out) {
    const auto value = get(key);
    const auto n = value ? text::to_number(*value) : std::nullopt;
    if (n) out = Id{*n};
    return n.has_value();
  }
  bool address(std::string_view key, socket_address& out) {
    const auto value = get(key);
    const auto a = value ? socket_address::parse(*value) : std::nullopt;
    if (a) out = *a;
    return a.has_value();
  }
  bool via(transport& out) {
    const auto value = get("via");
    for (const auto t : {transport::udp, transport::tcp, transport::tls}) {
      if (value && *value == to_string(t)) {
        out = t;
        return true;
      }
    }
    return false;
  }
  bool use(conn_use& out) {
    const auto value = get("use");
    if (!value) return false;
    out = *value == "s2s" ? conn_use::s2s : *value == "component" ? conn_use::component : conn_use::sip;
    return true;
  }
  bool why(io::fail& out) {
    const auto value = get("why");
    const auto n = value ? text::to_number(*value, static_cast<std::uint64_t>(io::fail::tls)) : std::nullopt;
    if (n) out = static_cast<io::fail>(*n);
    return n.has_value();
  }

  bool decoded(std::string_view key, std::string& out) {
    const auto value = get(key);
    auto text = value ? text::percent_decode(*value) : std::nullopt;
    if (text) out = std::move(*text);
    return text.has_value();
  }
  bool identity(std::optional<peer_identity>& out) {
    if (!get("tls")) return true;
    auto& who = out.emplace();
    std::uint64_t chain_ok = 0, has_san = 0;
    if (!id("chain", chain_ok) || !decoded("why_not", who.why_not) || !id("san", has_san)) return false;
    who.chain_ok = chain_ok != 0;
    who.has_san = has_san != 0;
    const auto names = [this](std::string_view key, std::vector<std::string>& to) {
      for (std::string name; decoded(key, name);) to.push_back(name);
    };
    names("dns", who.san_dns);
    names("uri", who.san_uri);
    names("srv", who.san_srv);
    names("xmpp", who.san_xmpp);
    return decoded("cn", who.common_name) && decoded("fingerprint", who.fingerprint) &&
           decoded("spki", who.spki) && decoded("sni", who.sni) && decoded("alpn", who.alpn);
  }

  bool block(bool begins, event& out) {
    std::uint64_t time = 0;
    if (begins && !id("time", time)) return false;
    std::string what;
    if (!decoded("what", what)) return false;
    if (!begins) {
      out = unblocked{std::move(what)};
      return true;
    }
    blocked b{std::move(what), {}};
    if (time > 0) b.time = std::chrono::nanoseconds(time);
    out = std::move(b);
    return true;
  }

  bool rows(restored& x) {
    while (!rest_.empty()) {
      const auto end = std::min(rest_.find(' '), rest_.size());
      auto row = parse_row(rest_.substr(0, end));
      if (!row) return false;
      x.rows.push_back(*std::move(row));
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
    }
    return true;
  }

  bool answer(io::looked_up& x) {
    std::uint64_t status = 0, ttl = 0;
    std::uint64_t secure = 0;
    if (!id("id", x.id) || !id("status", status) || !id("ttl", ttl) || !id("secure", secure) || status > 3)
      return false;
    x.secure = secure != 0;
    x.status = static_cast<io::lookup_status>(status);
    x.ttl = static_cast<std::uint32_t>(ttl);
    while (const auto value = get("data")) {
      auto bytes = text::percent_decode(*value);
      if (!bytes) return false;
      x.data.push_back(std::move(*bytes));
    }
    return true;
  }

 private:
  std::string_view rest_;
};

/// What is not base/io.hpp's.
bool read_own_event(std::string_view name, field_reader& f, event& out) {
  if (name == "starting") {
    out = starting{};
    return true;
  }
  if (name == "timeout") {
    out = timeout{};
    return true;
  }
  if (name == "forced_end") {
    out = forced_end{};
    return true;
  }
  if (name == "shutdown") {
    std::uint64_t ns = 0;
    if (!f.id("limit", ns)) return false;
    out = shutdown{duration(static_cast<std::int64_t>(ns))};
    return true;
  }
  if (name == "write_queues") {
    write_queues x;
    if (!f.id("size", x.bytes)) return false;
    out = x;
    return true;
  }
  if (name == "block" || name == "unblock") return f.block(name == "block", out);
  if (name == "restored") return f.rows(out.emplace<restored>());
  if (name == "peer_forgotten") return f.decoded("name", out.emplace<peer_forgotten>().name);
  return false;
}

bool read_event(std::string_view name, field_reader f, event& out, std::string& storage) {
  if (read_own_event(name, f, out)) return true;
  io::event e;
  bool ok = false;
  if (name == "listening") {
    auto& x = e.emplace<io::listening>();
    ok = f.id("conn", x.conn) && f.use(x.use) && f.via(x.via) && f.address("local", x.local);
  } else if (name == "accepted") {
    auto& x = e.emplace<io::accepted>();
    ok = f.id("conn", x.conn) && f.use(x.use) && f.via(x.via) && f.address("local", x.local) &&
         f.address("peer", x.peer) && f.identity(x.identity);
  } else if (name == "opened") {
    auto& x = e.emplace<io::opened>();
    ok = f.id("conn", x.conn) && f.address("local", x.local) && f.address("peer", x.peer) &&
         f.identity(x.identity);
  } else if (name == "secured") {
    auto& x = e.emplace<io::secured>();
    std::optional<peer_identity> who;
    ok = f.id("conn", x.conn) && f.identity(who) && who;
    if (ok) x.identity = *std::move(who);
  } else if (name == "closed") {
    auto& x = e.emplace<io::closed>();
    ok = f.id("conn", x.conn) && f.why(x.why);
    if (ok) f.decoded("detail", x.detail);
  } else if (name == "received") {
    auto& x = e.emplace<io::received>();
    ok = f.id("conn", x.conn) && f.address("from", x.from);
    const auto bytes = ok ? f.get("bytes") : std::nullopt;
    auto raw = bytes ? unquoted(*bytes) : std::nullopt;
    ok = raw.has_value();
    if (ok) storage = std::move(*raw);
    x.bytes = storage;
  } else if (name == "sent") {
    ok = f.id("token", e.emplace<io::sent>().tok);
  } else if (name == "send_failed") {
    auto& x = e.emplace<io::send_failed>();
    ok = f.id("token", x.tok) && f.why(x.why);
  } else if (name == "blocked") {
    ok = f.id("conn", e.emplace<io::blocked>().conn);
  } else if (name == "writable") {
    ok = f.id("conn", e.emplace<io::writable>().conn);
  } else if (name == "looked_up") {
    ok = f.answer(e.emplace<io::looked_up>());
  }
  if (ok) out = e;
  return ok;
}

}  // namespace

result<trace_event> parse_trace_event(std::string_view line, std::string& storage) {
  // "> NUMBER STEADY WALL NAME fields"
  std::array<std::string_view, 5> words;
  auto rest = line;
  for (auto& word : words) {
    const auto end = std::min(rest.find(' '), rest.size());
    word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto steady = text::to_number(words[2], INT64_MAX);
  const auto wall = text::to_number(words[3], INT64_MAX);
  trace_event out;
  if (words[0] != ">" || !steady || !wall || !read_event(words[4], field_reader(rest), out.event, storage)) {
    return error(trace_errc::bad_line);
  }
  out.at.steady = steady_time(std::chrono::nanoseconds(*steady));
  out.at.wall = wall_time(std::chrono::duration_cast<wall_time::duration>(std::chrono::nanoseconds(*wall)));
  return out;
}

}  // namespace stox::engine
