#include "admin/admin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stox::admin {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using local = asio::local::stream_protocol;
using boost::system::error_code;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class door : public testing::Test {
 protected:
  door() {
    char folder[] = "/tmp/stox-admin-XXXXXX";
    folder_ = ::mkdtemp(folder);
  }
  ~door() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  hooks calls() {
    return {[this] { return samples_; },
            [this] { return readiness_; },
            [] {
              return std::vector<std::pair<std::string, std::string>>{{"uptime", "5s"}};
            },
            [this](log_level l) { level_ = l; },
            [this](incident_query q, const std::function<void(const std::vector<incident>&)>& found) {
              query_ = q;
              // As the store does: the answer comes later.
              asio::post(context_, [this, found] { found(incidents_); });
            },
            [this] { return store_trouble_; },
            [this] { return links_; },
            [this] { return peers_; },
            [this](const std::string& domain, std::size_t limit) {
              asked_sessions_ = domain + " " + std::to_string(limit);
              return sessions_;
            },
            [] {
              return engine::open_work{2, 3, 4, 5};
            },
            [this] { return reloaded_; },
            [this] { return waiting_; },
            [this](std::optional<duration> limit) {
              return !std::exchange(drain_, limit.value_or(duration(-1)));
            },
            [this] { return blocks_; },
            [this](const std::string& what, std::optional<duration> time) {
              blocks_.push_back(
                  {what,
                   time ? std::optional(wall_time(std::chrono::duration_cast<wall_time::duration>(*time)))
                        : std::nullopt,
                   what == "192.0.2.7"});
              return blocks_.size() > 2 ? std::string("full") : std::string();
            },
            [this](const std::string& what) {
              return std::erase_if(blocks_, [&](const auto& b) { return b.what == what; }) > 0
                         ? std::string()
                         : what + " is not blocked";
            },
            [this](const std::string& user) -> std::optional<engine::peer_record> {
              if (user.starts_with("sip:nobody")) return std::nullopt;
              return engine::peer_record{user, facts_};
            },
            [this](const std::string& user) {
              return std::exchange(forgotten_, user) == user ? user + " is no SIP URI or JID of a user"
                                                             : std::string();
            },
            [this](const std::function<void(const store_report&)>& checked) {
              asio::post(context_, [this, checked] { checked(report_); });
            },
            [this](const std::string& domain, std::size_t) {
              auto out = streams_;
              if (!domain.empty()) std::erase_if(out, [&](const auto& s) { return s.peer != domain; });
              return out;
            },
            [this] {
              std::vector<std::string> out;
              for (const auto& l : links_) out.push_back(l.domain);
              return out;
            },
            [this] { return federation_; }};
  }

  void start(const time_limits& limits = {}, const std::string& host = "127.0.0.1") {
    auto s = server::start(context_, {host + ":0", socket_path()}, calls(), limits);
    ASSERT_TRUE(s.has_value()) << s.error().to_string();
    server_ = std::move(*s);
  }

  std::string socket_path() const { return folder_ + "/ctl"; }

  /// Runs blocking client work beside the loop.
  template <class F>
  auto beside(F work) {
    auto done = std::async(std::launch::async, std::move(work));
    while (done.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      context_.restart();
      context_.run_one_for(std::chrono::milliseconds(5));
    }
    return done.get();
  }

  /// Sends the bytes and reads until the server closes.
  std::string http(const std::string& bytes, const std::string& host = "127.0.0.1") {
    return beside([port = server_->http_port(), bytes, host] {
      asio::io_context own;
      tcp::socket s(own);
      s.connect({asio::ip::make_address(host), port});
      error_code ignored;
      asio::write(s, asio::buffer(bytes), ignored);
      std::string answer;
      asio::read(s, asio::dynamic_buffer(answer), ignored);
      return answer;
    });
  }
  std::string get(const std::string& target, const std::string& method = "GET") {
    return http(method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

  /// Sends the lines over one control connection and gives the answers up to `count` lines, or until the
  /// server closes.
  std::string control(const std::string& lines, int count = 1) {
    return beside([path = socket_path(), lines, count] {
      asio::io_context own;
      local::socket s(own);
      s.connect(local::endpoint(path));
      error_code failed;
      asio::write(s, asio::buffer(lines), failed);
      std::string in, out;
      for (int i = 0; i < count; ++i) {
        const auto n = asio::read_until(s, asio::dynamic_buffer(in), '\n', failed);
        if (failed) return out + "<closed>";
        out += in.substr(0, n);
        in.erase(0, n);
      }
      return out;
    });
  }

  std::string folder_;
  asio::io_context context_;
  std::vector<engine::sample> samples_;
  engine::readiness readiness_{true, ""};
  std::optional<log_level> level_;
  std::optional<incident_query> query_;
  std::vector<incident> incidents_;
  std::string store_trouble_, asked_sessions_;
  std::vector<engine::link_status> links_;
  std::vector<engine::server_stream> streams_;
  std::vector<engine::sip_peer> peers_;
  std::vector<engine::session> sessions_;
  reload_outcome reloaded_;
  std::vector<settings::changed_key> waiting_;
  std::optional<duration> drain_;
  std::vector<blocked_source> blocks_;
  std::vector<engine::peer_fact> facts_;
  std::string forgotten_;
  store_report report_;
  admin::federation federation_;
  std::unique_ptr<server> server_;
};

TEST(metrics, have_help_type_and_labels_and_one_family_per_name) {
  const std::vector<engine::sample> samples{
      {"messages_total",
       "Messages by outcome.",
       false,
       {{"direction", "to_sip"}, {"outcome", "delivered"}},
       3},
      {"memory_bytes", "Memory held for peers.", true, {}, 4096},
      {"messages_total",
       "Messages by outcome.",
       false,
       {{"direction", "to_xmpp"}, {"outcome", "a\"b\\c\nd"}},
       1},
  };
  EXPECT_EQ(render_metrics(samples),
            "# HELP stox_messages_total Messages by outcome.\n"
            "# TYPE stox_messages_total counter\n"
            "stox_messages_total{direction=\"to_sip\",outcome=\"delivered\"} 3\n"
            "stox_messages_total{direction=\"to_xmpp\",outcome=\"a\\\"b\\\\c\\nd\"} 1\n"
            "# HELP stox_memory_bytes Memory held for peers.\n"
            "# TYPE stox_memory_bytes gauge\n"
            "stox_memory_bytes 4096\n");
  EXPECT_EQ(render_metrics({}), "");
}

TEST(metrics, a_large_count_keeps_every_digit) {
  EXPECT_THAT(render_metrics({{"bytes_total", "Bytes.", false, {}, 123456789012.0}}),
              EndsWith("stox_bytes_total 123456789012\n"));
}

TEST_F(door, serves_metrics) {
  samples_ = {{"messages_total", "Messages.", false, {}, 7}};
  start();
  const auto answer = get("/metrics?x=1");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n# HELP stox_messages_total Messages.\n# TYPE stox_messages_total "
                               "counter\nstox_messages_total 7\n"));
}

