#include "sip/machine/connections.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace stox::sip {

namespace {

/// What may wait for a stream that does not take bytes; beyond it the peer does not read, and the stream is
/// closed.
constexpr std::size_t max_waiting_bytes = 256 * 1024;
/// What is longer than a datagram leaves half of that to the rest, and is turned away alone.
constexpr std::size_t short_bytes = 1500;
// About what OpenSSL holds of an open connection, buffers included; it cannot be asked.
constexpr std::size_t tls_memory = 48 * 1024;

bool is_loopback(const ip_address& a) {
  static const ip_prefix v4 = *ip_prefix::parse("127.0.0.0/8");
  static const ip_prefix v6 = *ip_prefix::parse("::1");
  return v4.contains(a) || v6.contains(a);
}

}  // namespace

connections::stream* connections::find(conn_id conn) {
  const auto it = by_conn_.find(conn);
  return it == by_conn_.end() ? nullptr : streams_.find(it->second);
}

const connections::stream* connections::find(conn_id conn) const {
  return const_cast<connections*>(this)->find(conn);
}

connections::stream& connections::add(conn_id conn, transport via, instant now) {
  const auto number = streams_.create();
  by_conn_.emplace(conn, number);
  stream& s = *streams_.find(number);
  s.conn = conn;
  s.via = via;
  s.last_used = now.steady;
  s.memory = charge(ctx_.memory, sizeof(stream));
  ctx_.stats.connections = streams_.size();
  return s;
}

void connections::listening(const io::listening& e) {
  listeners_.push_back({e.conn, e.via, e.local});
  ctx_.note(log_level::info, "sip.listening", {},
            {{"transport", std::string(to_string(e.via))}, {"address", e.local.to_string()}});
}

bool connections::refuse_stranger() const {
  const std::size_t max = ctx_.options.max_connections;
  return strangers_ >= std::max<std::size_t>(1, max / 4) || streams_.size() >= max;
}

/// At the limit a trusted peer takes the place of the stranger that was silent longest. Strangers that are
/// being closed are in nobody's way: they cannot shut a trusted peer out.
bool connections::make_room() {
  if (streams_.size() < ctx_.options.max_connections) return true;
  if (streams_.size() - strangers_ >= ctx_.options.max_connections) return false;
  stream* oldest = nullptr;
  for (const auto& [conn, number] : by_conn_) {
    stream* s = streams_.find(number);
    if (!s->stranger || s->closing) continue;
    if (oldest == nullptr || s->last_used < oldest->last_used ||
        (s->last_used == oldest->last_used && s->conn < oldest->conn)) {
      oldest = s;
    }
  }
  if (oldest != nullptr) close(*oldest);
  return true;
}

void connections::accepted(const io::accepted& e, instant now) {
  auto proven = proven_by(e.identity);
  const bool trusted = is_trusted(e.peer.ip, proven);
  if (trusted ? !make_room() : refuse_stranger()) {
    ctx_.io.push(io::close{e.conn});
    if (!trusted) ++ctx_.stats.strangers_refused;
    ctx_.note(trusted ? log_level::warning : log_level::debug, "sip.connection_refused", {},
              {{"peer", e.peer.to_string()}, {"why", "too many connections"}});
    return;
  }
  stream& s = add(e.conn, e.via, now);
  s.local = e.local;
  s.peer = e.peer;
  s.proven = std::move(proven);
  if (e.identity) s.shown = name_shown_to(*e.identity);
  s.open = true;
  if (!trusted) {
    s.stranger = true;
    s.end = now.steady + ctx_.options.stranger_time;
    ctx_.stats.strangers = ++strangers_;
  }
  update(s);
}

void connections::opened(const io::opened& e, instant now) {
  stream* s = find(e.conn);
  if (s == nullptr || s->closing) return;
  if (!prove(*s, e.identity)) return close(*s);
  s->open = true;
  s->local = e.local;
  s->last_used = s->last_heard = now.steady;
  draw_ping(*s);
  flush(*s);
  update(*s);
}

connection_loss connections::closed(const io::closed& e) {
  const auto it = by_conn_.find(e.conn);
  if (it == by_conn_.end()) return {};
  connection_loss loss;
  stream& s = *streams_.find(it->second);
  loss.why = s.why_closed;
  if (loss.why.empty()) loss.why = std::string(to_string(e.why)) + (e.detail.empty() ? "" : ": " + e.detail);
  if (e.why == io::fail::tls && s.outgoing) {
    ctx_.note(log_level::warning, "sip.tls_failed", {},
              {{"peer", s.peer.to_string()}, {"domain", s.domain}, {"why", e.detail}});
  }
  for (const waiting_send& w : s.waiting) loss.unsent.push_back(w.tok);
  loss.users.assign(s.users.begin(), s.users.end());
  // In the order of their numbers, so that a run can be repeated.
  std::sort(loss.users.begin(), loss.users.end());
  end_reuse(s);
  ctx_.arm(s.timer, owner::stream, it->second, std::nullopt);
  if (s.stranger) ctx_.stats.strangers = --strangers_;
  stranger_bytes_ -= s.answer_bytes;
  streams_.destroy(it->second);
  by_conn_.erase(it);
  ctx_.stats.connections = streams_.size();
  return loss;
}

