#include "net/loop.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <deque>
#include <optional>

#include "net/errc.hpp"
#include "net/resolver.hpp"
#include "net/signals.hpp"
#include "net/sockaddr.hpp"

namespace stox::net {
namespace {

namespace asio = boost::asio;

// The timer is set to whole milliseconds, so that many deadlines close together wake the loop once. SIP's
// timers count in hundreds.
constexpr auto timer_grain = std::chrono::milliseconds(1);
// Rounds of "answers cause events cause answers" before the sockets have their turn again.
constexpr int pump_rounds = 32;
// What the write queues hold is told again when it changed by that much, or is nothing any more. While all
// writes are taken at once, there is nothing to tell.
constexpr std::size_t queue_grain = 64 * 1024;

instant read_clocks() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

// Which of its two options a listener stands in says how its connections begin.
std::vector<settings::listener> over(transport via, std::vector<settings::listener> all) {
  for (auto& l : all) l.via = via;
  return all;
}

struct ticker {
  asio::steady_timer timer;
  duration interval;
  std::function<void()> f;
};

}  // namespace

struct loop::impl final : event_sink {
  impl(engine::engine& e, loop_hooks h, const loop_limits& l)
      : core(e),
        hooks(std::move(h)),
        limits(l),
        timer(io.context()),
        end_timer(io.context()),
        signals(io.context()),
        udp(io, *this, l.udp),
        tcp(io, numbers, *this, l.tcp) {}

  void on_event(const io::event& e) override { take(e); }
  void on_batch_end() override { pump(); }

  void take(const engine::event& e) {
    if (!now_is_fresh) {
      now = read_clocks();
      now_is_fresh = true;
    }
    dirty = true;
    core.handle(e, now);
  }
  result<> bind(conn_use use, const settings::listener& l, bool v6_only);
  result<> bind(conn_use use, std::string_view key, const std::vector<settings::listener>& all);
  void pump();
  void tell_queues();
  void perform(engine::action a);
  void perform_io(io::action a);
  void look_up(const io::lookup& q);
  void arm();
  void wait_signal();
  void on_signal(int number);
  void begin_shutdown(duration limit);
  void end(ending how) {
    how_ended = how;
    io.stop();
  }
  /// What is open is told as in doubt; what the kernel takes at once still goes out.
  void force_end() {
    take(engine::forced_end{});
    pump();
    end(ending::forced);
  }
  void log(log_level level, std::string_view event,
           std::vector<std::pair<std::string_view, std::string>> fields) {
    if (hooks.log) hooks.log({level, event, {}, std::move(fields)});
  }
  void tick(ticker& t);

