// That a reload takes effect at the rim: sockets, handshakes, the drain; and has none when it fails late.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/certificates.hpp"
#include "unit/daemon/running_daemon.hpp"

// COMPAT(libunbound 1.17): ub_ctx_create() forgets 192 bytes where it finds no descriptors. What we forget of
// it ourselves is seen in the tests of net.
extern "C" const char* __lsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __lsan_default_suppressions() { return "leak:libunbound"; }  // NOLINT

namespace stox::daemon {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// While it lives, so few more descriptors can be had.
class few_descriptors {
 public:
  explicit few_descriptors(unsigned free) {
    getrlimit(RLIMIT_NOFILE, &before_);
    std::set<rlim_t> open;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
      open.insert(std::stoul(entry.path().filename()));
    rlimit now = before_;
    for (now.rlim_cur = 0; free > 0; ++now.rlim_cur) free -= open.contains(now.rlim_cur) ? 0U : 1U;
    setrlimit(RLIMIT_NOFILE, &now);
  }
  ~few_descriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  few_descriptors(const few_descriptors&) = delete;
  few_descriptors& operator=(const few_descriptors&) = delete;

 private:
  rlimit before_{};
};

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
  /// The common name in the certificate that is shown there.
  std::string shown_at(const tcp::endpoint& to) {
    tcp::socket socket(context);
    socket.connect(to);
    const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> rules(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(rules.get()), SSL_free);
    SSL_set_fd(ssl.get(), socket.native_handle());
    EXPECT_EQ(SSL_connect(ssl.get()), 1);
    const test::x509_ptr shown(SSL_get1_peer_certificate(ssl.get()));
    char name[64] = "none";
    if (shown)
      X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, name, sizeof name);
    return name;
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

// The new file is good, and then a resource that it needs cannot be had: the resolver's descriptors.
TEST_F(reloaded_stoxd, changes_nothing_when_a_good_file_cannot_be_carried_out) {
  listen = R"(["tls:127.0.0.1:0"])";
  write(certificate("one.example"));
  const auto log = running([this] {
    const auto at = listener("tls");
    ASSERT_EQ(shown_at(at), "one.example");
    write("[dns]\nservers = [\"127.0.0.1:5353\"]\n" + certificate("two.example"), "hold = \"3s\"\n");
    {
      // Both ends of the control connection, and the file that is read.
      const few_descriptors left(3);
      EXPECT_EQ(ask("reload"),
                "{\"error\":\"reload refused, nothing was changed\",\"errors\":[\"dns.servers: Too many open "
                "files\"]}");
    }
    EXPECT_EQ(shown_at(at), "one.example");
    EXPECT_THAT(ask("status"),
                AllOf(HasSubstr("{\"domain\":\"one.example\"}"), Not(HasSubstr("two.example"))));
    EXPECT_THAT(ask("reload"), AllOf(HasSubstr("{\"ok\":true"), HasSubstr("\"old\":\"2s\",\"new\":\"3s\""),
                                     HasSubstr("\"key\":\"dns.servers\"")));
    EXPECT_EQ(shown_at(at), "two.example");
  });
  EXPECT_THAT(log, HasSubstr("error daemon.reload_refused why=\"dns.servers: Too many open files\""));
}

}  // namespace
}  // namespace stox::daemon
