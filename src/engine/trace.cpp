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
  return out + " cn=" + hex(who->common_name) + " fingerprint=" + who->fingerprint + " spki=" + who->spki +
         " sni=" + hex(who->sni) + " alpn=" + hex(who->alpn);
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

std::string_view use_name(conn_use u) {
  switch (u) {
    case conn_use::sip: return "sip";
    case conn_use::component: return "component";
    case conn_use::s2s: return "s2s";
  }
  return "?";
}

std::string why_of(io::fail f) { return " why=" + std::to_string(static_cast<unsigned>(f)); }

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
        return "listening conn=" + number(x.conn) + " use=" + std::string(use_name(x.use)) +
               " via=" + std::string(to_string(x.via)) + " local=" + x.local.to_string();
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
      [](const io::secured& x) { return "secured conn=" + number(x.conn) + text_of(x.identity); },
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
        std::string out = "looked_up id=" + number(x.id) + " status=" + number(x.status) +
                          " ttl=" + number(x.ttl) + " secure=" + (x.secure ? "1" : "0");
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
               (x.via == transport::tls ? " server_name=" + x.server_name + " own_name=" + x.own_name : "") +
               (x.alpn.empty() ? "" : " alpn=" + x.alpn);
      },
      [](const io::start_tls& x) {
        return "start_tls conn=" + number(x.conn) + " server_name=" + x.server_name +
               " own_name=" + x.own_name;
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

}  // namespace stox::engine
