#include "xmpp/machine/federation.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dns/resolver.hpp"

namespace {

using namespace stox;
using namespace stox::xmpp;

void require(bool holds, int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "what must hold in line %d does not\n", line);
  std::abort();
}

constexpr std::string_view us = "us.test";
/// Whose certificate the peer has; whom only the DNS proves; whom nothing proves, since neither the DNS nor a
/// certificate ever names him; another server of the first one.
constexpr std::string_view names[] = {"cert.test", "dial.test", "good.test", "peer.test"};

/// One of our servers, and a rim, a DNS and other servers that the input leads. Checks that each stanza has
/// one end, that nobody is believed whom nothing proved, and that all memory comes back.
class world {
 public:
  world() : dns_({}, deadlines_, memory_, port_), it_(options(), deadlines_, ids_, memory_, port_, dns_) {}

  void step(std::uint8_t what, std::string_view bytes) {
    const auto pick = bytes.empty() ? 0U : static_cast<unsigned char>(bytes.front());
    auto& c = conn(pick >> 4);
    const auto name = names[pick & 3];
    switch (what % 20) {
      case 0: accept(pick); break;
      case 1: say(c, bytes); break;
      case 2: say(c, header(name, us)); break;
      case 3:
        say(c,
            "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><mechanisms xmlns='urn:ietf:"
            "params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms><dialback xmlns='urn:xmpp:"
            "features:dialback'><errors/></dialback><bidi xmlns='urn:xmpp:features:bidi'/><sm "
            "xmlns='urn:xmpp:sm:3'/></stream:features>");
        break;
      case 4: say(c, sasl(pick)); break;
      case 5: say(c, dialback(name, pick)); break;
      case 6: say(c, sm(pick)); break;
      case 7:
        say(c, "<message from='u@" + std::string(name) + "' to='v@us.test' id='m'><body>" +
                   std::string(bytes.size(), 'b') + "</body></message>");
        break;
      case 8:
        say(c, pick % 2 == 0 ? "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
                             : "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        break;
      case 9:
        if (c.asked_tls) it_.handle(io::secured{c.id, identity(pick)}, now_);
        break;
      case 10:
        if (c.opening && !std::exchange(c.opened, true))
          it_.handle(
              io::opened{c.id, {}, here_, pick % 2 == 0 ? std::nullopt : std::optional(identity(pick))},
              now_);
        break;
      case 11: close(c, static_cast<io::fail>(pick % 8)); break;
      case 12: take(c); break;
      case 13: pass(std::chrono::milliseconds(bytes.size() * bytes.size() * 8)); break;
      case 14: send(name, bytes.size()); break;
      case 15: it_.send_or_queue(us, name, text(name, bytes.size()), now_); break;
      case 16:
        it_.handle(pick % 2 == 0 ? io::event(io::blocked{c.id}) : io::event(io::writable{c.id}), now_);
        break;
      case 17: say(c, "<bidi xmlns='urn:xmpp:bidi'/>"); break;
      case 18:
        say(c, "<iq type='result' from='" + std::string(name) + "' to='us.test' id='x-" +
                   std::to_string(bytes.size()) + "'/>");
        break;
      case 19: it_.tidy(now_); break;
    }
    drain();
  }

  void end() {
    it_.stop(now_);
    drain();
    it_.give_up(now_);
    drain();
    for (auto& [id, c] : conns_) close(c, io::fail::closed_here);
    drain();
    pass(std::chrono::hours(1));
    it_.tidy(now_);
    dns_.clear();
    require(open_ == 0);
    require(it_.stopped());
    require(memory_.used() == 0);
  }

 private:
  struct connection {
    conn_id id{};
    bool opening = false, opened = false, asked_tls = false, gone = false;
    std::vector<token> tokens;
  };

  static federation_options options() {
    federation_options o;
    o.served = {std::string(us)};
    o.dialback_secret = redacted("secret");
    o.limits.max_stanza_bytes = 4096;
    o.max_unauthenticated = 4;
    o.max_streams_per_address = 6;
    o.queue_stanzas = 5;
    o.pings.most = 3;
    o.peers["peer.test"] = {false, proof::dialback};
    return o;
  }

  static peer_identity identity(unsigned pick) {
    peer_identity out;
    out.chain_ok = pick % 3 != 0;
    out.has_san = true;
    out.san_dns = {pick % 2 == 0 ? "cert.test" : "peer.test"};
    return out;
  }
  static std::string header(std::string_view from, std::string_view to) {
    return "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
           "xmlns:db='jabber:server:dialback' version='1.0' id='s' from='" +
           std::string(from) + "' to='" + std::string(to) + "'>";
  }
  static std::string sasl(unsigned pick) {
    static constexpr std::string_view all[] = {
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>",
        "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
        "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>Z29vZC50ZXN0</auth>"};
    return std::string(all[pick >> 2 & 3]);
  }
  /// The authority for good.test never speaks: what would prove it is only ever said by others.
  std::string dialback(std::string_view name, unsigned pick) const {
    const std::string ends = " from='" + std::string(name) + "' to='us.test' ";
    switch (pick >> 2 & 3) {
      case 0: return "<db:result" + ends + ">key</db:result>";
      case 1: return "<db:verify" + ends + "id='x-" + std::to_string(pick >> 4) + "'>key</db:verify>";
      case 2: return "<db:result" + ends + "type='valid'/>";
      default: return "<db:verify" + ends + "id='x-" + std::to_string(pick >> 4) + "' type='valid'/>";
    }
  }
  static std::string sm(unsigned pick) {
    const std::string ns = " xmlns='urn:xmpp:sm:3'", h = " h='" + std::to_string(pick >> 4) + "'/>";
    switch (pick & 7) {
      case 0: return "<enable" + ns + " resume='true'/>";
      case 1: return "<enabled" + ns + " id='r' resume='true'/>";
      case 2: return "<r" + ns + "/>";
      case 3: return "<a" + ns + h;
      case 4: return "<resume" + ns + " previd='x-" + std::to_string(pick >> 4) + "'" + h;
      case 5: return "<resumed" + ns + " previd='r'" + h;
      case 6: return "<failed" + ns + "/>";
      default: return "<a" + ns + " h='4294967295'/>";
    }
  }
  static std::string text(std::string_view name, std::size_t n) {
    return "<message from='v@us.test' to='u@" + std::string(name) + "'><body>" + std::string(n, 'b') +
           "</body></message>";
  }

  connection& conn(unsigned n) {
    if (conns_.empty()) return nobody_;
    auto at = conns_.begin();
    std::advance(at, n % conns_.size());
    return at->second;
  }
  void say(connection& c, std::string_view bytes) {
    if (c.gone || bytes.empty() || (c.opening && !c.opened)) return;
    it_.handle(io::received{c.id, {}, bytes}, now_);
  }
  void accept(unsigned pick) {
    const auto id = conn_id{mark_of(conn_use::s2s) | ++accepted_};
    conns_[id].id = id;
    auto who = pick % 4 == 0 ? std::nullopt : std::optional(identity(pick));
    const auto from = *socket_address::parse("192.0.2." + std::to_string(pick >> 6) + ":4000");
    it_.handle(
        io::accepted{id, conn_use::s2s, who ? transport::tls : transport::tcp, here_, from, std::move(who)},
        now_);
  }
  void take(connection& c) {
    for (const token t : std::exchange(c.tokens, {})) it_.handle(io::sent{t}, now_);
  }
  void close(connection& c, io::fail why) {
    if (c.id == conn_id::none || std::exchange(c.gone, true)) return;
    for (const token t : std::exchange(c.tokens, {})) it_.handle(io::send_failed{t, why}, now_);
    it_.handle(io::closed{c.id, why}, now_);
  }
  void send(std::string_view name, std::size_t n) {
    if (!it_.send(us, name, text(name, n), stanza_ref{++last_ref_}, now_)) return;
    ++open_;
    ends_[last_ref_] = 0;
  }
  void pass(duration d) {
    const auto end = now_ + d;
    for (int i = 0; i < 1000 && deadlines_.next() && *deadlines_.next() <= end.steady; ++i) {
      now_ = now_ + std::max(*deadlines_.next() - now_.steady, duration(0));
      while (const auto key = deadlines_.pop_due(now_.steady)) {
        if (key->owner == timer_owner::s2s) it_.handle_timeout(key->id, now_);
        if (key->owner == timer_owner::dns) dns_.handle_timeout(key->id, now_);
      }
      drain();
    }
    now_ = end;
  }

  void answer(const io::lookup& q) {
    io::looked_up a{q.id, io::lookup_status::no_name, 60, {}};
    if (q.type == io::record_type::a && q.name.find("good") == std::string::npos) {
      a.status = io::lookup_status::found;
      a.data = {std::string("\xc0\x00\x02\x01", 4)};
    }
    dns_.handle(a, now_);
  }
  void drain() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& a : std::exchange(port_.actions(), {})) {
        moved = true;
        if (const auto* s = std::get_if<io::send>(&a)) {
          require(!s->bytes.empty());
          auto& c = conns_[s->conn];
          if (s->tok != token::none) c.tokens.push_back(s->tok);
        } else if (const auto* o = std::get_if<io::open>(&a)) {
          conns_[o->conn] = {o->conn, true, false, false, false, {}};
        } else if (const auto* t = std::get_if<io::start_tls>(&a)) {
          conns_[t->conn].asked_tls = true;
        } else if (const auto* q = std::get_if<io::lookup>(&a)) {
          answer(*q);
        }
      }
      while (auto a = dns_.poll()) it_.resolved(*a, now_);
      while (const auto e = it_.poll()) heard(*e);
    }
    it_.take_log();
  }
  void heard(const federation_event& e) {
    if (const auto* confirmed = std::get_if<stanza_confirmed>(&e.what)) ended(confirmed->ref);
    if (const auto* lost = std::get_if<stanza_lost>(&e.what)) ended(lost->ref);
    const auto* got = std::get_if<stanza_received>(&e.what);
    if (got == nullptr) return;
    require(e.domain == us);
    const auto* from = got->value.attr("from");
    require(from != nullptr && from->find("good.test") == std::string::npos);
  }
  void ended(stanza_ref ref) {
    require(++ends_.at(static_cast<std::uint64_t>(ref)) == 1);
    --open_;
  }

  deadline_index deadlines_;
  counting_ids ids_;
  byte_account memory_{10'000'000};
  io_port port_;
  dns::resolver dns_;
  instant now_{steady_time(std::chrono::seconds(1)), wall_time(std::chrono::seconds(1))};
  const socket_address here_ = *socket_address::parse("192.0.2.20:5269");
  std::map<conn_id, connection> conns_;
  connection nobody_{conn_id::none, false, false, false, true, {}};
  std::uint64_t accepted_ = 0, last_ref_ = 0, open_ = 0;
  std::map<std::uint64_t, int> ends_;
  federation it_;
};

}  // namespace

// The input is a list of steps: what, a length, and that many bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  world w;
  while (size >= 2) {
    const std::size_t n = std::min<std::size_t>(data[1], size - 2);
    w.step(data[0], {reinterpret_cast<const char*>(data + 2), n});
    data += n + 2;
    size -= n + 2;
  }
  w.end();
  return 0;
}