  engine::engine& core;
  loop_hooks hooks;
  loop_limits limits;
  reactor io;
  rim_numbers numbers;
  asio::steady_timer timer;      // the engine's deadline
  asio::steady_timer end_timer;  // for an engine that does not end
  asio::signal_set signals;
  udp_ports udp;
  tcp_ports tcp;
  std::unique_ptr<resolver> dns;
  std::vector<io::listening> bound;
  std::vector<std::string> bound_names;
  std::deque<ticker> tickers;
  std::optional<steady_time> armed;
  instant now{};
  bool now_is_fresh = false;  // one reading of the clocks serves a batch
  bool dirty = false;         // the engine took an event since it was drained
  bool pump_posted = false;
  std::size_t told_queued = 0;
  bool stopping = false;
  ending how_ended = ending::forced;
};

// Drains the engine until nothing moves any more: what it sends may at once be told as sent, which may make
// it send more.
void loop::impl::pump() {
  for (int round = 0; round < pump_rounds; ++round) {
    now = read_clocks();
    now_is_fresh = true;
    const auto due = core.next_deadline();
    if (due && *due <= now.steady) core.handle(engine::timeout{}, now);
    dirty = false;
    while (auto a = core.poll()) perform(std::move(*a));
    udp.flush();
    tcp.flush();
    tell_queues();
    if (!dirty) break;
  }
  now_is_fresh = false;
  if (dirty && !pump_posted) {
    pump_posted = true;
    io.post([this] {
      pump_posted = false;
      pump();
    });
  }
  arm();
  if (hooks.batch_end) hooks.batch_end();
}

void loop::impl::tell_queues() {
  const std::size_t queued = udp.queued() + tcp.queued();
  const std::size_t change = queued > told_queued ? queued - told_queued : told_queued - queued;
  if (change < queue_grain && (change == 0 || queued != 0)) return;
  told_queued = queued;
  take(engine::write_queues{queued});
}

void loop::impl::perform(engine::action a) {
  if (auto* what = std::get_if<io::action>(&a)) {
    perform_io(std::move(*what));
  } else if (auto* line = std::get_if<engine::log_line>(&a)) {
    if (hooks.log) hooks.log(line->record);
  } else if (auto* raised = std::get_if<engine::incident_raised>(&a)) {
    if (hooks.incident) hooks.incident(raised->what);
  } else if (auto* saved = std::get_if<engine::row_saved>(&a)) {
    if (hooks.save) hooks.save(std::move(saved->row));
  } else if (auto* removed = std::get_if<engine::row_removed>(&a)) {
    if (hooks.remove) hooks.remove(std::move(removed->key));
  } else {
    static_assert(std::is_same_v<std::variant_alternative_t<2, engine::action>, engine::stopped>);
    end(ending::clean);
  }
}

void loop::impl::perform_io(io::action a) {
  if (auto* s = std::get_if<io::send>(&a)) {
    if (udp.has(s->conn)) {
      udp.send(std::move(*s));
    } else {
      tcp.send(std::move(*s));
    }
  } else if (const auto* o = std::get_if<io::open>(&a)) {
    tcp.open(*o);
  } else if (const auto* t = std::get_if<io::start_tls>(&a)) {
    tcp.start_tls(*t);
  } else if (const auto* c = std::get_if<io::close>(&a)) {
    tcp.close(c->conn);
  } else if (const auto* q = std::get_if<io::lookup>(&a)) {
    if (dns) return look_up(*q);
    take(io::event(io::looked_up{q->id, io::lookup_status::failed, 0, {}}));
  } else if (dns) {
    dns->cancel(std::get<io::cancel_lookup>(a).id);
  }
}

void loop::impl::look_up(const io::lookup& q) {
  if (dns->look_at_system()) log(log_level::info, "dns.system_servers_changed", {});
  dns->lookup(q);
}

// An armed timer that would fire too early is left alone: it finds nothing due and is set anew. Most
// deadlines are met long before.
void loop::impl::arm() {
  const auto due = core.next_deadline();
  if (!due || (armed && *armed <= *due + timer_grain)) return;
  const auto at = std::chrono::ceil<std::chrono::milliseconds>(due->time_since_epoch());
  armed = steady_time(at);
  timer.expires_at(*armed);
  timer.async_wait([this](const boost::system::error_code& ec) {
    if (ec) return;
    armed.reset();
    pump();
  });
}

void loop::impl::wait_signal() {
  signals.async_wait([this](const boost::system::error_code& ec, int number) {
    if (ec) return;
    wait_signal();
    on_signal(number);
  });
}

void loop::impl::on_signal(int number) {
  if (number == SIGHUP) {
    if (hooks.reload) hooks.reload();
    return pump();
  }
  if (stopping) {
    log(log_level::warning, "daemon.forced", {{"why", "second signal"}});
    return force_end();
  }
  begin_shutdown(limits.drain);
}

void loop::impl::begin_shutdown(duration limit) {
  if (stopping) return;
  stopping = true;
  if (hooks.stopping) hooks.stopping(limit);
  end_timer.expires_after(limit + limits.grace);
  end_timer.async_wait([this](const boost::system::error_code& ec) {
    if (ec) return;
    log(log_level::error, "daemon.forced", {{"why", "the engine did not stop in time"}});
    force_end();
  });
  take(engine::shutdown{limit});
  pump();
}

void loop::impl::tick(ticker& t) {
  t.timer.expires_after(t.interval);
  t.timer.async_wait([this, &t](const boost::system::error_code& ec) {
    if (ec) return;
    t.f();
    tick(t);
  });
}

loop::loop(engine::engine& core, loop_hooks hooks, loop_limits limits)
    : impl_(std::make_unique<impl>(core, std::move(hooks), limits)) {
  impl_->tcp.watch_handshakes([i = impl_.get()](const socket_address& peer, std::string_view why) {
    i->log(log_level::debug, "tls.handshake_failed", {{"peer", peer.to_string()}, {"why", std::string(why)}});
  });
}
loop::~loop() = default;

result<> loop::impl::bind(conn_use use, const settings::listener& l, bool v6_only) {
  const auto id = numbers.next(use);
  result<socket_address> at = socket_address{};
  switch (l.via) {
    case transport::udp: at = udp.listen(id, l.at, v6_only); break;
    case transport::tcp:
    case transport::tls: at = tcp.listen(l.at, v6_only, l.via, use); break;
  }
  if (!at) return at.error();
  bound.push_back({id, l.via, *at, use});
  bound_names.push_back((use == conn_use::s2s ? "s2s:" : "") + std::string(to_string(l.via)) + ":" +
                        at->to_string());
  return {};
}

result<> loop::impl::bind(conn_use use, std::string_view key, const std::vector<settings::listener>& all) {
  for (const auto& l : all) {
    // [::] takes IPv4 as well, unless IPv4 has a listener of its own on that port.
    const bool v6_only = std::any_of(all.begin(), all.end(), [&](const settings::listener& other) {
      return other.via == l.via && other.at.port == l.at.port && other.at.ip.is_v4();
    });
    if (const auto done = bind(use, l, v6_only); !done)
      return error(errc::cannot_bind, std::string(key) + ": " + done.error().detail);
  }
  return {};
}

result<> loop::listen(const settings::sip& sip, const settings::s2s& s2s) {
  if (auto done = impl_->bind(conn_use::sip, "sip.listen", sip.listen); !done || !s2s.enabled) return done;
  if (auto done = impl_->bind(conn_use::s2s, "xmpp.s2s.listen", over(transport::tcp, s2s.listen)); !done)
    return done;
  return impl_->bind(conn_use::s2s, "xmpp.s2s.tls_listen", over(transport::tls, s2s.tls_listen));
}

void loop::set_tls(std::shared_ptr<const tls_context> context) { impl_->tcp.set_tls(std::move(context)); }

result<> loop::start_resolver(const settings::dns& dns) {
  if (impl_->dns) return impl_->dns->restart(dns);
  auto made = resolver::start(impl_->io, *impl_, dns);
  if (!made) return made.error();
  impl_->dns = std::move(*made);
  return {};
}

bool loop::without_system_servers() const { return impl_->dns && impl_->dns->without_system_servers(); }

const std::vector<std::string>& loop::listeners() const { return impl_->bound_names; }

ending loop::run() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) impl_->signals.add(number);
  impl_->wait_signal();
  release_signals();
  for (const auto& l : impl_->bound) impl_->take(io::event{l});
  impl_->core.start(read_clocks());
  impl_->io.post([this] { impl_->pump(); });
  impl_->io.run();
  impl_->udp.close_all();
  return impl_->how_ended;
}

