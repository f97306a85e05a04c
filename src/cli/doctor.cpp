#include "cli/doctor.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <variant>

#include "base/overloaded.hpp"
#include "doctor/checkup.hpp"
#include "net/ids.hpp"
#include "net/reactor.hpp"
#include "net/resolver.hpp"
#include "net/tcp.hpp"
#include "net/tls_context.hpp"
#include "net/udp.hpp"

namespace stox::cli {
namespace {

instant now() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

// The checkup gives up first.
net::tcp_limits limits_for(const doctor::subject& who) {
  net::tcp_limits out;
  out.connect = out.handshake = who.patience + std::chrono::seconds(1);
  return out;
}

/// The checkup's sockets and clock: as net::loop for the engine, for a few seconds.
class practice final : public net::event_sink {
 public:
  explicit practice(const doctor::subject& who)
      : ids_(0), checkup_(who, ids_), tcp_(loop_, numbers_, *this, limits_for(who)) {}
  result<> prepare(const examination& e);
  doctor::facts run();

  void on_event(const io::event& e) override { checkup_.handle(e, now()); }
  void on_batch_end() override { pump(); }

 private:
  void listen(const char* address);
  void pump();
  void perform(io::action a);

  net::reactor loop_;
  net::rim_numbers numbers_;
  net::csprng_ids ids_;
  doctor::checkup checkup_;
  net::udp_ports udp_{loop_, *this};
  net::tcp_ports tcp_;
  std::unique_ptr<net::resolver> dns_;
};

result<> practice::prepare(const examination& e) {
  auto tls = net::tls_context::make(e.tls, {});
  if (!tls) return tls.error();
  tcp_.set_tls(std::move(*tls));
  auto dns = net::resolver::start(loop_, *this, {e.dns, {}});
  if (!dns) return dns.error();
  dns_ = std::move(*dns);
  return {};
}

// A family that is missing here is no error: the checkup tells what it could not look at.
void practice::listen(const char* address) {
  const auto id = numbers_.next(conn_use::sip);
  const auto at = udp_.listen(id, {*ip_address::parse(address), 0}, true);
  if (at) checkup_.handle(io::listening{id, transport::udp, *at}, now());
}

void practice::perform(io::action a) {
  std::visit(
      overloaded{
          [this](io::send& s) { udp_.has(s.conn) ? udp_.send(std::move(s)) : tcp_.send(std::move(s)); },
          [this](io::open& o) { tcp_.open(o); },
          [this](io::start_tls& s) { tcp_.start_tls(s); },
          [this](io::close& c) { tcp_.close(c.conn); },
          [this](io::lookup& q) { dns_->lookup(q); },
          [this](io::cancel_lookup& c) { dns_->cancel(c.id); },
      },
      a);
}

// What is done may at once be told as failed, which may ask for more.
void practice::pump() {
  while (auto a = checkup_.poll()) {
    do perform(std::move(*a));
    while ((a = checkup_.poll()));
    udp_.flush();
    tcp_.flush();
  }
}

doctor::facts practice::run() {
  // The checkup's own patience ends every wait before this.
  constexpr auto at_most = std::chrono::minutes(30);
  listen("0.0.0.0");
  listen("::");
  checkup_.start(now());
  pump();
  const auto done = [this] { return checkup_.is_done(); };
  while (!done()) {
    const auto due = checkup_.next_deadline().value_or(now().steady + at_most);
    if (loop_.run_until(done, std::max<duration>(due - now().steady, duration::zero()))) break;
    checkup_.handle_timeout(now());
    pump();
  }
  udp_.close_all();
  return checkup_.found();
}

}  // namespace

result<doctor::report> examine(const examination& e) {
  practice p(e.who);
  if (auto ok = p.prepare(e); !ok) return ok.error();
  const auto found = p.run();
  return doctor::judge(e.who, found, now().wall);
}

}  // namespace stox::cli
