#pragma once

#include <chrono>
#include <memory>
#include <optional>
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

/// A SIP endpoint in virtual time, with everything it did written down.
namespace stox::test {

/// A request as text; what is empty is left out.
struct sip_text {
  std::string method = "MESSAGE";
  std::string uri = "sip:bo@xmpp.example";
  std::string via = "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa1;rport";
  std::string max_forwards = "70";
  std::string from = "<sip:ana@sip.example>;tag=f1";
  std::string to = "<sip:bo@xmpp.example>";
  std::string call_id = "call-1";
  std::string cseq = "1";
  std::string extra = {};  ///< whole lines, each with CRLF
  std::string type = "text/plain";
  std::string body = "hello";

  std::string str() const {
    std::string out = method + " " + uri + " SIP/2.0\r\n";
    const auto line = [&out](std::string_view name, const std::string& value) {
      if (!value.empty()) out += std::string(name) + ": " + value + "\r\n";
    };
    line("Via", via);
    line("Max-Forwards", max_forwards);
    line("From", from);
    line("To", to);
    line("Call-ID", call_id);
    if (!cseq.empty()) line("CSeq", cseq + " " + method);
    out += extra;
    if (!body.empty()) line("Content-Type", type);
    line("Content-Length", std::to_string(body.size()));
    return out + "\r\n" + body;
  }
};

/// A response to a request that the endpoint sent, as its peer would write it.
inline std::string answer_to(std::string_view request, int code, std::string_view reason = "Word") {
  std::string out = "SIP/2.0 " + std::to_string(code) + " " + std::string(reason) + "\r\n";
  for (const std::string_view name : {"Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "}) {
    const auto at = request.find(std::string("\r\n") + std::string(name));
    if (at == std::string_view::npos) continue;
    out += request.substr(at + 2, request.find("\r\n", at + 2) - at - 2);
    if (name == "To: " && code != 100) out += ";tag=peer";
    out += "\r\n";
  }
  return out + "Content-Length: 0\r\n\r\n";
}

/// The value of the first header line of that name; "" when absent.
inline std::string header_of(std::string_view message, std::string_view name) {
  const std::string start = "\r\n" + std::string(name) + ": ";
  const auto at = message.find(start);
  if (at == std::string_view::npos) return {};
  const auto from = at + start.size();
  return std::string(message.substr(from, message.find("\r\n", from) - from));
}

inline constexpr conn_id udp4{1}, tcp4{2}, udp6{3};

struct sip_world {
  struct sent {
    std::chrono::milliseconds at;
    io::send what;
    std::string first_line() const { return what.bytes.substr(0, what.bytes.find("\r\n")); }
  };

  explicit sip_world(sip::endpoint_options o = defaults(), std::size_t memory_limit = 64 << 20)
      : memory(memory_limit), ep(std::move(o), deadlines, ids, memory, io, dns) {
    ep.set_ready(true);
    handle(io::listening{udp4, transport::udp, address("127.0.0.1:5060")});
    handle(io::listening{tcp4, transport::tcp, address("127.0.0.1:5060")});
    handle(io::listening{udp6, transport::udp, address("[::1]:5060")});
  }

  static sip::endpoint_options defaults() {
    sip::endpoint_options o;
    o.trusted_peers = {*ip_prefix::parse("127.0.0.0/8"), *ip_prefix::parse("::1")};
    o.sip_domains = {"sip.example"};
    o.product.clear();
    return o;
  }
  static socket_address address(std::string_view text) { return *socket_address::parse(text); }
  static sip::target udp_to(std::string_view text) { return {transport::udp, address(text)}; }
  static sip::target tcp_to(std::string_view text) { return {transport::tcp, address(text)}; }

  void handle(const io::event& e) {
    ep.handle(e, now);
    drain();
  }
  void datagram(std::string_view text, std::string_view from = "127.0.0.1:5080", conn_id listener = udp4) {
    handle(io::received{listener, address(from), text});
  }
  void stream(conn_id conn, std::string_view text) { handle(io::received{conn, {}, text}); }
  void accept(conn_id conn, std::string_view peer = "127.0.0.1:40000") {
    handle(io::accepted{conn, conn_use::sip, transport::tcp, address("127.0.0.1:5060"), address(peer)});
  }
  void open(conn_id conn) { handle(io::opened{conn, address("127.0.0.1:41000"), {}}); }