void loop::shutdown(std::optional<duration> limit) {
  impl_->begin_shutdown(limit.value_or(impl_->limits.drain));
}
void loop::set_drain(duration limit) { impl_->limits.drain = limit; }

void loop::handle(const engine::event& e) {
  impl_->take(e);
  impl_->pump();
}

void loop::set_max_accepted(conn_use use, unsigned n) { impl_->tcp.set_max_accepted(use, n); }
void loop::set_max_handshakes(unsigned n, unsigned of_network) {
  impl_->tcp.set_max_handshakes(n, of_network);
}
void loop::set_trusted(prefix_set peers) { impl_->tcp.set_trusted(std::move(peers)); }

void loop::every(duration interval, std::function<void()> f) {
  auto& t =
      impl_->tickers.emplace_back(ticker{asio::steady_timer(impl_->io.context()), interval, std::move(f)});
  impl_->tick(t);
}

reactor& loop::io() { return impl_->io; }
tcp_counters loop::tcp() const { return impl_->tcp.counters(); }
udp_counters loop::udp() const { return impl_->udp.counters(); }
std::size_t loop::tcp_queued() const { return impl_->tcp.queued(); }
std::size_t loop::udp_queued() const { return impl_->udp.queued(); }
bool loop::resolving() const { return impl_->tcp.resolving(); }

}  // namespace stox::net
