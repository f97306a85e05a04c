// What TLS adds to a message on an open connection: the two calls that the gateway makes for one (a MESSAGE
// out, its 200 in, or the other way round), over a pair of sockets, with TLS and without.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>

#include "net/tls_stream.hpp"

namespace {

using stox::net::tls_context;
using stox::net::tls_stream;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const auto n = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(n));
  BIO_free(bio);
  return out;
}

/// A context whose certificate nobody has signed but itself.
std::shared_ptr<const tls_context> context() {
  stox::net::pkey_ptr key(EVP_EC_gen("P-256"));
  stox::net::x509_ptr own(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(own.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(own.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(own.get()), 86'400);
  X509_set_pubkey(own.get(), key.get());
  X509_sign(own.get(), key.get(), EVP_sha256());
  auto* chain = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(chain, own.get());
  auto* pem = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(pem, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  stox::settings::tls settings;
  settings.certificates.push_back(
      {{"bench.example"}, "", "", text_of(chain), stox::redacted(text_of(pem)), {}});
  auto made = tls_context::make(settings, {});
  return made ? *made : nullptr;
}

struct pair_of_sockets {
  pair_of_sockets() {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) != 0) std::abort();
  }
  ~pair_of_sockets() {
    for (const int fd : ends) close(fd);
  }
  pair_of_sockets(const pair_of_sockets&) = delete;
  pair_of_sockets& operator=(const pair_of_sockets&) = delete;
  std::array<int, 2> ends{};
};

void secure(tls_stream& client, tls_stream& server) {
  for (;;) {
    const auto ours = client.handshake().what, theirs = server.handshake().what;
    if (ours == tls_stream::outcome::failed || theirs == tls_stream::outcome::failed) std::abort();
    if (ours == tls_stream::outcome::done && theirs == tls_stream::outcome::done) return;
  }
}

std::array<char, 16 * 1024> buffer;

void message_plain(benchmark::State& state) {
  const pair_of_sockets s;
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    benchmark::DoNotOptimize(send(s.ends[0], text.data(), text.size(), MSG_NOSIGNAL));
    benchmark::DoNotOptimize(recv(s.ends[1], buffer.data(), buffer.size(), 0));
  }
}
BENCHMARK(message_plain)->Arg(500)->Arg(5'000);

// One record of that size out and one in: 500 bytes are a message, 5,000 a batch of ten.
void message_tls(benchmark::State& state) {
  const pair_of_sockets s;
  const auto rules = context();
  tls_stream client(rules, rules->client("", ""), s.ends[0]);
  tls_stream server(rules, rules->server(), s.ends[1]);
  secure(client, server);
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    if (client.write(text).bytes != text.size() || server.read(buffer).bytes != text.size())
      return state.SkipWithError("it does not cross");
  }
}
BENCHMARK(message_tls)->Arg(500)->Arg(5'000);

void handshake(benchmark::State& state) {
  const auto rules = context();
  for (auto _ : state) {
    const pair_of_sockets s;
    tls_stream client(rules, rules->client("", ""), s.ends[0]);
    tls_stream server(rules, rules->server(), s.ends[1]);
    secure(client, server);
  }
}
BENCHMARK(handshake)->Unit(benchmark::kMicrosecond);

}  // namespace
