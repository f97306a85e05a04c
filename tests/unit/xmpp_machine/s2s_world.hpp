#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/overloaded.hpp"
#include "dns/resolver.hpp"
#include "xmpp/machine/federation.hpp"

namespace stox::xmpp {

using namespace std::chrono_literals;

inline bool contains(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

/// Several federating servers, their network and their DNS, in virtual time. Every server is the real thing;
/// what is played is the rim. Bytes between two of them can be looked at, held back and cut.
class s2s_world {
 public:
  struct server {
    std::string domain;
    socket_address clear, tls;  ///< where it listens
    peer_identity certificate;
    bool has_tls = true;
    deadline_index deadlines;
    byte_account memory{64 << 20};
    io_port io;
    counting_ids ids;
    std::unique_ptr<dns::resolver> dns;
    std::unique_ptr<federation> it;
    std::uint64_t accepted = 0;
    std::vector<std::string> heard;  ///< what its flows would hear
    std::vector<std::string> log;
  };

  explicit s2s_world(std::function<void(federation_options&)> change = {}) : change_(std::move(change)) {}

  /// 192.0.2.N, ports 5269 and 5270, found by an SRV record for STARTTLS.
  server& add(const std::string& domain, bool valid_certificate = true,
              const std::function<void(federation_options&)>& change = {}) {
    auto& s = *servers_.emplace_back(std::make_unique<server>());
    const auto n = servers_.size();
    s.domain = domain;
    s.clear = *socket_address::parse("192.0.2." + std::to_string(n) + ":5269");
    s.tls = *socket_address::parse("192.0.2." + std::to_string(n) + ":5270");
    s.certificate.chain_ok = valid_certificate;
    if (!valid_certificate) s.certificate.why_not = "self-signed certificate";
    s.certificate.has_san = true;
    s.certificate.san_dns = {domain};
    s.certificate.fingerprint = "f" + std::to_string(n);
    s.dns = std::make_unique<dns::resolver>(dns::resolver_options{}, s.deadlines, s.memory, s.io);
    federation_options o;
    o.served = {domain};
    o.dialback_secret = redacted("secret of " + domain);
    if (change_) change_(o);
    if (change) change(o);
    s.it = std::make_unique<federation>(o, s.deadlines, s.ids, s.memory, s.io, *s.dns);
    records[{io::record_type::srv, "_xmpp-server._tcp." + domain}] = {srv(0, 5269, "host." + domain)};
    records[{io::record_type::a, "host." + domain}] = {
        std::string(s.clear.ip.bytes.end() - 4, s.clear.ip.bytes.end())};
    return s;
  }

  server* find(const std::string& domain) {
    for (auto& s : servers_)
      if (s->domain == domain) return s.get();
    return nullptr;
  }

  static std::string srv(unsigned priority, unsigned port, const std::string& target) {
    std::string out;
    for (const unsigned n : {priority, 0U, port}) {
      out += static_cast<char>(n >> 8);
      out += static_cast<char>(n & 255);
    }
    std::string label;
    for (const char c : target + ".") {
      if (c != '.') {
        label += c;
        continue;
      }
      out += static_cast<char>(label.size());
      out += label;
      label.clear();
    }
    return out + '\0';
  }

  /// Until nothing moves.
  void run() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& s : servers_) moved = drain(*s) || moved;
      while (!tasks_.empty()) {
        auto task = std::move(tasks_.front());
        tasks_.pop_front();
        task();
        moved = true;
      }
    }
  }
  void pass(duration d) {
    const auto until = now.steady + d;
    for (;;) {
      run();
      std::optional<steady_time> next;
      for (auto& s : servers_)
        if (const auto due = s->deadlines.next()) next = next ? std::min(*next, *due) : *due;
      if (!next || *next > until) break;
      advance(std::max(*next, now.steady));
      for (auto& s : servers_) {
        while (const auto key = s->deadlines.pop_due(now.steady)) {
          if (key->owner == timer_owner::s2s) s->it->handle_timeout(key->id, now);
          if (key->owner == timer_owner::dns) s->dns->handle_timeout(key->id, now);
        }
      }
    }
    advance(until);
  }
  bool send(server& from, const server& to, std::uint64_t ref, const std::string& body = "hi") {
    return from.it->send(from.domain, to.domain, text(from, to, body), stanza_ref{ref}, now);
  }
  static std::string text(const server& from, const server& to, const std::string& body) {
    return "<message from='u@" + from.domain + "' to='v@" + to.domain + "' id='" + body + "'><body>" + body +
           "</body></message>";
  }
  /// Cuts every connection, and what is on its way; from then on bytes arrive again.
  void cut(io::fail why = io::fail::reset) {
    hold = false;
    for (auto& [id, e] : std::exchange(ends_, {})) {
      auto* owner = e.owner;
      for (const auto tok : std::exchange(e.untold, {})) owner->it->handle(io::send_failed{tok, why}, now);
      owner->it->handle(io::closed{id.second, why}, now);
    }
    tasks_.clear();
    run();
  }

  /// Bytes of one server to the other over the stream that they have, beside what it would say itself.
  void inject(server& from, server& to, const std::string& bytes) {
    for (const auto& [id, e] : ends_) {
      if (id.first != &from || e.peer != &to) continue;
      to.it->handle(io::received{e.there, {}, bytes}, now);
      break;
    }
    run();
  }

  // ---- a peer that is played by the test ----
  /// Connects to the server's clear or TLS port as somebody with that identity.
  conn_id dial_in(server& to, std::optional<peer_identity> who,
                  const std::string& from = "198.51.100.1:40000") {
    const auto conn = conn_id{mark_of(conn_use::s2s) | 1U << 20 | ++raw_};
    raw_to_ = &to;
    raw_out_.clear();
    raw_closed_ = false;
    raw_conn_ = conn;
    to.it->handle(io::accepted{conn, conn_use::s2s, who ? transport::tls : transport::tcp, to.clear,
                               *socket_address::parse(from), std::move(who)},
                  now);
    run();
    return conn;
  }
  /// What the server says to that; each call gives what is new.
  std::string say(const std::string& bytes) {
    raw_to_->it->handle(io::received{raw_conn_, {}, bytes}, now);
    run();
    return std::exchange(raw_out_, {});
  }
  std::string hear() {
    run();
    return std::exchange(raw_out_, {});
  }
  void secure(const peer_identity& who) {
    raw_to_->it->handle(io::secured{raw_conn_, who}, now);
    run();
  }
  /// What is said from now on is said by that one.
  void turn_to(conn_id conn) {
    raw_conn_ = conn;
    raw_closed_ = false;
    raw_out_.clear();
  }
  bool closed() const { return raw_closed_; }
  bool asked_tls() const { return raw_tls_; }
  const std::string& own_name() const { return raw_tls_name_; }  ///< whose certificate TLS is to show

  using question = std::pair<io::record_type, std::string>;
  std::map<question, std::vector<std::string>> records;  ///< everything else does not exist
  std::set<question> silent;                             ///< the DNS fails there
  std::set<question> secured_names;                      ///< DNSSEC proves these
  std::set<socket_address> refuses, black;  ///< addresses where nobody listens; that do not answer at all
  std::vector<std::string> wire;            ///< "a.example > b.example: bytes", once for each send
  std::vector<socket_address> tried;
  bool hold = false;  ///< bytes are on their way and do not arrive
  instant now{steady_time(1000s), {}};

  /// All that went from one to the other.
  std::string said(const std::string& from, const std::string& to) const {
    std::string out;
    const auto head = from + " > " + to + ": ";
    for (const auto& line : wire)
      if (line.compare(0, head.size(), head) == 0) out += line.substr(head.size());
    return out;
  }
  std::size_t connections() const { return ends_.size() / 2; }

 private:
  struct end {
    server* owner = nullptr;
    server* peer = nullptr;
    conn_id there{};
    bool wants_tls = false;
    std::set<token> untold;
  };
  using end_id = std::pair<server*, conn_id>;

  void advance(steady_time to) { now.steady = to; }
  void later(std::function<void()> task) { tasks_.push_back(std::move(task)); }

  bool drain(server& s) {
    bool moved = false;
    while (auto a = s.dns->poll()) {
      s.it->resolved(*a, now);
      moved = true;
    }
    auto actions = std::move(s.io.actions());
    s.io.actions().clear();
    for (auto& a : actions) {
      moved = true;
      std::visit([&](auto& x) { perform(s, x); }, a);
    }
    while (auto e = s.it->poll()) {
      moved = true;
      s.heard.push_back(words(*e));
    }
    for (auto& record : s.it->take_log()) {
      if (record.level < log_level::info) continue;
      std::string line(record.event);
      for (const auto& [key, value] : record.fields) line += " " + std::string(key) + "=" + value;
      s.log.push_back(std::move(line));
    }
    return moved;
  }

  static std::string words(const federation_event& e) {
    return std::visit(overloaded{
                          [](const link_up&) { return std::string("up"); },
                          [](const link_down& x) {
                            std::string out = "unheard";
                            for (const auto& t : x.unheard) out += " " + t;
                            return out;
                          },
                          [](const stanza_received& x) {
                            const auto* id = x.value.attr("id");
                            return x.value.name + " " + (id == nullptr ? "" : *id);
                          },
                          [](const stanza_refused& x) { return "refused " + x.head.name; },
                          [](const stanza_sent& x) { return "sent " + number(x.ref); },
                          [](const stanza_confirmed& x) { return "confirmed " + number(x.ref); },
                          [](const stanza_lost& x) {
                            return "lost " + number(x.ref) + (x.written ? " written" : "") +
                                   (x.why ? " " + std::string(to_string(x.why->condition)) : "");
                          },
                      },
                      e.what);
  }
  static std::string number(stanza_ref r) { return std::to_string(static_cast<std::uint64_t>(r)); }

  void perform(server& s, io::open& x) {
    tried.push_back(x.to);
    if (black.count(x.to) != 0) return;
    server* peer = nullptr;
    for (auto& p : servers_)
      if (p->clear == x.to || p->tls == x.to) peer = p.get();
    if (peer == nullptr || refuses.count(x.to) != 0)
      return later([this, &s, conn = x.conn] { s.it->handle(io::closed{conn, io::fail::refused}, now); });
    const bool direct = x.via == transport::tls;
    const auto there = conn_id{mark_of(conn_use::s2s) | ++peer->accepted};
    ends_[{&s, x.conn}] = {&s, peer, there, false, {}};
    ends_[{peer, there}] = {peer, &s, x.conn, false, {}};
    const auto from = socket_address{s.clear.ip, 40000};
    later([this, &s, peer, there, from, x, direct] {
      std::optional<peer_identity> mine, theirs;
      if (direct) {
        theirs = s.certificate;
        mine = peer->certificate;
        mine->alpn = theirs->alpn = x.alpn;
      }
      peer->it->handle(io::accepted{there, conn_use::s2s, x.via, x.to, from, theirs}, now);
      s.it->handle(io::opened{x.conn, from, x.to, mine}, now);
    });
  }
  void perform(server& s, io::send& x) {
    if (&s == raw_to_ && x.conn == raw_conn_) {
      raw_out_ += x.bytes;
      if (x.tok != token::none) later([this, &s, tok = x.tok] { s.it->handle(io::sent{tok}, now); });
      return;
    }
    const auto at = ends_.find({&s, x.conn});
    if (at == ends_.end()) {
      if (x.tok != token::none)
        later([this, &s, tok = x.tok] { s.it->handle(io::send_failed{tok, io::fail::reset}, now); });
      return;
    }
    auto& e = at->second;
    wire.push_back(s.domain + " > " + e.peer->domain + ": " + x.bytes);
    if (x.tok != token::none) {
      e.untold.insert(x.tok);
      later([this, &s, conn = x.conn, tok = x.tok] {
        const auto still = ends_.find({&s, conn});
        if (still == ends_.end() || still->second.untold.erase(tok) == 0) return;
        s.it->handle(io::sent{tok}, now);
      });
    }
    if (hold) return;
    later([this, peer = e.peer, there = e.there, bytes = x.bytes] {
      if (ends_.count({peer, there}) != 0) peer->it->handle(io::received{there, {}, bytes}, now);
    });
  }
  void perform(server& s, io::start_tls& x) {
    if (&s == raw_to_ && x.conn == raw_conn_) {
      raw_tls_ = true;
      raw_tls_name_ = x.own_name;
      return;
    }
    const auto at = ends_.find({&s, x.conn});
    if (at == ends_.end()) return;
    auto& e = at->second;
    e.wants_tls = true;
    auto& other = ends_.at({e.peer, e.there});
    if (!other.wants_tls) return;
    later([this, &s, conn = x.conn, peer = e.peer, there = e.there] {
      peer->it->handle(io::secured{there, s.certificate}, now);
      s.it->handle(io::secured{conn, peer->certificate}, now);
    });
  }
  void perform(server& s, io::close& x) {
    if (&s == raw_to_ && x.conn == raw_conn_) {
      raw_closed_ = true;
      return later([this, &s, conn = x.conn] { s.it->handle(io::closed{conn, io::fail::closed_here}, now); });
    }
    const auto at = ends_.find({&s, x.conn});
    if (at == ends_.end()) return;
    const auto e = at->second;
    later([this, &s, conn = x.conn, e] {
      ends_.erase({&s, conn});
      ends_.erase({e.peer, e.there});
      for (const auto tok : e.untold) s.it->handle(io::sent{tok}, now);
      s.it->handle(io::closed{conn, io::fail::closed_here}, now);
      e.peer->it->handle(io::closed{e.there, io::fail::peer_closed}, now);
    });
  }
  void perform(server& s, io::lookup& x) {
    io::looked_up a{x.id, io::lookup_status::no_name, 60, {}};
    const question q{x.type, x.name};
    if (silent.count(q) != 0) a.status = io::lookup_status::failed;
    if (const auto at = records.find(q); at != records.end()) {
      a.status = io::lookup_status::found;
      a.data = at->second;
    }
    a.secure = secured_names.count(q) != 0;
    later([this, &s, a] { s.dns->handle(a, now); });
  }
  void perform(server&, io::cancel_lookup&) {}

  std::function<void(federation_options&)> change_;
  std::vector<std::unique_ptr<server>> servers_;
  std::map<end_id, end> ends_;
  std::deque<std::function<void()>> tasks_;
  server* raw_to_ = nullptr;
  conn_id raw_conn_{};
  std::string raw_out_, raw_tls_name_;
  bool raw_closed_ = false, raw_tls_ = false;
  std::uint64_t raw_ = 0;
};

}  // namespace stox::xmpp
