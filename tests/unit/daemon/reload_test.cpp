// That a reload takes effect at the rim: sockets, handshakes, the drain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "support/certificates.hpp"
#include "unit/daemon/running_daemon.hpp"

namespace stox::daemon {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::HasSubstr;

/// A daemon with a file, connections to it, and what it counts.
class reloaded_stoxd : public stoxd_with_file {
 protected:
  tcp::endpoint listener(const std::string& via) const {
    const auto status = ask("status");
    const auto begin = status.find(via + ":127.0.0.1:");
    EXPECT_NE(begin, std::string::npos) << status;
    const auto port = status.find_last_of(':', status.find_first_of(" \"", begin)) + 1;
    return {asio::ip::make_address("127.0.0.1"), static_cast<std::uint16_t>(std::stoul(status.substr(port)))};
  }
  double metric(const std::string& name, const std::string& labels = {}) const {
    const auto series = R"({"name":")" + name + R"(","labels":{)" + labels + R"(},"value":)";
    const auto status = ask("status");
    const auto at = status.find(series);
    EXPECT_NE(at, std::string::npos) << name << " in " << status;
    return std::stod(status.substr(at + series.size()));
  }
  double failures(const std::string& reason) const {
    return metric("tls_handshake_failures_total", R"("reason":")" + reason + '"');
  }
  template <class F>
  static bool until(F done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      if (std::chrono::steady_clock::now() > limit) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  void connect(const tcp::endpoint& to) { held.emplace_back(context).connect(to); }

  /// The part of a configuration that names a certificate for this domain, which is written beside it.
  std::string certificate(const std::string& domain) const {
    const auto made = root.issue({domain, "DNS:" + domain});
    std::ofstream(folder + "/" + domain + ".chain.pem") << made.chain;
    std::ofstream(folder + "/" + domain + ".key.pem") << made.key;
    return "[[tls.certificate]]\ndomains = [\"" + domain + "\"]\nchain = \"" + domain +
           ".chain.pem\"\nkey = \"" + domain + ".key.pem\"\n";
  }
  test::authority root;
  asio::io_context context;
  std::vector<tcp::socket> held;
};

TEST_F(reloaded_stoxd, takes_as_many_connections_as_the_new_file_says) {
  listen = R"(["tcp:127.0.0.1:0"])";
  write("", "max_connections = 1\n");
  running([this] {
    write("", "max_connections = 200\n");
    ASSERT_THAT(ask("reload"), HasSubstr("\"key\":\"sip.max_connections\",\"old\":\"1\",\"new\":\"200\""));
    const auto at = listener("tcp");
    for (int i = 0; i < 100; ++i) connect(at);
    EXPECT_TRUE(
        until([this] { return metric("tcp_accepted_total") + metric("tcp_refused_full_total") == 100; }));
    EXPECT_EQ(metric("tcp_refused_full_total"), 0);
    EXPECT_EQ(metric("sip_connections"), 100);
  });
}

TEST_F(reloaded_stoxd, bounds_tls_handshakes_and_spares_trusted_peers_as_the_new_file_says) {
  listen = R"(["tls:127.0.0.1:0"])";
  trusted = "[]";
  const auto own = certificate("gw.example");
  write(own);
  running([&] {
    const auto at = listener("tls");
    const auto open = [this](double n) { return until([&] { return metric("tls_handshakes_open") == n; }); };
    connect(at);
    ASSERT_TRUE(open(1));
    write("[tls]\nmax_handshakes_per_network = 1\n" + own);
    ask("reload");
    connect(at);
    EXPECT_TRUE(until([this] { return failures("network_crowded") == 1; }));
    write("[tls]\nmax_handshakes = 1\n" + own);
    ask("reload");
    connect(at);
    EXPECT_TRUE(until([this] { return failures("crowded") == 1; }));
    EXPECT_TRUE(open(1));
    trusted = R"(["127.0.0.0/8"])";
    write("[tls]\nmax_handshakes_per_network = 1\n" + own);
    ask("reload");
    connect(at);
    connect(at);
    EXPECT_TRUE(open(3));
    EXPECT_EQ(failures("network_crowded"), 1);
  });
}

TEST_F(reloaded_stoxd, drains_as_long_as_the_new_file_says) {
  const auto log = running([this] {
    write({}, {}, "drain = \"3s\"\n");
    ask("reload");
  });
  EXPECT_THAT(log, HasSubstr("daemon.stopping limit=3s"));
}

}  // namespace
}  // namespace stox::daemon
