// The load driver: plays the XMPP server and the SIP proxy of a stoxd that it starts itself, on loopback, and
// says what came through, how fast, and what stoxd spent on it. See README.md.

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "authority.hpp"
#include "child.hpp"
#include "kamailio.hpp"
#include "sip_side.hpp"
#include "tally.hpp"
#include "xmpp_side.hpp"

namespace {

using namespace bench;

struct options {
  std::string stoxd = "build/release/src/daemon/stoxd";
  std::string mode = "all";  ///< sip2xmpp, xmpp2sip, both, echo or all
  unsigned messages = 100'000;
  unsigned window = 2000;  ///< messages of one direction that are under way; 0: only the rate counts
  unsigned rate = 0;       ///< messages a second of one direction; 0: as fast as the window allows
  unsigned pairs = 2000;
  unsigned body = 120;
  unsigned accept_wait_ms = 0;
  unsigned settle = 0;  ///< seconds between the last message and the look at the memory
  bool keep = false;
  bool federation = false;  ///< also over the stream of a server that federates, each direction
  bool kamailio = false;    ///< also Kamailio with its xmpp module, each direction
};

void print_help() {
  std::puts(
      "usage: stox_load [--stoxd PATH] [--mode sip2xmpp|xmpp2sip|both|echo|all] [--messages N] [--window N] "
      "[--rate N]\n"
      "                 [--pairs N] [--body BYTES] [--accept-wait MS] [--settle SECONDS] [--keep] "
      "[--federation] [--kamailio]\n"
      "--window: messages of one direction under way; --rate: messages a second (0: as fast as the window "
      "allows);\n"
      "--settle: wait before the memory is read (finished transactions live 32 s); --keep: leaves the folder "
      "with stoxd's log;\n"
      "--federation: also over a TLS stream between servers in the place of the component link;\n"
      "--kamailio: also Kamailio with its xmpp module, for comparison.");
}

options parse(int argc, char** argv) {
  options o;
  const std::vector<std::pair<std::string_view, unsigned*>> numbers = {
      {"--messages", &o.messages}, {"--window", &o.window}, {"--rate", &o.rate},
      {"--pairs", &o.pairs},       {"--body", &o.body},     {"--accept-wait", &o.accept_wait_ms},
      {"--settle", &o.settle}};
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help") {
      print_help();
      std::exit(0);
    }
    if (name == "--keep" || name == "--federation" || name == "--kamailio") {
      (name == "--keep" ? o.keep : name == "--kamailio" ? o.kamailio : o.federation) = true;
      continue;
    }
    if (i + 1 >= argc) die("value missing after " + std::string(name) + " (see --help)");
    const std::string_view value = argv[++i];
    if (name == "--stoxd" || name == "--mode") {
      (name == "--mode" ? o.mode : o.stoxd) = value;
      continue;
    }
    const auto it =
        std::find_if(numbers.begin(), numbers.end(), [&](const auto& n) { return n.first == name; });
    if (it == numbers.end()) die("unknown option " + std::string(name) + " (see --help)");
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), *it->second);
    if (error != std::errc() || end != value.data() + value.size()) die("no number: " + std::string(value));
  }
  if (o.pairs == 0 || o.messages == 0 || (o.window == 0 && o.rate == 0))
    die("pairs, messages and window or rate must not be 0");
  return o;
}

struct row {
  std::string name;
  tally::report report;
  double cpu_us = 0;  ///< of the other side, for each delivered message
  double rss_mib = 0;
  std::uint64_t resent = 0;
};

void print_header() {
  std::printf("%-12s %9s %9s %9s %9s %9s %9s %8s %8s %8s %8s %8s\n", "mode", "sent", "delivered", "per s",
              "CPU us", "p50 ms", "p99 ms", "refused", "lost", "doubled", "resent", "RSS MiB");
}

void print(const row& r) {
  const auto& t = r.report;
  std::printf("%-12s %9u %9u %9.0f %9.1f %9.2f %9.2f %8u %8u %8u %8llu %8.1f\n", r.name.c_str(), t.sent,
              t.delivered, t.seconds > 0 ? t.delivered / t.seconds : 0.0, r.cpu_us, t.p50_ms, t.p99_ms,
              t.refused, t.lost, t.doubled, static_cast<unsigned long long>(r.resent), r.rss_mib);
  std::fflush(stdout);
}

