// The SIP endpoint over arbitrary datagrams, stream bytes, responses, broken sends and time, with a user that
// answers each request: each request that it tells of gets exactly one final response, each request that it
// takes exactly one outcome, strangers get no more bytes than they sent, and nothing is held once the timers
// ran out.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "base/ids.hpp"
#include "base/io.hpp"
#include "sip/machine/endpoint.hpp"

using namespace stox;

namespace {

constexpr conn_id udp{1}, tcp{2};
constexpr std::size_t memory_limit = 256 * 1024;

void require(bool condition) {
  if (!condition) std::abort();
}

class choices {
 public:
  explicit choices(std::string_view all) : rest_(all) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto b = static_cast<std::uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return b;
  }
  std::string_view text() {
    const std::size_t high = byte();
    const std::size_t wanted = high * 16 + byte();
    const std::string_view out = rest_.substr(0, wanted);
    rest_.remove_prefix(out.size());
    return out;
  }

 private:
  std::string_view rest_;
};

sip::endpoint_options options() {
  sip::endpoint_options o;
  o.trusted_peers = {*ip_prefix::parse("127.0.0.0/8")};
  o.sip_domains = {"sip.example"};
  o.methods = {sip::method::invite, sip::method::ack, sip::method::cancel, sip::method::message,
               sip::method::options};
  o.max_connections = 4;
  for (const char* realm : {"0", "1", "2"})
    o.credentials.push_back({{realm, "user", redacted("password")}, {}});
  return o;
}

