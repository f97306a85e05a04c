// What each part costs: run with --benchmark_filter=REGEX. Compare figures of one run with each other; the
// machine is shared.

#include <benchmark/benchmark.h>

#include <string>
#include <variant>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "base/ids.hpp"
#include "sip/machine/endpoint.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/message.hpp"
#include "texts.hpp"
#include "translate/address.hpp"
#include "translate/pager.hpp"
#include "xml/reader.hpp"
#include "xmpp/wire/stanza.hpp"

using namespace stox;

namespace {

using bench::sip_message;
using bench::stanza;

void sip_parse(benchmark::State& state) {
  const auto text = sip_message(1);
  for (auto _ : state) {
    auto m = sip::parse_message(text, sip::framing::datagram, {});
    auto head = sip::check_mandatory(std::get<sip::request>(*m));
    benchmark::DoNotOptimize(head);
  }
  state.counters["bytes"] = static_cast<double>(text.size());
}
BENCHMARK(sip_parse);

void sip_write(benchmark::State& state) {
  const auto m = std::get<sip::request>(*sip::parse_message(sip_message(1), sip::framing::datagram, {}));
  for (auto _ : state) benchmark::DoNotOptimize(sip::write(m));
}
BENCHMARK(sip_write);

void xml_read(benchmark::State& state) {
  xml::reader reader;
  (void)reader.feed(bench::stream_header);
  (void)reader.poll();
  const auto text = stanza(1);
  for (auto _ : state) {
    (void)reader.feed(text);
    auto s = xmpp::parse_stanza(std::get<xml::stanza>(*reader.poll()).value);
    benchmark::DoNotOptimize(s);
  }
  state.counters["bytes"] = static_cast<double>(text.size());
}
BENCHMARK(xml_read);

void jid_parse(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(xmpp::jid::parse("juliet@xmpp.example/balcony"));
}
BENCHMARK(jid_parse);

void address_there_and_back(benchmark::State& state) {
  const translate::address_map map;
  const auto uri = *sip::parse_uri("sip:romeo@sip.example;gr=phone");
  for (auto _ : state) benchmark::DoNotOptimize(map.to_sip(*map.to_jid(uri), true));
}
BENCHMARK(address_there_and_back);

void deadlines(benchmark::State& state) {
  deadline_index index;
  std::vector<timer_handle> handles(static_cast<std::size_t>(state.range(0)));
  steady_time now{};
  for (std::size_t i = 0; i < handles.size(); ++i)
    index.set(handles[i], {timer_owner::sip, i}, now + std::chrono::seconds(32));
  std::size_t i = 0;
  for (auto _ : state) {
    now += std::chrono::microseconds(1);
    index.set(handles[i], {timer_owner::sip, i}, now + std::chrono::seconds(32));
    i = (i + 1) % handles.size();
  }
}
BENCHMARK(deadlines)->Arg(1000)->Arg(160'000);

/// An endpoint whose clock goes a fifth of a millisecond with each message, so that Timer J keeps 160,000
/// transactions, and Timer K the hashes of 25,000.
struct endpoint_bench {
  endpoint_bench() : memory(std::size_t{8} << 30U), ep(options(), deadlines, ids, memory, io, dns) {
    ep.handle(io::listening{conn_id{1}, transport::udp, here}, now);
  }
  static sip::endpoint_options options() {
    sip::endpoint_options o;
    o.trusted_peers = {*ip_prefix::parse("192.0.2.0/24")};
    o.sip_domains = {"sip.example"};
    return o;
  }
  void receive(std::string_view text) { ep.handle(io::received{conn_id{1}, peer, text}, now); }
  /// The last datagram sent; the kernel takes each at once.
  std::string take_sent() {
    std::string out;
    for (auto& a : io.actions()) {
      if (auto* s = std::get_if<io::send>(&a)) {
        out = std::move(s->bytes);
        if (s->tok != token::none) ep.handle(io::sent{s->tok}, now);
      }
    }
    io.actions().clear();
    return out;
  }
  void step() {
    now = now + std::chrono::microseconds(200);
    while (const auto due = deadlines.pop_due(now.steady)) ep.handle_timeout(due->id, now);
  }

  socket_address here{*ip_address::parse("192.0.2.20"), 5060}, peer{*ip_address::parse("192.0.2.1"), 5060};
  instant now{steady_time(std::chrono::hours(1)), {}};
  deadline_index deadlines;
  counting_ids ids;
  byte_account memory;
  io_port io;
  dns::resolver dns{{}, deadlines, memory, io};
  sip::endpoint ep;
};

void sip_server_transaction(benchmark::State& state) {
  endpoint_bench b;
  std::uint64_t n = 0;
  const auto one = [&] {
    b.receive(sip_message(++n));
    const auto e = b.ep.poll();
    b.ep.respond(std::get<sip::request_received>(*e).tx, {200, {}, {}, {}}, b.now);
    benchmark::DoNotOptimize(b.take_sent());
    b.step();
  };
  while (n < 170'000) one();
  for (auto _ : state) one();
}
BENCHMARK(sip_server_transaction);

void sip_client_transaction(benchmark::State& state) {
  endpoint_bench b;
  const auto request =
      std::get<sip::request>(*sip::parse_message(sip_message(1), sip::framing::datagram, {}));
  std::uint64_t n = 0;
  const auto one = [&] {
    ++n;
    b.ep.request({request, {{"192.0.2.1", 5060, transport::udp, false}}}, b.now);
    auto text = b.take_sent();
    text.replace(0, text.find("\r\n"), "SIP/2.0 200 OK");
    b.receive(text);
    benchmark::DoNotOptimize(b.ep.poll());
    b.step();
  };
  while (n < 30'000) one();
  for (auto _ : state) one();
}
BENCHMARK(sip_client_transaction);

}  // namespace

BENCHMARK_MAIN();