void connections::blocked(conn_id conn, bool is_blocked) {
  stream* s = find(conn);
  if (s == nullptr) return;
  s->blocked = is_blocked;
  if (s->open && !s->closing) flush(*s);
  update(*s);
}

void connections::flush(stream& s) {
  if (s.blocked) return;
  for (waiting_send& w : s.waiting) ctx_.io.push(io::send{s.conn, w.tok, {}, std::move(w.bytes)});
  s.waiting.clear();
  s.waiting_bytes = 0;
}

void connections::close(conn_id conn) {
  if (stream* s = find(conn)) close(*s);
}

void connections::close(stream& s) {
  if (s.closing) return;
  s.closing = true;
  end_reuse(s);
  ctx_.io.push(io::close{s.conn});
  update(s);
}

void connections::cut(conn_id conn, std::string_view why) {
  stream* s = find(conn);
  if (s != nullptr && !s->closing) cut(*s, why, log_level::info);
}

void connections::cut(stream& s, std::string_view why, log_level level) {
  if (s.stranger) {
    ++ctx_.stats.strangers_cut;
    level = log_level::debug;
  }
  ctx_.note(level, "sip.connection_closed", {}, {{"peer", s.peer.to_string()}, {"why", std::string(why)}});
  close(s);
}

/// When the stream is next looked at: for an unfinished message, a keep-alive, or its idle limit.
steady_time connections::due(const stream& s) const {
  if (s.end) return *s.end;
  steady_time when = s.last_used + ctx_.options.tcp_idle;
  if (s.begun) when = std::min(when, *s.begun + ctx_.options.tcp_incomplete);
  if (const auto ping = ping_due(s)) when = std::min(when, *ping);
  return when;
}

void connections::draw_ping(stream& s) {
  // RFC 5626 §4.4.1: at random between 80 and 100 %, or all that connected together would ping together.
  using std::chrono::milliseconds;
  const auto most = ctx_.options.ping_after;
  const auto range = std::chrono::duration_cast<milliseconds>(most / 5).count();
  s.ping_after = most - milliseconds(ctx_.ids.below(static_cast<std::uint64_t>(range) + 1));
}

std::optional<steady_time> connections::ping_due(const stream& s) const {
  if (!s.outgoing || !s.open) return std::nullopt;
  if (s.pinged && s.pongs) return *s.pinged + ctx_.options.pong_within;
  // What we send shows nothing of the peer: only silence of his counts.
  return std::max(s.last_heard, s.last_ping.value_or(s.last_heard)) + s.ping_after;
}

/// RFC 5626 §3.5.1, §4.4.1. Who never answered a ping may not know them: he is not judged by that. Pings and
/// their answers are no use of the stream: one that nobody needs still ends.
void connections::keep_alive(stream& s, instant now) {
  const auto due = ping_due(s);
  if (!due || now.steady < *due) return;
  if (s.pinged && s.pongs) return cut(s, "it does not answer keep-alives", log_level::info);
  s.last_ping = now.steady;
  draw_ping(s);  // §4.4.1: another one for each ping
  if (s.blocked) return;
  s.pinged = now.steady;
  ++ctx_.stats.pings;
  ctx_.io.push(io::send{s.conn, token::none, {}, "\r\n\r\n"});
}

/// Sets the timer and the memory charge. The timer only ever moves forward here; when it fires too early it
/// is set again, so that traffic does not cost an operation on the index per message.
void connections::update(stream& s) {
  const std::size_t secure = s.via == transport::tls ? tls_memory : 0;
  s.memory.resize(sizeof(stream) + s.framer.held() + s.waiting_bytes + names_size(s) + secure);
  const std::uint64_t number = by_conn_.at(s.conn);
  if (s.closing) {
    s.armed.reset();
    ctx_.arm(s.timer, owner::stream, number, std::nullopt);
    return;
  }
  const steady_time when = due(s);
  if (s.armed && *s.armed <= when) return;
  s.armed = when;
  ctx_.arm(s.timer, owner::stream, number, when);
}

void connections::timeout(std::uint64_t number, instant now) {
  stream* s = streams_.find(number);
  if (s == nullptr || s->closing) return;
  s->armed.reset();
  if (s->end && *s->end <= now.steady) return cut(*s, "it said nothing in time", log_level::debug);
  if (s->begun && *s->begun + ctx_.options.tcp_incomplete <= now.steady) {
    ++ctx_.stats.garbage;
    return cut(*s, "a message was not finished in time", log_level::info);
  }
  if (s->last_used + ctx_.options.tcp_idle <= now.steady) {
    if (s->users.empty()) return cut(*s, "idle", log_level::debug);
    s->last_used = now.steady;  // somebody waits for a response on it
  }
  keep_alive(*s, now);
  update(*s);
}

