#include "engine/trace.hpp"

#include <array>
#include <optional>

#include "base/overloaded.hpp"
#include "base/text.hpp"
#include "engine/row_text.hpp"

namespace stox::engine {

namespace {

constexpr std::array<std::string_view, 4> kinds = {"branch", "tag", "call_id", "stanza"};

std::string quoted(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7F) {
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out += '"';
}

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

// A record's data; without blanks, so that several can stand in a line.
std::string hex(std::string_view bytes) {
  std::string out;
  text::percent_encode(out, bytes, [](char) { return false; });
  return out;
}

/// What a TLS peer proved: " tls=1 chain=0 why_not=... san=1 dns=... uri=... cn=...", nothing without TLS.
std::string text_of(const std::optional<peer_identity>& who) {
  if (!who) return {};
  std::string out = std::string(" tls=1 chain=") + (who->chain_ok ? "1" : "0") +
                    " why_not=" + hex(who->why_not) + " san=" + (who->has_san ? "1" : "0");
  const auto add = [&out](std::string_view key, const std::vector<std::string>& values) {
    for (const auto& v : values) out.append(" ").append(key).append("=").append(hex(v));
  };
  add("dns", who->san_dns);
  add("uri", who->san_uri);
  add("srv", who->san_srv);
  add("xmpp", who->san_xmpp);
  return out + " cn=" + hex(who->common_name) + " fingerprint=" + who->fingerprint + " sni=" + hex(who->sni) +
         " alpn=" + hex(who->alpn);
}

template <class Id>
std::string number(Id id) {
  return std::to_string(static_cast<std::uint64_t>(id));
}

std::string text_of(const incident& i) {
  return "incident kind=" + std::string(i.kind) + " domain=" + quoted(i.domain) +
         " conversation=" + i.conversation + " call_id=" + quoted(i.call_id) +
         " stanza_id=" + quoted(i.stanza_id) + " from=" + quoted(i.from) + " to=" + quoted(i.to) +
         " cause=" + i.cause;
}

std::string_view use_name(conn_use u) { return u == conn_use::sip ? "sip" : "component"; }

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
           decoded("sni", who.sni) && decoded("alpn", who.alpn);
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
    if (!id("id", x.id) || !id("status", status) || !id("ttl", ttl) || status > 3) return false;
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

std::string why_of(io::fail f) { return " why=" + std::to_string(static_cast<unsigned>(f)); }

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
    ok = f.id("conn", x.conn) && f.via(x.via) && f.address("local", x.local);
  } else if (name == "accepted") {
    auto& x = e.emplace<io::accepted>();
    ok = f.id("conn", x.conn) && f.get("use") && f.via(x.via) && f.address("local", x.local) &&
         f.address("peer", x.peer) && f.identity(x.identity);
  } else if (name == "opened") {
    auto& x = e.emplace<io::opened>();
    ok = f.id("conn", x.conn) && f.address("local", x.local) && f.address("peer", x.peer) &&
         f.identity(x.identity);
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

const char* errc_name(trace_errc e) {
  switch (e) {
    case trace_errc::bad_line: return "bad_line";
  }
  return "?";
}

trace_writer::trace_writer(sink out, bool with_bodies)
    : out_(std::move(out)), redact_(with_bodies ? redactor::scope::secrets : redactor::scope::all) {
  out_(trace_header);
}

void trace_writer::line(char mark, const std::string& what, instant now) {
  out_(std::string(1, mark) + ' ' + std::to_string(++number_) + ' ' +
       std::to_string(std::chrono::nanoseconds(now.steady.time_since_epoch()).count()) + ' ' +
       std::to_string(std::chrono::nanoseconds(now.wall.time_since_epoch()).count()) + ' ' + what);
}

std::string trace_writer::bytes_of(conn_id conn, redactor::direction d, std::string_view bytes) {
  const bool stream = datagram_conns_.count(conn) == 0;
  return " bytes=" + quoted(redact_(conn, d, stream, bytes));
}

void trace_writer::on_event(const event& e, instant now) {
  const auto io_text = overloaded{
      [this](const io::listening& x) {
        if (x.via == transport::udp) datagram_conns_.insert(x.conn);
        return "listening conn=" + number(x.conn) + " via=" + std::string(to_string(x.via)) +
               " local=" + x.local.to_string();
      },
      [](const io::accepted& x) {
        return "accepted conn=" + number(x.conn) + " use=" + std::string(use_name(x.use)) +
               " via=" + std::string(to_string(x.via)) + " local=" + x.local.to_string() +
               " peer=" + x.peer.to_string() + text_of(x.identity);
      },
      [](const io::opened& x) {
        return "opened conn=" + number(x.conn) + " local=" + x.local.to_string() +
               " peer=" + x.peer.to_string() + text_of(x.identity);
      },
      [this](const io::closed& x) {
        redact_.forget(x.conn);
        return "closed conn=" + number(x.conn) + why_of(x.why) +
               (x.detail.empty() ? "" : " detail=" + hex(x.detail));
      },
      [this](const io::received& x) {
        return "received conn=" + number(x.conn) + " from=" + x.from.to_string() +
               bytes_of(x.conn, redactor::direction::in, x.bytes);
      },
      [](const io::sent& x) { return "sent token=" + number(x.tok); },
      [](const io::send_failed& x) { return "send_failed token=" + number(x.tok) + why_of(x.why); },
      [](const io::blocked& x) { return "blocked conn=" + number(x.conn); },
      [](const io::writable& x) { return "writable conn=" + number(x.conn); },
      [](const io::looked_up& x) {
        std::string out =
            "looked_up id=" + number(x.id) + " status=" + number(x.status) + " ttl=" + number(x.ttl);
        for (const auto& d : x.data) out += " data=" + hex(d);
        return out;
      },
  };
  line('>',
       std::visit(overloaded{
                      [&](const io::event& x) { return std::visit(io_text, x); },
                      [](const starting&) { return std::string("starting"); },
                      [](const timeout&) { return std::string("timeout"); },
                      [](const reconfigured&) { return std::string("reconfigured"); },
                      [](const shutdown& x) { return "shutdown limit=" + std::to_string(x.limit.count()); },
                      [](const write_queues& x) { return "write_queues size=" + std::to_string(x.bytes); },
                      [](const forced_end&) { return std::string("forced_end"); },
                      [](const blocked& x) {
                        const std::chrono::nanoseconds time = x.time.value_or(duration::zero());
                        return "block time=" + std::to_string(time.count()) + " what=" + hex(x.what);
                      },
                      [](const unblocked& x) { return "unblock what=" + hex(x.what); },
                      [](const restored& x) {
                        std::string out = "restored";
                        for (const auto& row : x.rows) out += " " + row_text(row);
                        return out;
                      },
                      [](const peer_forgotten& x) { return "peer_forgotten name=" + hex(x.name); },
                  },
                  e),
       now);
}

void trace_writer::on_action(const action& a, instant now) {
  const auto io_text = overloaded{
      [this](const io::send& x) {
        return "send conn=" + number(x.conn) + " token=" + number(x.tok) + " to=" + x.to.to_string() +
               bytes_of(x.conn, redactor::direction::out, x.bytes);
      },
      [](const io::open& x) {
        return "open conn=" + number(x.conn) + " use=" + std::string(use_name(x.use)) +
               " via=" + std::string(to_string(x.via)) + " host=" + x.host + " to=" + x.to.to_string() +
               (x.via == transport::tls ? " server_name=" + x.server_name + " own_name=" + x.own_name : "");
      },
      [](const io::close& x) { return "close conn=" + number(x.conn); },
      [](const io::lookup& x) {
        return "lookup id=" + number(x.id) + " type=" + std::string(io::to_string(x.type)) +
               " name=" + x.name;
      },
      [](const io::cancel_lookup& x) { return "cancel_lookup id=" + number(x.id); },
  };
  std::visit(overloaded{
                 [&](const io::action& x) { line('<', std::visit(io_text, x), now); },
                 [](const log_line&) {},
                 [&](const stopped&) { line('<', "stopped", now); },
                 [&](const incident_raised& x) { line('<', text_of(x.what), now); },
                 [&](const row_saved& x) { line('<', "save " + row_text(x.row), now); },
                 [&](const row_removed& x) { line('<', "remove " + key_text(x.key), now); },
             },
             a);
}

std::string recording_ids::next(id_kind kind) {
  auto id = inner_.next(kind);
  out_("= " + std::string(kinds[static_cast<std::size_t>(kind)]) + " " + id);
  return id;
}

std::uint64_t recording_ids::below(std::uint64_t bound) {
  const auto n = inner_.below(bound);
  out_("= below " + std::to_string(n));
  return n;
}

result<void> replayed_ids::add(std::string_view line) {
  const auto words = text::split(line, ' ');
  if (words.size() != 3 || words[0] != "=") return error(trace_errc::bad_line);
  if (words[1] != "below") {
    ids_.emplace_back(words[2]);
    return {};
  }
  const auto n = text::to_number(words[2]);
  if (!n) return error(trace_errc::bad_line);
  numbers_.push_back(*n);
  return {};
}

std::string replayed_ids::next(id_kind kind) {
  if (ids_.empty()) return beyond_.next(kind);
  auto id = std::move(ids_.front());
  ids_.pop_front();
  return id;
}

std::uint64_t replayed_ids::below(std::uint64_t bound) {
  if (numbers_.empty()) return 0;
  const auto n = numbers_.front();
  numbers_.pop_front();
  return bound == 0 ? 0 : n % bound;
}

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