/// A folder for stoxd's files that goes with us.
class folder {
 public:
  explicit folder(bool keep) : keep_(keep) {
    std::string name = (std::filesystem::temp_directory_path() / "stox-load-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) die("no temporary folder");
    path_ = name;
  }
  ~folder() {
    std::error_code ignored;
    if (!keep_) std::filesystem::remove_all(path_, ignored);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
  bool keep_;
};

enum class gateway_kind : std::uint8_t { component, server, kamailio };

struct ports {
  std::uint16_t gateway, proxy, component;
  std::uint16_t s2s = free_port(), s2s_tls = free_port();
};

/// The XMPP side of stoxd's configuration; `ours`: its certificate where it federates.
std::string xmpp_config(gateway_kind kind, const ports& p, const identity& ours, const std::string& ca) {
  const auto at = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
  if (kind == gateway_kind::component)
    return "[[xmpp.component]]\ndomain = \"sip.example\"\nserver = \"" + at(p.component) +
           "\"\nsecret = \"bench\"\n";
  return "[xmpp.s2s]\nlisten = [\"tcp:" + at(p.s2s) + "\"]\ntls_listen = [\"tcp:" + at(p.s2s_tls) +
         "\"]\n[tls]\nca_file = \"" + ca +
         "\"\n[[tls.certificate]]\ndomains = [\"sip.example\"]\nchain = \"" + ours.chain + "\"\nkey = \"" +
         ours.key + "\"\n";
}

void write_config(const std::string& path, const options& o, const ports& p, const std::string& xmpp) {
  std::ofstream(path) << "[gateway]\nsip_domains = [\"sip.example\"]\nxmpp_domains = "
                         "[\"xmpp.example\"]\n[sip]\nlisten = [\"udp:127.0.0.1:"
                      << p.gateway << "\"]\noutbound_proxy = \"sip:127.0.0.1:" << p.proxy
                      << ";lr\"\ntrusted_peers = [\"127.0.0.0/8\"]\naccept_wait = \"" << o.accept_wait_ms
                      << "ms\"\n"
                      << xmpp
                      << "[store]\npath = \":memory:\"\n[log]\nlevel = \"warning\"\n"
                         // Counted, as in production, and never reached.
                         "[limits]\nrate_per_sender = 10000000\nrate_per_pair = 10000000\n";
}

/// How many messages may be started now under the window and the rate.
unsigned allowance(const options& o, const tally& t, unsigned open, std::uint64_t began, std::uint64_t now) {
  std::uint64_t n = t.size() - t.sent();
  if (o.window != 0) n = std::min<std::uint64_t>(n, o.window > open ? o.window - open : 0);
  if (o.rate != 0) {
    const auto due = static_cast<std::uint64_t>(static_cast<double>(now - began) / 1e9 * o.rate);
    n = std::min<std::uint64_t>(n, due > t.sent() ? due - t.sent() : 0);
  }
  return static_cast<unsigned>(std::min<std::uint64_t>(n, 256));
}

/// One run: both sides, one stoxd, and the loop between them.
class run {
 public:
  run(const options& o, bool to_xmpp, bool to_sip, gateway_kind kind)
      : o_(o),
        kind_(kind),
        to_xmpp_(to_xmpp ? o.messages : 0),
        to_sip_(to_sip ? o.messages : 0),
        xmpp_(to_xmpp_, to_sip_, o.pairs, o.body, kind == gateway_kind::server),
        sip_(to_xmpp_, to_sip_, o.pairs, o.body),
        folder_(o.keep),
        ports_{free_port(), sip_.port(), xmpp_.port()},
        authority_(folder_.file("")),
        theirs_(authority_.issue("xmpp.example")),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
  ~run() { ::close(epoll_); }
  run(const run&) = delete;
  run& operator=(const run&) = delete;

  std::vector<row> measure() {
    sip_.talk_to(ports_.gateway);
    const auto started = start();
    auto& gateway = *started;
    watch(xmpp_.listener(), EPOLLIN);
    watch(sip_.fd(), EPOLLIN);
    const auto give_up = now_ns() + 10'000'000'000;
    while (!xmpp_.up()) {
      if (!gateway.running() || now_ns() > give_up)
        die("the gateway did not come up; run with --keep and see its log");
      if (kind_ == gateway_kind::server && xmpp_.link() < 0) dial();
      turn(10);
    }
    for (int i = 0; i < 30; ++i) turn(10);  // it hears of the link and opens its listeners
    const auto before = gateway.used();
    transfer(gateway);
    const auto after = gateway.used();
    for (unsigned i = 0; i < o_.settle * 100; ++i) turn(10);
    return rows(before, after, gateway.used().rss_mib);
  }

 private:
  std::unique_ptr<child> start() {
    if (kind_ == gateway_kind::kamailio) {
      const auto file = folder_.file("kamailio.cfg");
      std::ofstream(file) << kamailio_config({ports_.gateway, ports_.proxy, ports_.component});
      return std::make_unique<child>(std::vector<std::string>{"kamailio", "-f", file, "-DD", "-E", "-m",
                                                              "1024", "-M", "64", "-w", folder_.file(".")},
                                     folder_.file("log"), expat_guard_path());
    }
    const auto file = folder_.file("stox.toml");
    write_config(file, o_, ports_,
                 xmpp_config(kind_, ports_, authority_.issue("sip.example"), authority_.file()));
    return std::make_unique<child>(std::vector<std::string>{o_.stoxd, "--config", file}, folder_.file("log"));
  }

  void dial() {
    xmpp_.dial(ports_.s2s_tls, theirs_);
    if (xmpp_.link() < 0) return;
    xmpp_.flush();
    watch(xmpp_.link(), EPOLLIN);
  }

  void watch(int fd, std::uint32_t events, bool change = false) {
    epoll_event e{};
    e.events = events;
    e.data.fd = fd;
    if (::epoll_ctl(epoll_, change ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) != 0) die("epoll");
  }

  void turn(int timeout_ms) {
    std::array<epoll_event, 8> events{};
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
    for (int i = 0; i < count; ++i) {
      const auto& e = events[static_cast<std::size_t>(i)];
      if (e.data.fd == xmpp_.listener()) {
        xmpp_.accept_link();
        if (xmpp_.link() >= 0) watch(xmpp_.link(), EPOLLIN);
      } else if (e.data.fd == sip_.fd()) {
        sip_.read_ready();
      } else {
        if ((e.events & EPOLLOUT) != 0) xmpp_.flush();
        if ((e.events & ~EPOLLOUT) != 0) xmpp_.read_ready();
      }
    }
    if (xmpp_.link() >= 0 && xmpp_.wants_to_write() != writing_) {
      writing_ = !writing_;
      watch(xmpp_.link(), writing_ ? EPOLLIN | EPOLLOUT : EPOLLIN, true);
    }
  }

  void transfer(child& gateway) {
    const auto began = now_ns();
    constexpr std::uint64_t patience = 40'000'000'000;  // Timer F and some more
    while (!done()) {
      turn(1);
      const auto now = now_ns();
      for (unsigned i = allowance(o_, to_xmpp_, to_xmpp_.open_requests(), began, now); i > 0; --i)
        sip_.send_message(to_xmpp_.begin(now), now);
      sip_.resend_due(now);
      sip_.flush();
      for (unsigned i = allowance(o_, to_sip_, to_sip_.open(), began, now); i > 0; --i)
        xmpp_.send_message(to_sip_.begin(now));
      xmpp_.flush();
      if (!gateway.running()) die("the gateway ended in mid-run; run with --keep and see its log");
      const auto last = std::max({to_xmpp_.last_progress(), to_sip_.last_progress(), began});
      if (now > last && now - last > patience) break;
    }
  }

  bool done() const {
    const auto complete = [](const tally& t) { return t.all_sent() && t.open() == 0; };
    return complete(to_xmpp_) && to_xmpp_.open_requests() == 0 && complete(to_sip_);
  }

  std::vector<row> rows(const usage& before, const usage& after, double rss) const {
    std::vector<row> all;
    for (const auto* t : {&to_xmpp_, &to_sip_}) {
      if (t->size() == 0) continue;
      row r;
      r.name = t == &to_xmpp_ ? "sip2xmpp" : "xmpp2sip";
      r.report = t->result();
      r.resent = t == &to_xmpp_ ? sip_.resent() : r.report.retransmissions;
      r.rss_mib = rss;
      all.push_back(r);
    }
    unsigned delivered = 0;
    for (const auto& r : all) delivered += r.report.delivered;
    // One process carries both directions: the cost is shared evenly.
    for (auto& r : all)
      r.cpu_us = delivered > 0 ? (after.cpu_seconds - before.cpu_seconds) * 1e6 / delivered : 0;
    if (all.size() == 2)
      for (auto& r : all) r.name = r.name == "sip2xmpp" ? "both: s2x" : "both: x2s";
    return all;
  }

  const options& o_;
  gateway_kind kind_;
  tally to_xmpp_, to_sip_;
  xmpp_side xmpp_;
  sip_side sip_;
  folder folder_;
  ports ports_;
  authority authority_;
  identity theirs_;
  int epoll_;
  bool writing_ = false;
};

/// The same number of datagrams of the same size through a process that does nothing but recvmmsg and
/// sendmmsg.
row echo_run(const options& o) {
  std::uint16_t port = 0;
  const int far = udp_socket(port);
  tally t(o.messages), none(0);
  sip_side near(t, none, o.pairs, o.body);
  near.talk_to(port);
  child echo(far);
  ::close(far);
  const auto give_up = now_ns() + 60'000'000'000;
  std::array<char, 64 * 4096> buffer;
  const unsigned window = std::min(o.window == 0 ? 256u : o.window, 256u);
  while (t.sent() < t.size() || t.open() > 0) {
    auto now = now_ns();
    if (now > give_up) break;
    while (!t.all_sent() && t.open() < window) near.send_message(t.begin(now), now);
    near.flush();
    for (;;) {
      const auto got = ::recv(near.fd(), buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      std::uint32_t n = 0;
      if (number_after({buffer.data(), static_cast<std::size_t>(got)}, "branch=z9hG4bK-b", t.size(), n))
        t.delivered(n, n, now_ns());
    }
  }
  const auto used = echo.used();
  return {"UDP echo", t.result(),
          t.result().delivered > 0 ? used.cpu_seconds * 1e6 / t.result().delivered : 0.0, used.rss_mib, 0};
}

}  // namespace

int main(int argc, char** argv) {
  const options o = parse(argc, argv);
  const auto wanted = [&](std::string_view mode) { return o.mode == mode || o.mode == "all"; };
  std::printf(
      "%u messages of each direction, window %u, rate %u/s, %u pairs, accept_wait %u ms, memory after %u s\n",
      o.messages, o.window, o.rate, o.pairs, o.accept_wait_ms, o.settle);
  print_header();
  bool clean = true;
  const auto show = [&](const row& r) {
    print(r);
    clean = clean && r.report.lost == 0 && r.report.doubled == 0;
  };
  if (wanted("echo")) show(echo_run(o));
  for (const auto& [mode, to_xmpp, to_sip] :
       {std::tuple("sip2xmpp", true, false), std::tuple("xmpp2sip", false, true),
        std::tuple("both", true, true)}) {
    if (!wanted(mode)) continue;
    for (const auto& r : run(o, to_xmpp, to_sip, gateway_kind::component).measure()) show(r);
    if (to_xmpp && to_sip) continue;
    for (const auto& [asked, kind, mark] : {std::tuple(o.federation, gateway_kind::server, "s2s "),
                                            std::tuple(o.kamailio, gateway_kind::kamailio, "kam ")}) {
      if (!asked) continue;
      for (auto& r : run(o, to_xmpp, to_sip, kind).measure()) {
        r.name = mark + r.name;
        kind == gateway_kind::server ? show(r) : print(r);
      }
    }
  }
  return clean ? 0 : 3;
}
