// One message through the whole engine and back out, as the loop drives it but without a socket: batches of
// datagrams or of stanzas in, every action polled, each write told as sent, each fence ping returned, each
// MESSAGE answered. For instruction counts: see README.md.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/engine.hpp"
#include "engine/sandbox.hpp"
#include "net/ids.hpp"
#include "texts.hpp"

using namespace stox;

namespace {

constexpr std::size_t batch = 32;  // what one recvmmsg brings under load
constexpr std::uint64_t pairs = 20'000;

settings::all bench_settings() {
  auto s = engine::sandbox::sample_settings();
  s.sip.accept_wait = duration::zero();
  s.log.level = log_level::warning;
  s.limits.memory = std::uint64_t{8} << 30U;
  // Counted, as in production, and never reached.
  s.limits.rate_per_sender = s.limits.rate_per_pair = 10'000'000;
  return s;
}

/// The 200 to a MESSAGE of ours: its lines up to the CSeq.
std::string ok_to(std::string_view request) {
  std::string out = "SIP/2.0 200 OK";
  out += request.substr(request.find("\r\n"), request.find("\r\nCSeq: ") - request.find("\r\n"));
  out.insert(out.find("\r\n", out.find("\r\nTo: ") + 2), ";tag=p1");
  return out + "\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n";
}

/// The engine and both its peers. Virtual time goes on with each message, so that finished transactions live
/// as many messages long as at that rate.
class rig {
 public:
  explicit rig(std::int64_t per_second) : step_(std::chrono::seconds(1) / per_second) {
    tell(io::event(io::listening{listener_, transport::udp, here_}));
    core_.start(now_);
    settle();
  }
  void sip_batch() {
    for (const auto end = n_ + batch; n_ < end; ++n_) coming_.push_back(bench::sip_message(n_, n_ % pairs));
    for (const auto& text : coming_) tell(io::event(io::received{listener_, peer_, text}));
    step();
  }
  void xmpp_batch() {
    std::string stanzas;
    for (const auto end = n_ + batch; n_ < end; ++n_) stanzas += bench::stanza(n_, n_ % pairs);
    tell(io::event(io::received{link_, peer_, stanzas}));
    step();
  }
  std::uint64_t delivered() const { return delivered_; }

 private:
  void tell(const engine::event& e) { core_.handle(e, now_); }
  void step() {
    coming_.clear();
    settle();
    now_ = now_ + step_ * batch;
    if (core_.next_deadline() && *core_.next_deadline() <= now_.steady) tell(engine::timeout{});
    settle();
  }
  /// Until nothing moves any more.
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      while (auto a = core_.poll()) {
        if (auto* what = std::get_if<io::action>(&*a)) perform(*what);
      }
      for (const auto tok : std::exchange(sent_, {})) moved = true, tell(io::event(io::sent{tok}));
      for (const auto& text : std::exchange(answers_, {})) {
        moved = true;
        tell(io::event(io::received{listener_, peer_, text}));
      }
      if (const auto text = std::exchange(to_link_, {}); !text.empty()) {
        moved = true;
        tell(io::event(io::received{link_, peer_, text}));
      }
    }
  }
  void perform(io::action& a) {
    if (auto* open = std::get_if<io::open>(&a)) {
      link_ = open->conn;
      tell(io::event(io::opened{link_, here_, peer_}));
    } else if (auto* s = std::get_if<io::send>(&a)) {
      if (s->tok != token::none) sent_.push_back(s->tok);
      if (s->conn == link_) return serve(s->bytes);
      if (s->bytes.starts_with("MESSAGE")) answers_.push_back(ok_to(s->bytes));
      ++delivered_;
    }
  }
  /// What an XMPP server says to a component.
  void serve(std::string_view bytes) {
    if (bytes.find("<stream:stream") != std::string_view::npos) {
      to_link_ += bench::stream_header;
    } else if (bytes.find("<handshake") != std::string_view::npos) {
      to_link_ += "<handshake/>";
    } else if (const auto at = bytes.find("<iq "); at != std::string_view::npos) {
      to_link_ += bytes.substr(at, bytes.find("</iq>", at) + 5 - at);
    }
  }

  duration step_;
  net::csprng_ids ids_{0};
  instant now_{steady_time(std::chrono::hours(1)), {}};
  engine::engine core_{bench_settings(), ids_};
  conn_id listener_{1}, link_{};
  socket_address here_{*ip_address::parse("192.0.2.20"), 5060}, peer_{*ip_address::parse("192.0.2.1"), 5060};
  std::vector<std::string> coming_, answers_;
  std::vector<token> sent_;
  std::string to_link_;
  std::uint64_t n_ = 0, delivered_ = 0;
};

constexpr auto timer_j = 33;  // seconds, and a little

template <class Step>
void run(benchmark::State& state, Step one_batch) {
  rig r(state.range(0));
  const auto warm = static_cast<std::uint64_t>(state.range(0)) * timer_j;
  while (r.delivered() < warm) {
    const auto before = r.delivered();
    one_batch(r);
    if (r.delivered() == before) return state.SkipWithError("nothing was delivered");
  }
  const auto before = r.delivered();
  for (auto _ : state) one_batch(r);
  state.SetItemsProcessed(static_cast<std::int64_t>(r.delivered() - before));
}

void whole_sip_to_xmpp(benchmark::State& state) {
  run(state, [](rig& r) { r.sip_batch(); });
}
BENCHMARK(whole_sip_to_xmpp)->Arg(1000)->Arg(5000);

void whole_xmpp_to_sip(benchmark::State& state) {
  run(state, [](rig& r) { r.xmpp_batch(); });
}
BENCHMARK(whole_xmpp_to_sip)->Arg(1000)->Arg(5000);

}  // namespace