bool connections::begin_read(conn_id conn, std::string_view bytes, instant now) {
  stream* s = find(conn);
  if (s == nullptr || s->closing) return false;
  // RFC 5626 §4.4.1: one line end after a ping is its answer, two are a ping of theirs.
  if (s->pinged && bytes.starts_with("\r\n") && !bytes.starts_with("\r\n\r\n")) {
    s->pongs = true;
    bytes.remove_prefix(2);
  }
  s->pinged.reset();
  s->last_heard = now.steady;
  if (!bytes.empty()) s->last_used = now.steady;
  s->framer.feed(bytes);
  return true;
}

frame connections::next_frame(conn_id conn) {
  stream* s = find(conn);
  if (s == nullptr || s->closing) return {};
  frame f = s->framer.next(ctx_.options.limits);
  // What follows a whole message has its own time.
  if (f.what == frame::kind::whole) s->begun.reset();
  return f;
}

void connections::end_read(conn_id conn, instant now) {
  stream* s = find(conn);
  if (s == nullptr) return;
  s->framer.stash();
  if (!s->framer.incomplete()) {
    s->begun.reset();
  } else if (!s->begun) {
    s->begun = now.steady;
  }
  update(*s);
}

conn_id connections::connect(const target& to, std::string_view domain, instant now) {
  std::string own = our_name(to, domain);
  reuse_key key{to.via, to.to, to.domain, own};
  const auto it = reusable_.find(key);
  if (it != reusable_.end()) return it->second;
  if (!make_room()) return conn_id::none;
  const conn_id conn = ctx_.io.new_conn(conn_use::sip);
  stream& s = add(conn, to.via, now);
  s.peer = to.to;
  s.domain = to.domain;
  s.outgoing = true;
  reuse(s, std::move(key));
  ctx_.io.push(io::open{conn, conn_use::sip, to.via, {}, to.to, to.domain, std::move(own)});
  update(s);
  return conn;
}

bool connections::send(conn_id conn, token tok, std::string bytes, instant now) {
  stream* s = find(conn);
  if (s == nullptr || s->closing) return false;
  s->last_used = now.steady;
  if (s->stranger) {
    if (stranger_bytes_ + bytes.size() > ctx_.options.stranger_bytes) {
      ++ctx_.stats.suppressed;
      close(*s);
      return false;
    }
    s->answer_bytes += bytes.size();
    stranger_bytes_ += bytes.size();
  }
  if (s->open && !s->blocked) {
    ctx_.io.push(io::send{conn, tok, {}, std::move(bytes)});
    return true;
  }
  const auto waiting = s->waiting_bytes + bytes.size();
  if (bytes.size() > short_bytes && waiting > max_waiting_bytes / 2) return false;
  if (waiting > max_waiting_bytes) {
    cut(*s, "it does not take what we send", log_level::warning);
    return false;
  }
  s->waiting_bytes += bytes.size();
  s->waiting.push_back({tok, std::move(bytes)});
  update(*s);
  return true;
}

void connections::send_datagram(conn_id conn, const socket_address& to, token tok, std::string bytes) {
  ctx_.io.push(io::send{conn, tok, to, std::move(bytes)});
}

bool connections::withdraw(conn_id conn, token tok) {
  stream* s = find(conn);
  if (s == nullptr) return false;
  const auto it = std::find_if(s->waiting.begin(), s->waiting.end(),
                               [tok](const waiting_send& w) { return w.tok == tok; });
  if (it == s->waiting.end()) return false;
  s->waiting_bytes -= it->bytes.size();
  s->waiting.erase(it);
  update(*s);
  return true;
}

void connections::add_user(conn_id conn, std::uint64_t number) {
  if (stream* s = find(conn)) s->users.insert(number);
}

void connections::remove_user(conn_id conn, std::uint64_t number) {
  if (stream* s = find(conn)) s->users.erase(number);
}

const listener* connections::find_listener(conn_id conn) const {
  const auto it = std::find_if(listeners_.begin(), listeners_.end(),
                               [conn](const listener& l) { return l.conn == conn; });
  return it == listeners_.end() ? nullptr : &*it;
}

const listener* connections::choose_listener(transport via, const ip_address& to) const {
  const listener* best = nullptr;
  int best_score = 0;
  for (const listener& l : listeners_) {
    if (l.via != via) continue;
    int score = 0;
    if (l.local.ip.is_v4() == to.is_v4()) {
      score = is_loopback(l.local.ip) == is_loopback(to) ? 3 : 2;
    } else if (l.local.ip.is_unspecified() && !l.local.ip.is_v4()) {
      score = 1;  // "::" usually takes both families
    }
    if (score > best_score) {
      best = &l;
      best_score = score;
    }
  }
  return best;
}

void connections::list(peer_table& out) const {
  streams_.for_each([&out](const stream& s) {
    auto& peer = out[{s.via, {s.peer.ip, s.outgoing ? s.peer.port : std::uint16_t{0}}}];
    ++peer.streams;
    if (s.blocked) ++peer.stalled;
  });
}

std::optional<connections::ends> connections::find_stream(conn_id conn) const {
  const auto it = by_conn_.find(conn);
  if (it == by_conn_.end()) return std::nullopt;
  const stream* s = streams_.find(it->second);
  if (s == nullptr || s->closing) return std::nullopt;
  return ends{s->via, s->local, s->peer};
}

}  // namespace stox::sip