  /// `domain`: the served one for which it is sent.
  sip::client_tx request(const sip_text& text, std::vector<sip::target> targets, std::string domain = {},
                         std::size_t longest = 1300) {
    auto parsed = sip::parse_message(text.str(), sip::framing::datagram, {});
    std::vector<sip::destination> hops;
    for (const auto& t : targets) hops.push_back({t.to.ip.to_uri_host(), t.to.port, t.via, false});
    return request_by(std::get<sip::request>(*parsed), std::move(hops), std::move(domain), longest);
  }
  /// To wherever the DNS says; its questions are `lookups`.
  sip::client_tx request_to(const sip_text& text, const std::string& next_hop) {
    auto parsed = sip::parse_message(text.str(), sip::framing::datagram, {});
    return request_by(std::get<sip::request>(*parsed), {*sip::destination_of(*sip::parse_uri(next_hop))});
  }
  sip::client_tx request_by(sip::request r, std::vector<sip::destination> hops, std::string domain = {},
                            std::size_t longest = 1300) {
    const auto tx = ep.request({std::move(r), std::move(hops), std::move(domain), longest}, now);
    drain();
    return tx;
  }
  /// Answers the oldest question; its address records are given as text.
  void answer(io::lookup_status status, std::vector<std::string> data = {}) {
    const auto q = lookups.front();
    lookups.erase(lookups.begin());
    dns.handle(io::looked_up{q.id, status, 60, std::move(data)}, now);
    while (auto a = dns.poll()) ep.resolved(*a, now);
    drain();
  }
  void respond(sip::server_tx tx, std::uint16_t status, std::string body = {}) {
    sip::reply r;
    r.status = status;
    r.body = std::move(body);
    ep.respond(tx, r, now);
    drain();
  }
  void cancel(sip::client_tx tx) {
    ep.cancel(tx, now);
    drain();
  }

  /// Goes forward to each deadline on the way.
  void advance(duration d) {
    const steady_time end = now.steady + d;
    while (deadlines.next() && *deadlines.next() <= end) {
      move_to(*deadlines.next());
      while (const auto due = deadlines.pop_due(now.steady)) {
        if (due->owner == timer_owner::dns) {
          dns.handle_timeout(due->id, now);
          while (auto a = dns.poll()) ep.resolved(*a, now);
        } else {
          ep.handle_timeout(due->id, now);
        }
        drain();
      }
    }
    move_to(end);
  }
  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now.steady.time_since_epoch());
  }

  template <class T>
  std::vector<T> all() const {
    std::vector<T> out;
    for (const sip::event& e : events) {
      if (const T* t = std::get_if<T>(&e)) out.push_back(*t);
    }
    return out;
  }
  /// "500 OPTIONS sip:... SIP/2.0" for each send, without what `from` skips.
  std::vector<std::string> timeline() const {
    std::vector<std::string> out;
    for (const sent& s : sends) {
      const std::string line = s.first_line();
      const bool is_response = line.rfind("SIP/2.0 ", 0) == 0;
      out.push_back(std::to_string(s.at.count()) + " " +
                    (is_response ? line.substr(8, 3) : line.substr(0, line.find(' '))));
    }
    return out;
  }
  const std::string& last() const { return sends.back().what.bytes; }
  void forget() {
    sends.clear();
    events.clear();
    opens.clear();
    closes.clear();
  }

  instant now{};
  deadline_index deadlines;
  counting_ids ids;
  byte_account memory;
  io_port io;
  dns::resolver dns{{}, deadlines, memory, io};
  sip::endpoint ep;

  std::vector<sent> sends;
  std::vector<io::open> opens;
  std::vector<io::close> closes;
  std::vector<io::lookup> lookups;
  std::vector<sip::event> events;
  std::vector<log_record> log;
  bool report_sends = true;  ///< the kernel takes everything at once
  int fail_send = 0;         ///< counts down: that send with a token fails
  io::fail fail_why = io::fail::unreachable;

 private:
  void move_to(steady_time t) {
    if (t > now.steady) now = now + (t - now.steady);
  }
  void drain() {
    for (bool again = true; again;) {
      again = false;
      for (io::action& a : std::exchange(io.actions(), {})) {
        again = true;
        if (auto* s = std::get_if<io::send>(&a)) {
          const token tok = s->tok;
          sends.push_back({elapsed(), std::move(*s)});
          if (tok == token::none) continue;
          if (fail_send > 0 && --fail_send == 0) {
            ep.handle(io::send_failed{tok, fail_why}, now);
          } else if (report_sends) {
            ep.handle(io::sent{tok}, now);
          }
        } else if (auto* o = std::get_if<io::open>(&a)) {
          opens.push_back(*o);
        } else if (auto* c = std::get_if<io::close>(&a)) {
          closes.push_back(*c);
        } else if (auto* q = std::get_if<io::lookup>(&a)) {
          lookups.push_back(*q);
        }
      }
      while (auto e = ep.poll()) events.push_back(std::move(*e));
      for (log_record& r : ep.take_log()) log.push_back(std::move(r));
    }
  }
};

}  // namespace stox::test
