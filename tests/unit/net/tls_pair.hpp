#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/tcp.hpp"
#include "support/certificates.hpp"
#include "unit/net/raw_socket.hpp"
#include "unit/net/recorder.hpp"

namespace stox::net {

inline constexpr conn_id c1{first_core_conn | 1};

inline settings::certificate entry(const test::issued& made, std::vector<std::string> domains) {
  settings::certificate c;
  c.domains = std::move(domains);
  c.chain = "chain.pem";
  c.key = "key.pem";
  c.chain_pem = made.chain;
  c.key_pem = redacted(made.key);
  return c;
}

inline std::shared_ptr<const tls_context> context_of(const settings::tls& s,
                                              const std::vector<std::string>& served = {}) {
  auto made = tls_context::make(s, served);
  EXPECT_TRUE(made) << made.error().to_string();
  return *made;
}

/// A server with two certificates and a client with one, of one authority, each with its own ports.
class tls_pair : public testing::Test {
 protected:
  tls_pair() {
    server_settings.ca_pem = client_settings.ca_pem = root.pem();
    server_settings.certificates = {entry(root.issue({"one", "DNS:one.example"}), {"one.example"}),
                                    entry(root.issue({"two", "DNS:two.example"}), {"two.example"})};
    client_settings.certificates = {entry(root.issue({"us", "DNS:gw.example"}), {"gw.example"})};
  }
  template <class F>
  bool until(F done) {
    return loop.run_until(done, patience);
  }
  void start(tcp_limits limits = {}, const socket_address& where = loopback(),
             transport via = transport::tls, conn_use use = conn_use::sip) {
    server.emplace(loop, numbers, heard, limits);
    server->set_tls(context_of(server_settings));
    client.emplace(loop, numbers, told, limits);
    client->set_tls(context_of(client_settings));
    const auto bound = server->listen(where, false, via, use);
    if (!bound && where == loopback6()) GTEST_SKIP() << "no IPv6 here: " << bound.error().to_string();
    ASSERT_TRUE(bound);
    at = *bound;
  }
  void open(conn_id id = c1, std::string server_name = "one.example") {
    client->open({id, conn_use::sip, transport::tls, "", at, std::move(server_name), "gw.example"});
  }
  void connect(conn_id id = c1, std::string server_name = "one.example") {
    const auto before = heard.count<io::accepted>();
    open(id, std::move(server_name));
    ASSERT_TRUE(
        until([&] { return heard.count<io::accepted>() > before && told.count<io::opened>() > before; }));
  }
  std::uint64_t failures(tls_failure f) const {
    return server->counters().tls_failures[static_cast<std::size_t>(f)];
  }
  peer_identity server_seen() const { return told.all<io::opened>().back().identity.value(); }
  peer_identity client_seen() const { return heard.all<io::accepted>().back().identity.value(); }
  conn_id accepted() const { return heard.all<io::accepted>().back().conn; }

  test::authority root;
  settings::tls server_settings, client_settings;
  reactor loop;
  rim_numbers numbers;
  recorder heard, told;  ///< by the server's and the client's core
  std::optional<tcp_ports> server, client;
  socket_address at;
};

/// A client by OpenSSL itself.
class raw_tls {
 public:
  raw_tls(const tls_context& context, const socket_address& to) : ssl_(context.client("one.example", "")) {
    socket_.connect_to(to);
    const int flags = fcntl(socket_.descriptor(), F_GETFL);
    fcntl(socket_.descriptor(), F_SETFL, flags | O_NONBLOCK);
    SSL_set_fd(ssl_.get(), socket_.descriptor());
    SSL_clear_options(ssl_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  }
  SSL* ssl() { return ssl_.get(); }
  bool handshake() { return SSL_do_handshake(ssl_.get()) == 1; }
  /// Reads what is there; the last error.
  int read(std::string& into) {
    char buffer[16384];
    for (;;) {
      const int n = SSL_read(ssl_.get(), buffer, sizeof buffer);
      if (n <= 0) return SSL_get_error(ssl_.get(), n);
      into.append(buffer, static_cast<std::size_t>(n));
    }
  }

 private:
  raw_socket socket_;
  ssl_ptr ssl_;
};

}  // namespace stox::net