TEST_F(door, health_is_alive_and_readiness_says_why_not) {
  start();
  EXPECT_THAT(get("/healthz"), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\nalive\n")));
  EXPECT_THAT(get("/readyz"), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\nready\n")));
  readiness_ = {false, "no link to sip.example"};
  EXPECT_THAT(get("/readyz"), AllOf(StartsWith("HTTP/1.1 503 Service Unavailable\r\n"),
                                    EndsWith("\r\n\r\nno link to sip.example\n")));
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(door, speaks_ipv6) {
  asio::io_context probe;
  error_code none_here;
  tcp::acceptor one(probe);
  one.open(tcp::v6(), none_here);
  if (!none_here) one.bind({asio::ip::make_address("::1"), 0}, none_here);
  if (none_here) GTEST_SKIP() << "no IPv6 here: " << none_here.message();
  start({}, "[::1]");
  EXPECT_THAT(http("GET /readyz HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n", "::1"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\nready\n")));
}

TEST_F(door, readiness_says_that_the_store_cannot_write_and_stays_200) {
  store_trouble_ = "disk full";
  start();
  EXPECT_THAT(get("/readyz"), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                                    EndsWith("\r\n\r\nready\nthe store cannot write: disk full\n")));
  readiness_ = {false, "draining"};
  EXPECT_THAT(get("/readyz"), AllOf(StartsWith("HTTP/1.1 503 "),
                                    EndsWith("\r\n\r\ndraining\nthe store cannot write: disk full\n")));
}

TEST_F(door, serves_nothing_else) {
  start();
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(get("/metrics/"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(get("/metrics", "DELETE"),
              AllOf(StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"), HasSubstr("Allow: GET, HEAD\r\n")));
}

TEST_F(door, tells_of_the_domain_that_the_host_field_names) {
  const auto ask = [this](const std::string& method, const std::string& host) {
    return http(method + " /.well-known/host-meta.json HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n");
  };
  federation_ = {{"sip.example"}, {*socket_address::parse("192.0.2.20:5270")}};
  start();
  const auto found = AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Type: application/json\r\n"),
                           HasSubstr("Access-Control-Allow-Origin: *\r\n"));
  const auto answer = ask("GET", "Host: SIP.example:8443\r\n");
  EXPECT_THAT(answer,
              AllOf(found, HasSubstr("\r\n\r\n{\"xmpp\":{"), EndsWith("\"sni\":\"sip.example\"}]}\n")));
  const auto length = answer.size() - answer.find("\r\n\r\n") - 4;
  EXPECT_THAT(
      ask("HEAD", "Host: sip.example\r\n"),
      AllOf(found, HasSubstr("Content-Length: " + std::to_string(length) + "\r\n"), EndsWith("\r\n\r\n")));
  for (const auto* host : {"Host: other.example\r\n", "Host: [::1]:80\r\n", ""}) {
    EXPECT_THAT(ask("GET", host),
                AllOf(StartsWith("HTTP/1.1 404 "), EndsWith("the Host is no domain that federates here\n"),
                      Not(HasSubstr("Access-Control"))))
        << host;
  }
  EXPECT_THAT(http("GET /.well-known/host-meta HTTP/1.1\r\nHost: sip.example\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 404 "));  // the XRD has no words for servers
}

// XEP-0487 §3.1: the leave to read from any page is for this document alone.
TEST_F(door, lets_no_page_read_anything_else) {
  start();
  for (const auto* path : {"/metrics", "/status", "/healthz", "/readyz"})
    EXPECT_THAT(get(path), Not(HasSubstr("Access-Control"))) << path;
}

TEST_F(door, answers_head_without_a_body) {
  start();
  EXPECT_THAT(get("/healthz", "HEAD"), AllOf(HasSubstr("Content-Length: 6\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(door, answers_requests_one_after_the_other_on_one_connection) {
  start();
  const auto answer = http(
      "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\nConnection: "
      "close\r\n\r\n");
  EXPECT_THAT(answer, AllOf(HasSubstr("200 OK"), HasSubstr("404 Not Found")));
}

TEST_F(door, refuses_a_header_above_8_kb_and_what_is_not_http) {
  start();
  EXPECT_THAT(http("GET /healthz HTTP/1.1\r\nX: " + std::string(9000, 'a') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
  EXPECT_THAT(http("\x16\x03\x01\r\n\r\n"), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_F(door, closes_after_a_request_with_a_body) {
  start();
  const auto answer =
      http("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\nGET /nothing HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Connection: close\r\n")));
  EXPECT_THAT(answer, Not(HasSubstr("404")));
}

TEST_F(door, holds_at_most_64_http_connections) {
  start();
  const auto refused = beside([port = server_->http_port()] {
    asio::io_context own;
    std::vector<tcp::socket> held;
    const auto ask = [](tcp::socket& s) {
      error_code failed;
      asio::write(s, asio::buffer(std::string("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")), failed);
      std::string in;
      asio::read_until(s, asio::dynamic_buffer(in), "alive\n", failed);
      return !failed;
    };
    for (int i = 0; i < 64; ++i) {
      held.emplace_back(own).connect({asio::ip::make_address("127.0.0.1"), port});
      if (!ask(held.back())) return std::string("refused too early");
    }
    held.emplace_back(own).connect({asio::ip::make_address("127.0.0.1"), port});
    return std::string(ask(held.back()) ? "answered" : "refused");
  });
  EXPECT_EQ(refused, "refused");
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(door, a_taken_port_is_an_error) {
  start();
  const auto again =
      server::start(context_, {"127.0.0.1:" + std::to_string(server_->http_port()), ""}, calls());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, make_error_code(errc::cannot_listen));
  EXPECT_THAT(again.error().detail,
              AllOf(StartsWith("admin.listen: 127.0.0.1:"), HasSubstr("Address already in use")));
}

TEST_F(door, a_name_is_no_listening_address) {
  const auto s = server::start(context_, {"localhost:1", ""}, calls());
  ASSERT_FALSE(s.has_value());
  EXPECT_EQ(s.error().to_string(), "admin/bad_address: admin.listen: localhost:1");
}

TEST_F(door, status_tells_version_readiness_facts_and_samples) {
  readiness_ = {false, "no link"};
  samples_ = {{"messages_total", "Messages.", false, {{"direction", "to_sip"}}, 7}};
  start();
  EXPECT_EQ(control("status\n"), "{\"version\":\"" STOX_VERSION
                                 "\",\"ready\":false,\"why\":\"no "
                                 "link\",\"uptime\":\"5s\",\"links\":[],\"waiting_for_restart\":[],"
                                 "\"samples\":[{\"name\":\"messages_total\","
                                 "\"labels\":{\"direction\":\"to_sip\"},\"value\":7}]}\n");
}

TEST_F(door, version_and_log_level_are_answered_line_by_line) {
  start();
  const std::string unknown =
      "{\"error\":\"unknown command; use status, version, sessions, peer, block, unblock, blocks, drain, "
      "reload, incidents, store or log-level\"}\n";
  EXPECT_EQ(control("version\r\nlog-level debug\nlog-level loud\nreboot\n\n", 5),
            "{\"version\":\"" STOX_VERSION
            "\"}\n"
            "{\"ok\":true,\"level\":\"debug\"}\n"
            "{\"error\":\"log-level needs debug, info, warning or error\"}\n" +
                unknown + unknown);
  EXPECT_EQ(level_, log_level::debug);
}

TEST_F(door, a_control_line_above_4_kb_ends_the_connection) {
  start();
  EXPECT_EQ(control(std::string(5000, 'x') + "\n", 2), "{\"error\":\"line longer than 4 kB\"}\n<closed>");
}

TEST_F(door, the_control_socket_is_for_its_owner_only) {
  start();
  struct stat about {};
  ASSERT_EQ(::stat(socket_path().c_str(), &about), 0);
  EXPECT_TRUE(S_ISSOCK(about.st_mode));
  EXPECT_EQ(about.st_mode & 0777, 0600U);
}

TEST_F(door, holds_at_most_16_control_connections) {
  start();
  const auto outcome = beside([path = socket_path()] {
    asio::io_context own;
    std::vector<local::socket> held;
    const auto ask = [](local::socket& s) {
      error_code failed;
      asio::write(s, asio::buffer(std::string("version\n")), failed);
      std::string in;
      asio::read_until(s, asio::dynamic_buffer(in), '\n', failed);
      return !failed;
    };
    for (int i = 0; i < 16; ++i) {
      held.emplace_back(own).connect(local::endpoint(path));
      if (!ask(held.back())) return std::string("refused too early");
    }
    held.emplace_back(own).connect(local::endpoint(path));
    return std::string(ask(held.back()) ? "answered" : "refused");
  });
  EXPECT_EQ(outcome, "refused");
}

TEST_F(door, the_socket_file_of_a_dead_daemon_is_replaced) {
  // A bound socket whose owner is gone: the file stays, nobody answers.
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  start();
  EXPECT_EQ(control("version\n"), "{\"version\":\"" STOX_VERSION "\"}\n");
}

TEST_F(door, the_socket_of_a_living_daemon_is_an_error_and_left_alone) {
  start();
  const auto again = server::start(context_, {"", socket_path()}, calls());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, make_error_code(errc::control_in_use));
  EXPECT_EQ(control("version\n"), "{\"version\":\"" STOX_VERSION "\"}\n");
}

TEST_F(door, the_socket_of_a_daemon_that_does_not_accept_is_an_error_at_once) {
  // A full backlog: a blocking connect() would wait until the other daemon wakes up.
  local::acceptor stuck(context_, local::endpoint(socket_path()), false);
  stuck.listen(0);
  std::vector<local::socket> waiting;
  const local::endpoint there(socket_path());
  do {
    waiting.emplace_back(context_, local());
    waiting.back().native_non_blocking(true);
  } while (::connect(waiting.back().native_handle(), there.data(), static_cast<socklen_t>(there.size())) ==
           0);
  ASSERT_EQ(errno, EAGAIN);
  const auto again = server::start(context_, {"", socket_path()}, calls());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().to_string(),
            "admin/control_in_use: admin.control: " + socket_path() + " belongs to a running daemon");
}

TEST_F(door, closes_a_client_that_sends_nothing_or_never_finishes) {
  start({std::chrono::milliseconds(20), std::chrono::milliseconds(20)});
  for (const auto* begun : {"", "GET /healthz HTTP/1.1\r\nHo"}) EXPECT_EQ(http(begun), "") << begun;
  EXPECT_THAT(http("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), EndsWith("alive\n")) << "keep-alive ends too";
  for (const auto* begun : {"", "vers"}) EXPECT_EQ(control(begun), "<closed>") << begun;
  EXPECT_EQ(control("version\n", 2), "{\"version\":\"" STOX_VERSION "\"}\n<closed>");
}

TEST_F(door, incidents_come_with_time_domain_kind_and_detail) {
  incidents_ = {{wall_time(std::chrono::seconds(1'769'860'800)), "sip.example", 0, "message.to_sip.in_doubt",
                 "call_id=c-1 why=\"a b\""}};
  start();
  EXPECT_EQ(
      control("incidents 1769860799 7\n"),
      "{\"incidents\":[{\"at\":\"2026-01-31T12:00:00Z\",\"domain\":\"sip.example\",\"engine\":0,\"kind\":"
      "\"message.to_sip.in_doubt\",\"detail\":\"call_id=c-1 why=\\\"a b\\\"\"}]}\n");
  ASSERT_TRUE(query_);
  EXPECT_EQ(query_->since, wall_time(std::chrono::seconds(1'769'860'799)));
  EXPECT_EQ(query_->limit, 7U);
  for (const auto* bad : {"", " 1", " 1 0", " 1 1001", " x 1", " -1 1", " 9000000001 1"}) {
    EXPECT_EQ(control(std::string("incidents") + bad + "\n"),
              "{\"error\":\"incidents needs SINCE (seconds since 1970) and LIMIT (1 to 1000)\"}\n")
        << bad;
  }
}

TEST_F(door, incidents_say_when_the_store_cannot_write) {
  store_trouble_ = "disk full";
  start();
  EXPECT_EQ(
      control("incidents 0 1\n"),
      "{\"incidents\":[],\"warning\":\"the store cannot write (disk full): newer incidents stand only in the "
      "log\"}\n");
}

const wall_time noon(std::chrono::seconds(1'769'860'800));

TEST_F(door, status_tells_links_and_what_waits_for_a_restart_by_http_too) {
  links_ = {{"a.example", "127.0.0.1:5347", "waiting", false, false, noon, "refused", 1, 2, 3, 4}};
  waiting_ = {{"store.path", "a", "b", {}, {}}};
  start();
  const auto told = control("status\n");
  EXPECT_THAT(told,
              HasSubstr("\"links\":[{\"domain\":\"a.example\",\"server\":\"127.0.0.1:5347\",\"state\":"
                        "\"waiting\",\"leaving\":false,\"since\":\"2026-01-31T12:00:00Z\",\"connects\":1,"
                        "\"losses\":2,\"queued\":3,\"unconfirmed\":4,\"why\":\"refused\"}]"));
  EXPECT_THAT(told,
              HasSubstr("\"waiting_for_restart\":[{\"key\":\"store.path\",\"old\":\"a\",\"new\":\"b\"}]"));
  const auto page = get("/status");
  EXPECT_THAT(page, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(page, EndsWith("\r\n\r\n" + told));
}

TEST_F(door, sessions_are_of_a_served_domain_or_of_all) {
  links_.resize(1);
  links_[0].domain = "a.example";
  sessions_ = {{"to_sip", "pending", "c", "call", "m1", "x@y", "z@a.example", noon, 2}};
  start();
  EXPECT_EQ(
      control("sessions 10 a.example\n"),
      "{\"open\":2,\"conversations\":3,\"server_transactions\":4,\"client_transactions\":5,\"sessions\":[{"
      "\"since\":\"2026-01-31T12:00:00Z\",\"direction\":\"to_sip\",\"state\":\"pending\",\"waiting\":2,"
      "\"from\":\"x@y\",\"to\":\"z@a.example\",\"conversation\":\"c\",\"call_id\":\"call\",\"stanza_id\":"
      "\"m1\"}]}\n");
  EXPECT_EQ(asked_sessions_, "a.example 10");
  EXPECT_EQ(control("sessions 10 b.example\n"),
            "{\"error\":\"b.example is not served; did you mean a.example?\"}\n");
  for (const auto* bad : {"sessions\n", "sessions 0\n", "sessions 1001\n", "sessions a.example\n"})
    EXPECT_THAT(control(bad), HasSubstr("sessions needs LIMIT (1 to 1000)")) << bad;
}

TEST_F(door, peer_shows_all_or_one_address_or_one_domain) {
  links_.resize(2);
  links_[0].domain = "a.example";
  links_[1].domain = "b.example";
  const auto at = [](const char* text) { return *socket_address::parse(text); };
  peers_ = {{transport::udp, at("192.0.2.1:5060"), "penalty", std::chrono::milliseconds(29'500), 0, 0, 1, 2,
             "timed out"},
            {transport::tcp, at("192.0.2.1:5070"), "ok", {}, 1, 0, 0, 0, ""},
            {transport::tcp, at("192.0.2.7:0"), "ok", {}, 1, 0, 0, 0, ""}};
  start();
  const auto count = [](const std::string& text, std::string_view what) {
    int n = 0;
    for (auto i = text.find(what); i != std::string::npos; i = text.find(what, i + 1)) ++n;
    return n;
  };
  const auto all = control("peer show\n");
  EXPECT_EQ(count(all, "\"domain\""), 2);
  EXPECT_EQ(count(all, "\"address\""), 3);
  EXPECT_THAT(all, HasSubstr("{\"address\":\"192.0.2.1:5060\",\"transport\":\"udp\",\"state\":\"penalty\","
                             "\"seconds_left\":30,\"streams\":0,\"stalled\":0,\"requests\":1,\"failures\":2,"
                             "\"last_error\":\"timed out\"}"));
  EXPECT_THAT(all, HasSubstr("{\"address\":\"192.0.2.7\",")) << "clients come from any port";
  EXPECT_EQ(count(control("peer show 192.0.2.1\n"), "\"address\""), 2);
  EXPECT_EQ(count(control("peer show 192.0.2.1:5070\n"), "\"address\""), 1);
  const auto one = control("peer show b.example\n");
  EXPECT_EQ(count(one, "\"domain\""), 1);
  EXPECT_EQ(count(one, "\"address\""), 0);
  EXPECT_THAT(control("peer show c.example\n"), HasSubstr("c.example is not served"));
  streams_ = {{"a.example", "far.example", "192.0.2.9:5269", "in", "dialback", true, false, noon, 5, 6}};
  EXPECT_THAT(control("peer show far.example\n"),
              HasSubstr("{\"links\":[],\"streams\":[{\"domain\":\"a.example\",\"peer\":\"far.example\","
                        "\"direction\":\"in\",\"proof\":\"dialback\",\"tls\":true,\"resumable\":false,"));
}

TEST_F(door, peer_shows_and_forgets_what_is_known_of_a_user) {
  facts_ = {{"cpim", "no", "refused", noon, noon + std::chrono::hours(24)}};
  start();
  EXPECT_EQ(
      control("peer show sip:bo@sip.example\n"),
      "{\"user\":\"sip:bo@sip.example\",\"capabilities\":[{\"feature\":\"cpim\",\"value\":\"no\",\"how\":"
      "\"refused\",\"learned\":\"2026-01-31T12:00:00Z\",\"expires\":\"2026-02-01T12:00:00Z\"}]}\n");
  for (const auto* user : {"ana@xmpp.example", "tel:+1", "SIP:bo@sip.example", "im:bo@sip.example"})
    EXPECT_THAT(control("peer show " + std::string(user) + "\n"), HasSubstr("\"user\":")) << user;
  EXPECT_EQ(control("peer show sip:nobody\n"), "{\"error\":\"sip:nobody is no SIP URI or JID of a user\"}\n");
  EXPECT_EQ(control("peer forget a@b\n"), "{\"ok\":true,\"forgotten\":\"a@b\"}\n");
  EXPECT_EQ(forgotten_, "a@b");
  EXPECT_EQ(control("peer forget a@b\n"), "{\"error\":\"a@b is no SIP URI or JID of a user\"}\n");
  for (const auto* bad : {"peer\n", "peer forget\n", "peer 192.0.2.1\n", "peer list\n"})
    EXPECT_THAT(control(bad), HasSubstr("peer needs show, ")) << bad;
}

TEST_F(door, store_check_tells_of_tables_and_problems) {
  report_ = {"/var/stox.db", {"page 3 is never used"}, false, "disk full", 8192, {{"receipt", 7, 2}}};
  start();
  EXPECT_EQ(
      control("store check\n"),
      "{\"store\":\"/var/stox.db\",\"sound\":false,\"writes\":false,\"why\":\"disk full\",\"bytes\":8192,"
      "\"tables\":[{\"table\":\"receipt\",\"rows\":7,\"expired\":2}],\"problems\":[\"page 3 is never "
      "used\"]}\n");
  report_.problems.clear();
  EXPECT_THAT(control("store check\n"), HasSubstr("\"sound\":true"));
  EXPECT_EQ(control("store\n"), "{\"error\":\"store needs check\"}\n");
}

TEST_F(door, blocks_come_with_or_without_an_end_and_go) {
  start();
  EXPECT_EQ(control("block 192.0.2.7\nblock eve@xmpp.example 3600\nblocks\nblock three\n", 4),
            "{\"ok\":true,\"blocked\":\"192.0.2.7\"}\n"
            "{\"ok\":true,\"blocked\":\"eve@xmpp.example\"}\n"
            "{\"blocks\":[{\"what\":\"192.0.2.7\",\"until\":\"\",\"from\":\"configuration\"},"
            "{\"what\":\"eve@xmpp.example\",\"until\":\"1970-01-01T01:00:00Z\",\"from\":\"operator\"}]}\n"
            "{\"error\":\"full\"}\n");
  EXPECT_EQ(control("unblock 192.0.2.7\nunblock 192.0.2.7\n", 2),
            "{\"ok\":true,\"unblocked\":\"192.0.2.7\"}\n{\"error\":\"192.0.2.7 is not blocked\"}\n");
  for (const auto* bad : {"block\n", "block a 0\n", "block a soon\n", "block a 315360001\n"})
    EXPECT_THAT(control(bad), HasSubstr("block needs WHAT")) << bad;
}

TEST_F(door, reload_answers_with_the_difference_or_the_errors) {
  reloaded_.changed = {{"sip.hold", "2s", "5s", {}, {}}, {"gateway.sip_domains", {}, {}, {"b"}, {"a"}}};
  reloaded_.warnings = {"w"};
  start();
  EXPECT_EQ(control("reload\n"),
            "{\"ok\":true,\"changed\":[{\"key\":\"sip.hold\",\"old\":\"2s\",\"new\":\"5s\"},{\"key\":"
            "\"gateway.sip_domains\",\"added\":[\"b\"],\"removed\":[\"a\"]}],\"waiting_for_restart\":[],"
            "\"warnings\":[\"w\"]}\n");
  reloaded_ = {{"stox.toml:3: bad"}, {}, {}, {}};
  EXPECT_EQ(control("reload\n"),
            "{\"error\":\"reload refused, nothing was changed\",\"errors\":[\"stox.toml:3: bad\"]}\n");
}

TEST_F(door, drain_takes_a_limit_and_begins_once) {
  start();
  EXPECT_THAT(control("drain 601\n"), HasSubstr("drain takes a number of seconds, 0 to 600"));
  EXPECT_EQ(control("drain 7\n"), "{\"ok\":true}\n");
  EXPECT_EQ(drain_, std::chrono::seconds(7));
  EXPECT_EQ(control("drain\n"), "{\"error\":\"the gateway is draining already\"}\n");
}

TEST_F(door, a_file_that_is_no_socket_is_an_error_and_left_alone) {
  std::ofstream(socket_path()) << "precious";
  const auto s = server::start(context_, {"", socket_path()}, calls());
  ASSERT_FALSE(s.has_value());
  EXPECT_EQ(s.error().to_string(),
            "admin/cannot_control: admin.control: " + socket_path() + " exists and is no socket");
  EXPECT_EQ(std::filesystem::file_size(socket_path()), 8U);
}

TEST_F(door, stop_removes_its_socket_file_but_not_another_ones) {
  start();
  server_->stop();
  EXPECT_FALSE(std::filesystem::exists(socket_path()));
  server_.reset();
  start();
  std::filesystem::remove(socket_path());
  std::ofstream(socket_path()) << "somebody else's";
  server_->stop();
  EXPECT_TRUE(std::filesystem::exists(socket_path()));
}

TEST_F(door, stop_closes_what_is_open) {
  start();
  const auto outcome = beside([this, port = server_->http_port()] {
    asio::io_context own;
    tcp::socket s(own);
    s.connect({asio::ip::make_address("127.0.0.1"), port});
    asio::write(s, asio::buffer(std::string("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")));
    std::string in;
    error_code failed;
    asio::read_until(s, asio::dynamic_buffer(in), "alive\n", failed);
    asio::post(context_, [this] { server_->stop(); });
    asio::read(s, asio::dynamic_buffer(in), failed);
    return failed == asio::error::eof || failed == asio::error::connection_reset;
  });
  EXPECT_TRUE(outcome);
}

TEST_F(door, without_addresses_opens_nothing) {
  const auto s = server::start(context_, {"", ""}, calls());
  ASSERT_TRUE(s.has_value());
  EXPECT_EQ((*s)->http_port(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace stox::admin