/// A request that can be well-formed although the input is short: a few of its parts are chosen.
std::string some_request(choices& in) {
  static constexpr const char* methods[] = {"MESSAGE", "INVITE", "ACK", "CANCEL", "OPTIONS", "DANCE"};
  const std::string method = methods[in.byte() % 6];
  const std::string n = std::to_string(in.byte() % 4);
  const std::string id = std::to_string(in.byte() % 4);
  const std::string body(in.byte() % 8, 'b');
  return method + " sip:bo@xmpp.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK" + n +
         "\r\nMax-Forwards: 9\r\nFrom: <sip:a@sip.example>;tag=" + id +
         "\r\nTo: <sip:bo@xmpp.example>\r\nCall-ID: c" + id + "\r\nCSeq: 1 " + method +
         "\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// A response to the last request that was sent, with a status of choice.
std::string some_response(const std::string& request, choices& in) {
  static constexpr const char* codes[] = {"100", "180", "200", "404", "482", "486", "503", "487"};
  const auto choice = in.byte();
  const bool challenge = choice >= 224;
  std::string out = "SIP/2.0 " + std::string(challenge ? "407" : codes[choice % 8]) + " X\r\n";
  for (const char* name : {"Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "}) {
    const auto at = request.find(std::string("\r\n") + name);
    if (at == std::string::npos) return {};
    out += request.substr(at + 2, request.find("\r\n", at + 2) - at);
  }
  if (challenge) {
    out += "Proxy-Authenticate: Digest realm=\"" + std::to_string(in.byte() % 4) + "\", nonce=\"" +
           std::to_string(in.byte() % 4) +
           "\", qop=\"auth\", stale=" + (in.byte() % 2 == 0 ? "true" : "false") + "\r\n";
  }
  return out + "Content-Length: 0\r\n\r\n";
}

class world {
 public:
  explicit world(choices in) : in_(in), ep_(options(), deadlines_, ids_, memory_, io_, dns_) {
    ep_.set_ready(true);
    handle(io::listening{udp, transport::udp, address("127.0.0.1:5060")});
    handle(io::listening{tcp, transport::tcp, address("127.0.0.1:5060")});
  }

  void run() {
    for (int step = 0; step < 300 && !in_.empty(); ++step) {
      one();
      // Accepted work may go above the limit, by what the open requests and connections themselves hold.
      require(memory_.used() < memory_limit + (1U << 20U));
    }
    finish();
  }

 private:
  static socket_address address(std::string_view text) { return *socket_address::parse(text); }

  void one() {
    switch (in_.byte() % 15) {
      case 0: return datagram(in_.text(), "127.0.0.1:5080");
      case 1: return datagram(some_request(in_), "127.0.0.1:5080");
      case 2: return stranger(std::string(in_.text()));
      case 3: return stranger(some_request(in_));
      case 4: return accept();
      case 5: return stream(std::string(in_.text()));
      case 6: return stream(some_request(in_));
      case 7: return send();
      case 8: return respond();
      case 9: return datagram(some_response(last_request_, in_), "127.0.0.1:5071");
      case 10: return advance(std::chrono::milliseconds(in_.byte() * 40));
      case 11: return change_connection();
      case 12: fail_next_ = true; return;
      case 13:
        if (!sent_.empty()) ep_.cancel(*sent_.begin(), now_);
        return drain();
      case 14: return look_up();
    }
  }

  void datagram(std::string_view text, std::string_view from) {
    handle(io::received{udp, address(from), text});
  }

  void stranger(const std::string& text) {
    stranger_got_ = 0;
    datagram(text, "203.0.113.1:9");
    require(stranger_got_ <= text.size());
  }

  void accept() {
    const conn_id conn{++last_conn_};
    conns_.push_back(conn);
    open_.insert(conn);
    handle(io::accepted{conn, conn_use::sip, transport::tcp, address("127.0.0.1:5060"),
                        address("127.0.0.1:40000")});
  }

  void stream(const std::string& text) {
    if (conns_.empty()) accept();
    const conn_id conn = conns_[in_.byte() % conns_.size()];
    if (open_.count(conn) != 0) handle(io::received{conn, {}, text});
  }

  /// The DNS answers a question, with anything.
  void look_up() {
    if (lookups_.empty()) return;
    io::looked_up answer{lookups_.back(), static_cast<io::lookup_status>(in_.byte() % 4), in_.byte(), {}};
    lookups_.pop_back();
    for (unsigned n = in_.byte() % 4U; n > 0; --n) {
      answer.data.emplace_back(in_.byte() % 2 == 0 ? std::string("\x7f\0\0\1", 4) : std::string(in_.text()));
    }
    dns_.handle(answer, now_);
    drain();
  }

  void change_connection() {
    if (conns_.empty()) return;
    const conn_id conn = conns_[in_.byte() % conns_.size()];
    switch (in_.byte() % 4) {
      case 0: return close(conn, io::fail::reset);
      case 1:
        if (open_.insert(conn).second) handle(io::opened{conn, address("127.0.0.1:41000"), {}});
        return;
      case 2: return handle(io::blocked{conn});
      case 3: return handle(io::writable{conn});
    }
  }

  void close(conn_id conn, io::fail why) {
    for (std::size_t i = 0; i < conns_.size(); ++i) {
      if (conns_[i] != conn) continue;
      conns_.erase(conns_.begin() + static_cast<std::ptrdiff_t>(i));
      open_.erase(conn);
      return handle(io::closed{conn, why});
    }
  }

  void send() {
    static constexpr const char* methods[] = {"MESSAGE", "INVITE", "PUBLISH"};
    sip::outgoing out;
    out.request.method_name = methods[in_.byte() % 3];
    out.request.method = sip::parse_method(out.request.method_name);
    out.request.uri = "sip:a@sip.example";
    out.request.headers.add(sip::header::from, "<sip:bo@xmpp.example>;tag=1");
    out.request.headers.add(sip::header::to, "<sip:a@sip.example>");
    out.request.headers.add(sip::header::call_id, "x");
    out.request.headers.add(sip::header::cseq, "1 " + out.request.method_name);
    out.request.body = std::string(in_.byte() * 8U, 'x');
    for (unsigned n = in_.byte() % 4U; n > 0; --n) {
      const auto via = in_.byte() % 2 == 0 ? transport::udp : transport::tcp;
      static constexpr const char* hosts[] = {"127.0.0.1", "127.0.0.1", "a.example", "b.example"};
      const auto host = in_.byte();
      out.hops.push_back({hosts[host % 4], static_cast<std::uint16_t>(host < 128 ? 5071 : 0), via, false});
      if (host >= 192) out.hops.back().via.reset();
    }
    sent_.insert(ep_.request(std::move(out), now_));
    drain();
  }

  void respond() {
    if (open_requests_.empty()) return;
    auto it = open_requests_.begin();
    std::advance(it, in_.byte() % open_requests_.size());
    static constexpr std::uint16_t codes[] = {100, 180, 200, 404, 408, 486, 700};
    sip::reply r;
    r.status = codes[in_.byte() % 7];
    answer(it->first, r);
  }

  void answer(sip::server_tx tx, const sip::reply& r) {
    const auto it = open_requests_.find(tx);
    const bool final = r.status >= 200;
    const bool over_udp = it->second == transport::udp;
    if (final) open_requests_.erase(it);
    responses_ = 0;
    ep_.respond(tx, r, now_);
    drain();
    if (final && over_udp) require(responses_ <= 1);
    if (final && over_udp && !aged_) require(responses_ == 1);
  }

  void advance(duration d) {
    const steady_time end = now_.steady + d;
    while (deadlines_.next() && *deadlines_.next() <= end) {
      if (*deadlines_.next() > now_.steady) now_ = now_ + (*deadlines_.next() - now_.steady);
      const auto due = deadlines_.pop_due(now_.steady);
      if (due->owner == timer_owner::dns) {
        dns_.handle_timeout(due->id, now_);
      } else {
        ep_.handle_timeout(due->id, now_);
      }
      drain();
    }
    now_ = now_ + (end - now_.steady);
    if (now_.steady.time_since_epoch() >= std::chrono::seconds(32)) aged_ = true;
  }

  /// Everything is answered, every connection ends, all timers run out: nothing may be left.
  void finish() {
    fail_next_ = false;
    while (!open_requests_.empty()) {
      answer(open_requests_.begin()->first, {486, {}, {}, {}});
    }
    for (const sip::client_tx tx : std::set(sent_)) {
      ep_.cancel(tx, now_);
      drain();
    }
    for (int round = 0; round < 4; ++round) {
      advance(std::chrono::minutes(2));
      while (!conns_.empty()) close(conns_.back(), io::fail::peer_closed);
    }
    advance(std::chrono::hours(25));
    dns_.tidy(now_);
    ep_.tidy(now_);
    require(sent_.empty());
    require(ep_.stats().server_transactions == 0 && ep_.stats().client_transactions == 0);
    require(ep_.stats().connections == 0);
    require(deadlines_.size() == 0);
    require(memory_.used() == 0);
  }

  void handle(const io::event& e) {
    ep_.handle(e, now_);
    drain();
  }

  void drain() {
    for (bool again = true; again;) {
      again = false;
      while (auto a = dns_.poll()) ep_.resolved(*a, now_);
      for (io::action& a : std::exchange(io_.actions(), {})) {
        again = true;
        perform(a);
      }
      while (auto e = ep_.poll()) {
        again = true;
        tell(*e);
      }
      ep_.take_log();
    }
  }

  void perform(io::action& a) {
    if (const auto* o = std::get_if<io::open>(&a)) {
      conns_.push_back(o->conn);
    } else if (const auto* c = std::get_if<io::close>(&a)) {
      close(c->conn, io::fail::closed_here);
    } else if (const auto* q = std::get_if<io::lookup>(&a)) {
      lookups_.push_back(q->id);
    } else if (auto* sent = std::get_if<io::send>(&a)) {
      auto& s = *sent;
      require(s.conn == udp || open_.count(s.conn) != 0);
      if (s.to == address("203.0.113.1:9")) stranger_got_ += s.bytes.size();
      if (s.bytes.rfind("SIP/2.0 ", 0) == 0) {
        ++responses_;
      } else {
        last_request_ = s.bytes;
      }
      if (s.tok == token::none) return;
      if (std::exchange(fail_next_, false)) {
        ep_.handle(io::send_failed{s.tok, io::fail::unreachable}, now_);
      } else {
        ep_.handle(io::sent{s.tok}, now_);
      }
    }
  }

  void tell(const sip::event& e) {
    if (const auto* r = std::get_if<sip::request_received>(&e)) {
      require(r->peer.trusted);
      require(open_requests_.emplace(r->tx, r->peer.via).second);
    } else if (const auto* answer = std::get_if<sip::response_received>(&e)) {
      // One outcome, and nothing after it.
      require(sent_.count(answer->tx) != 0);
      if (answer->response.status >= 200) sent_.erase(answer->tx);
    } else if (const auto* f = std::get_if<sip::request_failed>(&e)) {
      require(sent_.erase(f->tx) == 1);
    }
  }

  choices in_;
  instant now_{};
  deadline_index deadlines_;
  counting_ids ids_;
  byte_account memory_{memory_limit};
  io_port io_;
  dns::resolver dns_{{}, deadlines_, memory_, io_};
  sip::endpoint ep_;
  std::vector<io::lookup_id> lookups_;
  std::vector<conn_id> conns_;
  std::set<conn_id> open_;
  std::map<sip::server_tx, transport> open_requests_;
  std::set<sip::client_tx> sent_;
  std::string last_request_;
  std::uint64_t last_conn_ = 10;
  std::size_t stranger_got_ = 0;
  std::size_t responses_ = 0;
  bool aged_ = false;  ///< 32 s passed: unanswered requests are forgotten
  bool fail_next_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  world(choices({reinterpret_cast<const char*>(data), size})).run();
  return 0;
}
