#include "cli/cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <optional>
#include <sstream>

#include "admin/admin.hpp"
#include "cli/answer_text.hpp"
#include "cli/explain.hpp"
#include "cli/replay.hpp"
#include "cli/since.hpp"
#include "engine/sandbox.hpp"
#include "engine/trace.hpp"

namespace stox::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view message =
    "MESSAGE sip:romeo@xmpp.example SIP/2.0\n"
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-a\n"
    "Max-Forwards: 70\n"
    "From: <sip:juliet@sip.example>;tag=1\n"
    "To: <sip:romeo@xmpp.example>\n"
    "Call-ID: a1\n"
    "CSeq: 1 MESSAGE\n"
    "X-Mark: 7\n"
    "Content-Type: text/plain\n"
    "Content-Length: 5\n"
    "\n"
    "hello\n";

constexpr std::string_view stanza =
    "<message xmlns='jabber:client' from='romeo@xmpp.example/desk' to='juliet@sip.example' type='chat' "
    "id='m1'><body>Hi</body>"
    "</message>\n";

constexpr std::string_view config_text = R"([gateway]
sip_domains = ["sip.example"]
[sip]
listen = ["udp:127.0.0.1:5060"]
outbound_proxy = "sip:127.0.0.1:5080;lr"
trusted_peers = ["127.0.0.0/8"]
[[xmpp.component]]
domain = "sip.example"
server = "127.0.0.1:5347"
secret = "hunter2"
)";

struct printed {
  exit_code code;
  std::string out, err;
};

class stoxctl : public testing::Test {
 protected:
  stoxctl() {
    char folder[] = "/tmp/stox-cli-XXXXXX";
    folder_ = ::mkdtemp(folder);
  }
  ~stoxctl() override { std::filesystem::remove_all(folder_); }

  printed run_with(const std::vector<std::string>& args, std::string_view input = {}) {
    std::istringstream in{std::string(input)};
    std::ostringstream out, err;
    const auto code = run(args, in, out, err, [this](std::string_view name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      if (found == environment_.end()) return std::nullopt;
      return found->second;
    });
    return {code, out.str(), err.str()};
  }

  /// Runs a command while a daemon's control socket is served.
  printed beside_daemon(const std::vector<std::string>& args) {
    boost::asio::io_context context;
    auto server = admin::server::start(
        context, {"", socket()},
        {[] {
           return std::vector<engine::sample>{
               {"messages_total", "Messages.", false, {{"direction", "to_sip"}, {"outcome", "failed"}}, 7},
               {"messages_total", "Messages.", false, {{"direction", "to_xmpp"}}, 0},
               {"memory_bytes", "Memory.", true, {}, 12345}};
         },
         [this] { return ready_; },
         [] {
           return std::vector<std::pair<std::string, std::string>>{{"uptime", "5 s"}};
         },
         [this](log_level l) { level_ = l; },
         [this](admin::incident_query q,
                const std::function<void(const std::vector<admin::incident>&)>& found) {
           query_ = q;
           found({{wall_time(std::chrono::seconds(1'769'860'800)), "sip.example", 0,
                   "message.to_sip.in_doubt", "message.to_sip.in_doubt conv=c-1 why=\"a\x1b b\""},
                  {wall_time(std::chrono::seconds(1'769'860'801)), "", 0, "daemon.unclean_end",
                   "open messages"}});
         },
         [] { return std::string(); },
         [this] { return links_; },
         [] {
           return std::vector<engine::sip_peer>{{transport::udp, *socket_address::parse("192.0.2.1:5060"),
                                                 "penalty", std::chrono::seconds(30), 0, 0, 1, 2,
                                                 "no\nanswer"}};
         },
         [this](const std::string& domain, std::size_t limit) {
           asked_ = domain + " " + std::to_string(limit);
           return std::vector<engine::session>{};
         },
         [] {
           return engine::open_work{1, 2, 3, 4};
         },
         [this] { return reloaded_; },
         [] { return std::vector<settings::changed_key>{}; },
         [this](std::optional<duration> limit) {
           asked_ = "drain " + std::to_string(limit.value_or(duration(0)).count());
           return true;
         },
         [] {
           return std::vector<admin::blocked_source>{
               {"192.0.2.0/24", {}, true}, {"eve@xmpp.example", wall_time(std::chrono::seconds(60))}};
         },
         [this](const std::string& what, std::optional<duration> time) {
           asked_ = what + " " + std::to_string(time.value_or(duration(0)).count());
           return std::string();
         },
         [](const std::string& what) { return what + " is not blocked"; },
         [this](const std::string& user) {
           return std::optional(engine::peer_record{user, facts_});
         },
         [this](const std::string& user) {
           asked_ = "forget " + user;
           return std::string();
         },
         [this](const std::function<void(const admin::store_report&)>& checked) { checked(report_); },
         [](const std::string&, std::size_t) {
           return std::vector{engine::server_stream{
               "sip.example", "xmpp.example", "192.0.2.9:5269", "both", "certificate", true, true, {}, 3, 4}};
         },
         [this] {
           std::vector<std::string> out;
           for (const auto& l : links_) out.push_back(l.domain);
           return out;
         },
         [] { return admin::federation{}; }});
    EXPECT_TRUE(server.has_value()) << server.error().to_string();
    auto done = std::async(std::launch::async, [&] { return run_with(args); });
    while (done.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      context.restart();
      context.run_one_for(std::chrono::milliseconds(5));
    }
    return done.get();
  }

  std::string socket() const { return folder_ + "/ctl"; }
  std::string write(const std::string& name, std::string_view text) {
    const auto path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::string folder_;
  std::map<std::string, std::string, std::less<>> environment_;
  std::optional<log_level> level_;
  std::optional<admin::incident_query> query_;
  engine::readiness ready_{false, "no link\x1b[2J"};
  std::vector<engine::link_status> links_;
  admin::reload_outcome reloaded_;
  std::string asked_;
  std::vector<engine::peer_fact> facts_;
  admin::store_report report_;
};

TEST_F(stoxctl, status_shows_fields_and_the_samples_that_are_not_0) {
  const auto p = beside_daemon({"--control", socket(), "status"});
  EXPECT_EQ(p.err, "");
  EXPECT_EQ(p.out, "version  " STOX_VERSION
                   "\n"
                   "ready    no\n"
                   "why      no link?[2J\n"
                   "uptime   5 s\n"
                   "\n"
                   "no links\n"
                   "\n"
                   "messages_total (direction=to_sip outcome=failed)  7\n"
                   "memory_bytes                                      12345\n");
}

TEST_F(stoxctl, status_ends_with_3_when_the_daemon_is_not_ready) {
  EXPECT_EQ(beside_daemon({"--control", socket(), "status"}).code, exit_code::not_ready);
  EXPECT_EQ(beside_daemon({"--control", socket(), "--json", "status"}).code, exit_code::not_ready);
  EXPECT_EQ(beside_daemon({"--control", socket(), "version"}).code, exit_code::done);
  ready_ = {true, ""};
  EXPECT_EQ(beside_daemon({"--control", socket(), "status"}).code, exit_code::done);
  EXPECT_EQ(static_cast<int>(exit_code::not_ready), 3);
}

TEST_F(stoxctl, peer_shows_links_and_peers_as_tables) {
  links_ = {{"sip.example", "127.0.0.1:5347", "waiting", false, false, wall_time(std::chrono::seconds(60)),
             "refused", 1, 0, 0, 0}};
  EXPECT_EQ(
      beside_daemon({"--control", socket(), "peer", "show"}).out,
      "domain       server          state    leaving  since                 connects  losses  queued  "
      "unconfirmed  why\n"
      "sip.example  127.0.0.1:5347  waiting  no       1970-01-01T00:01:00Z  1         0       0       0    "
      "        refused\n"
      "\n"
      "domain       peer          direction  proof        tls  resumable  since                 received  "
      "sent  address\n"
      "sip.example  xmpp.example  both       certificate  yes  yes        1970-01-01T00:00:00Z  3         4  "
      "   192.0.2.9:5269\n"
      "\n"
      "address         transport  state    seconds_left  streams  stalled  requests  failures  last_error\n"
      "192.0.2.1:5060  udp        penalty  30            0        0        1         2         no?answer\n");
}

TEST_F(stoxctl, peer_shows_what_is_known_of_a_user_and_forgets_it) {
  const wall_time at(std::chrono::seconds(60));
  facts_ = {{"cpim", "yes", "received", at, at + std::chrono::hours(24)},
            {"accept", "text/plain message/cpim", "accept", at, at}};
  const auto p = beside_daemon({"--control", socket(), "peer", "show", "sip:bo@sip.example"});
  EXPECT_EQ(p.out,
            "user  sip:bo@sip.example\n"
            "\n"
            "feature  value                    how       learned               expires\n"
            "cpim     yes                      received  1970-01-01T00:01:00Z  1970-01-02T00:01:00Z\n"
            "accept   text/plain message/cpim  accept    1970-01-01T00:01:00Z  1970-01-01T00:01:00Z\n");
  EXPECT_EQ(p.code, exit_code::done);
  facts_.clear();
  EXPECT_EQ(beside_daemon({"--control", socket(), "peer", "show", "ana@xmpp.example"}).out,
            "user  ana@xmpp.example\n\nno capabilities\n");
  EXPECT_EQ(beside_daemon({"--control", socket(), "--json", "peer", "show", "a@b"}).out,
            "{\"user\":\"a@b\",\"capabilities\":[]}\n");
  EXPECT_EQ(beside_daemon({"--control", socket(), "peer", "forget", "a@b"}).out,
            "ok         yes\nforgotten  a@b\n");
  EXPECT_EQ(asked_, "forget a@b");
}

TEST_F(stoxctl, store_check_ends_with_1_when_the_store_is_damaged_or_cannot_be_written) {
  report_ = {"/stox.db", {}, true, "", 8192, {{"receipt", 7, 2}}};
  auto p = beside_daemon({"--control", socket(), "store", "check"});
  EXPECT_EQ(p.code, exit_code::done);
  EXPECT_EQ(p.out,
            "store   /stox.db\nsound   yes\nwrites  yes\nbytes   8192\n"
            "\n"
            "table    rows  expired\nreceipt  7     2\n");
  report_.problems = {"page 3 is never used"};
  p = beside_daemon({"--control", socket(), "store", "check"});
  EXPECT_EQ(p.code, exit_code::failed);
  EXPECT_THAT(p.out, testing::AllOf(HasSubstr("sound   no\n"), EndsWith("problem: page 3 is never used\n")));
  report_ = {"/stox.db", {}, false, "disk full", 8192, {}};
  p = beside_daemon({"--control", socket(), "--json", "store", "check"});
  EXPECT_EQ(p.code, exit_code::failed);
  EXPECT_THAT(p.out, HasSubstr("\"writes\":false,\"why\":\"disk full\""));
}

TEST_F(stoxctl, sessions_are_asked_for_by_domain_and_number) {
  links_.resize(1);
  links_[0].domain = "sip.example";
  const auto p = beside_daemon({"--control", socket(), "sessions", "--domain", "sip.example", "--limit=7"});
  EXPECT_EQ(asked_, "sip.example 7");
  EXPECT_EQ(p.out,
            "open                 1\nconversations        2\nserver_transactions  3\nclient_transactions  "
            "4\n\nno sessions\n");
  EXPECT_EQ(beside_daemon({"--control", socket(), "sessions", "--domain", "sip.exmaple"}).err,
            "stoxctl: sip.exmaple is not served; did you mean sip.example?\n");
}

TEST_F(stoxctl, blocks_are_made_listed_and_taken_back) {
  EXPECT_EQ(beside_daemon({"--control", socket(), "block", "eve@xmpp.example", "--for", "2h"}).out,
            "ok       yes\nblocked  eve@xmpp.example\n");
  EXPECT_EQ(asked_, "eve@xmpp.example 7200000000000");
  EXPECT_EQ(
      beside_daemon({"--control", socket(), "block", "--list"}).out,
      "what              until                 from\n192.0.2.0/24      -                     configuration\n"
      "eve@xmpp.example  1970-01-01T00:01:00Z  operator\n");
  const auto p = beside_daemon({"--control", socket(), "unblock", "x.example"});
  EXPECT_EQ(p.err, "stoxctl: x.example is not blocked\n");
  EXPECT_EQ(p.code, exit_code::failed);
  EXPECT_EQ(run_with({"block", "x", "--for", "60"}).err,
            "stoxctl: --for: \"60\" is no time of a second or more; write 30min, 12h or 7d\n");
}

TEST_F(stoxctl, reload_shows_what_changed_or_ends_with_1_and_the_errors) {
  reloaded_.changed = {{"sip.hold", "2s", "5s", {}, {}}, {"gateway.sip_domains", {}, {}, {"b", "c"}, {"a"}}};
  reloaded_.waiting = {{"store.path", "a", "b", {}, {}}};
  reloaded_.warnings = {"careful"};
  const auto p = beside_daemon({"--control", socket(), "reload"});
  EXPECT_EQ(p.code, exit_code::done);
  EXPECT_EQ(p.out,
            "ok  yes\nchanged: sip.hold 2s -> 5s\nchanged: gateway.sip_domains +b +c -a\n"
            "waits for a restart: store.path a -> b\nwarning: careful\n");
  reloaded_ = {{"stox.toml:3: bad", "stox.toml:4: worse"}, {}, {}, {}};
  const auto refused = beside_daemon({"--control", socket(), "reload"});
  EXPECT_EQ(refused.code, exit_code::failed);
  EXPECT_EQ(refused.err,
            "stoxctl: reload refused, nothing was changed\nstoxctl: stox.toml:3: bad\nstoxctl: "
            "stox.toml:4: worse\n");
}

TEST_F(stoxctl, drain_takes_its_limit_in_seconds) {
  EXPECT_EQ(beside_daemon({"--control", socket(), "drain", "30"}).code, exit_code::done);
  EXPECT_EQ(asked_, "drain 30000000000");
  EXPECT_EQ(run_with({"drain", "soon"}).code, exit_code::usage);
}

TEST_F(stoxctl, incidents_are_shown_line_by_line) {
  const auto p = beside_daemon({"--control", socket(), "incidents"});
  EXPECT_EQ(p.err, "");
  EXPECT_EQ(p.code, exit_code::done);
  EXPECT_EQ(p.out,
            "2026-01-31T12:00:00Z message.to_sip.in_doubt domain=sip.example conv=c-1 why=\"a? b\"\n"
            "2026-01-31T12:00:01Z daemon.unclean_end open messages\n");
  ASSERT_TRUE(query_);
  EXPECT_EQ(query_->since, wall_time());
  EXPECT_EQ(query_->limit, 100U);
  EXPECT_THAT(
      beside_daemon(
          {"incidents", "--since=2026-01-31T12:00:00Z", "--limit", "7", "--json", "--control", socket()})
          .out,
      StartsWith(
          "{\"incidents\":[{\"at\":\"2026-01-31T12:00:00Z\",\"domain\":\"sip.example\",\"engine\":0,"));
  EXPECT_EQ(query_->since, wall_time(std::chrono::seconds(1'769'860'800)));
  EXPECT_EQ(query_->limit, 7U);
}

TEST_F(stoxctl, incidents_of_a_senseless_time_or_number_are_refused) {
  for (const auto* limit : {"0", "1001", "x", ""}) {
    const auto p = run_with({"incidents", "--limit", limit});
    EXPECT_EQ(p.code, exit_code::usage);
    EXPECT_EQ(p.err, "stoxctl: --limit: \"" + std::string(limit) + "\" is no number from 1 to 1000\n");
  }
  EXPECT_THAT(run_with({"incidents", "--since", "yesterday"}).err,
              StartsWith("stoxctl: --since: \"yesterday\" is no time; write "));
}

TEST(since, is_a_date_a_time_or_an_age) {
  constexpr std::int64_t now = 1'769'860'800;  // 2026-01-31T12:00:00Z
  EXPECT_EQ(parse_since("2026-01-31", now), now - 12 * 3600);
  EXPECT_EQ(parse_since("2026-01-31T12:00:00Z", now), now);
  EXPECT_EQ(parse_since("2024-02-29T23:59:59Z", now), 1'709'251'199);
  EXPECT_EQ(parse_since("30min", now), now - 1800);
  EXPECT_EQ(parse_since("12h", now), now - 12 * 3600);
  EXPECT_EQ(parse_since("7d", now), now - 7 * 86'400);
  EXPECT_EQ(parse_since("99999d", now), 0);
  EXPECT_EQ(parse_since("1960-01-01", now), 0);
  for (const auto* bad :
       {"", "d", "-1d", "2026-02-29", "2026-1-31", "2026-01-31 12:00:00", "2026-01-31T12:00:00",
        "2026-01-31T24:00:00Z", "2026-01-31T12:00Z", "2026-01-31x", "x"}) {
    EXPECT_EQ(parse_since(bad, now), std::nullopt) << bad;
  }
}

TEST_F(stoxctl, the_socket_is_found_through_configuration_or_environment) {
  const auto config =
      write("stox.toml", std::string(config_text) + "[admin]\ncontrol = \"" + socket() + "\"\n");
  EXPECT_EQ(beside_daemon({"version", "--config=" + config}).out, "version  " STOX_VERSION "\n");
  environment_["STOX_ADMIN_CONTROL"] = socket();
  EXPECT_EQ(beside_daemon({"version"}).out, "version  " STOX_VERSION "\n");
}

TEST_F(stoxctl, json_is_the_daemons_own_answer_for_every_command) {
  links_.resize(1);
  links_[0].domain = "sip.example";
  ready_ = {true, ""};
  report_.writes = true;
  const std::map<std::string, std::pair<std::vector<std::string>, std::string>> commands = {
      {"status", {{"status"}, "{\"version\":\"" STOX_VERSION "\",\"ready\":true,"}},
      {"sessions", {{"sessions", "--limit", "7"}, "{\"open\":1,"}},
      {"peer", {{"peer", "show"}, "{\"links\":[{\"domain\":\"sip.example\","}},
      {"peer forget", {{"peer", "forget", "sip:bob@sip.example"}, "{"}},
      {"store", {{"store", "check"}, "{"}},
      {"block", {{"block", "eve@xmpp.example"}, "{\"ok\":true,\"blocked\":\"eve@xmpp.example\"}"}},
      {"block --list", {{"block", "--list"}, "{\"blocks\":[{\"what\":\"192.0.2.0/24\","}},
      {"unblock", {{"unblock", "x.example"}, ""}},  // not blocked: refused below
      {"incidents", {{"incidents"}, "{\"incidents\":[{\"at\":"}},
      {"reload", {{"reload"}, "{\"ok\":true,\"changed\":[]"}},
      {"drain", {{"drain", "30"}, "{\"ok\":true"}},
      {"log-level", {{"log-level", "info"}, "{\"ok\":true,\"level\":\"info\"}"}},
      {"version", {{"version"}, "{\"version\":\"" STOX_VERSION "\"}"}},
  };
  for (const auto& [name, command] : commands) {
    auto args = command.first;
    args.insert(args.begin(), {"--json", "--control", socket()});
    const auto p = beside_daemon(args);
    if (command.second.empty()) {
      EXPECT_EQ(p.code, exit_code::failed) << name;
      EXPECT_EQ(p.err, "stoxctl: x.example is not blocked\n");
      EXPECT_EQ(p.out, "") << name;
      continue;
    }
    EXPECT_EQ(p.code, exit_code::done) << name;
    EXPECT_EQ(p.err, "") << name;
    EXPECT_THAT(p.out, StartsWith(command.second)) << name;
    EXPECT_THAT(p.out, EndsWith("}\n")) << name;
    EXPECT_EQ(p.out.find('\n'), p.out.size() - 1) << name;
  }
  // No command of the usage is left out.
  std::istringstream usage(run_with({"--help"}).out);
  const std::string shown = "  stoxctl ";
  for (std::string line; std::getline(usage, line);) {
    if (!line.starts_with(shown)) continue;
    const auto verb = line.substr(shown.size(), line.find(' ', shown.size()) - shown.size());
    EXPECT_TRUE(commands.contains(verb) || verb == "explain" || verb == "replay" || verb == "doctor") << verb;
  }
}

TEST_F(stoxctl, json_is_refused_where_no_daemon_answers) {
  const auto trace = write("trace", "");
  for (const auto& args : {std::vector<std::string>{"explain", "--json"}, {"--json", "replay", trace}}) {
    const auto p = run_with(args, message);
    EXPECT_EQ(p.code, exit_code::usage);
    EXPECT_EQ(p.out, "");
    EXPECT_THAT(p.err, EndsWith(" asks no daemon, so there is no answer to print\n"));
  }
}

TEST_F(stoxctl, log_level_reaches_the_daemon) {
  const auto p = beside_daemon({"--control", socket(), "log-level", "warning"});
  EXPECT_EQ(p.out, "ok     yes\nlevel  warning\n");
  EXPECT_EQ(level_, log_level::warning);
}

TEST_F(stoxctl, what_the_daemon_refuses_is_an_error) {
  const auto p = beside_daemon({"--control", socket(), "log-level", "loud"});
  EXPECT_EQ(p.code, exit_code::failed);
  EXPECT_EQ(p.out, "");
  EXPECT_EQ(p.err, "stoxctl: log-level needs debug, info, warning or error\n");
}

TEST_F(stoxctl, no_daemon_is_an_error_that_says_what_to_look_at) {
  const auto p = run_with({"--control", socket(), "status"});
  EXPECT_EQ(p.code, exit_code::failed);
  EXPECT_EQ(p.err,
            "stoxctl: " + socket() +
                ": connect: No such file or directory; is stoxd running, and is this its admin.control?\n");
}

TEST_F(stoxctl, a_configuration_without_control_socket_is_an_error) {
  const auto config = write("stox.toml", config_text);
  EXPECT_EQ(run_with({"--config", config, "status"}).err,
            "stoxctl: " + config + ": admin.control is empty, so the daemon has no control socket\n");
}

TEST_F(stoxctl, errors_of_the_configuration_are_told_line_by_line_and_without_its_secret) {
  const auto config = write("stox.toml", std::string(config_text) + "[sip2]\n[log]\nlevel = 7\n");
  const auto p = run_with({"--config", config, "status"});
  EXPECT_EQ(p.err, "stoxctl: " + config + ":11: sip2: unknown key; did you mean sip?\nstoxctl: " + config +
                       ":13: log.level: is an integer; write a string\n");
}

TEST_F(stoxctl, a_senseless_command_line_shows_the_usage) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{},
                                               {"statsu"},
                                               {"status", "now"},
                                               {"log-level"},
                                               {"peer"},
                                               {"peer", "192.0.2.1"},
                                               {"peer", "forget"},
                                               {"store"},
                                               {"store", "chekc"},
                                               {"replay"},
                                               {"explain", "x"},
                                               {"doctor"},
                                               {"doctor", "a.example", "b.example"}}) {
    const auto p = run_with(args);
    EXPECT_EQ(p.code, exit_code::usage);
    EXPECT_THAT(p.err, HasSubstr("stoxctl replay FILE "));
    EXPECT_EQ(p.out, "");
  }
  EXPECT_EQ(run_with({"--cofig", "x", "status"}).err,
            "stoxctl: --cofig: unknown flag; did you mean --config?\n");
  EXPECT_EQ(run_with({"status", "--control"}).err, "stoxctl: --control: needs a value\n");
  EXPECT_EQ(run_with({"status", "--control=a", "--config=b"}).err,
            "stoxctl: --config and --control exclude each other\n");
  EXPECT_EQ(run_with({"--help"}).code, exit_code::done);
}

TEST(answer_text, refuses_what_is_no_json_object) {
  for (const auto* bad : {"", "[]", "{", "7", "{\"a\":1}x"}) {
    const auto r = answer_text(bad);
    ASSERT_FALSE(r.has_value()) << bad;
    EXPECT_EQ(r.error().detail, "the daemon's answer is no JSON object");
  }
  EXPECT_EQ(answer_text(R"({"samples":[1,{},{"value":3}],"n":null})").value(), "n  null\n\n?  3\n");
}

TEST_F(stoxctl, explain_shows_both_sides_losses_log_and_counters_of_a_sip_message) {
  const auto p = run_with({"explain"}, message);
  EXPECT_EQ(p.code, exit_code::done);
  EXPECT_EQ(p.err, "");
  EXPECT_THAT(
      p.out,
      StartsWith("-- in sip --\n# from 192.0.2.1:5060, trusted\nMESSAGE sip:romeo@xmpp.example SIP/2.0\n"));
  EXPECT_THAT(p.out, HasSubstr("\n\nhello\n-- out xmpp --\n# by the component sip.example\n<message "));
  EXPECT_THAT(p.out, HasSubstr(" id='x-1'>"));
  EXPECT_THAT(p.out, HasSubstr("<body>hello</body>"));
  EXPECT_THAT(p.out,
              HasSubstr("-- out sip --\n# to 192.0.2.1:5060 over udp, after 150 ms\nSIP/2.0 200 OK\n"));
  EXPECT_THAT(p.out, HasSubstr("-- dropped --\nLOSS sip X-Mark: no counterpart in a stanza\n"));
  EXPECT_THAT(p.out, HasSubstr("-- log --\nmessage.to_xmpp.delivered call_id=a1 "));
  EXPECT_THAT(p.out, HasSubstr("-- counted --\n"));
  EXPECT_EQ(p.out, run_with({"explain"}, message).out) << "the same input gives the same text";
}

TEST_F(stoxctl, explain_shows_the_request_that_a_stanza_becomes) {
  const auto p = run_with({"explain"}, stanza);
  EXPECT_EQ(p.code, exit_code::done);
  EXPECT_THAT(p.out, StartsWith("-- in xmpp --\n<message from='romeo@xmpp.example/desk'"));
  EXPECT_THAT(
      p.out,
      HasSubstr("-- out sip --\n# to 192.0.2.1:5060 over udp\nMESSAGE sip:juliet@sip.example SIP/2.0\n"));
  EXPECT_THAT(p.out, HasSubstr("\nCall-ID: c-1\n"));
  EXPECT_THAT(p.out, HasSubstr("\n\nHi\n-- dropped --\nLOSS message@id: "));
  // The peer never answers here; its timer must not be mistaken for a consequence.
  EXPECT_EQ(p.out.find("MESSAGE sip:", p.out.find("MESSAGE sip:") + 1), std::string::npos);
}

TEST_F(stoxctl, explain_trusts_whom_the_configuration_trusts) {
  const auto config = write("stox.toml", config_text);
  EXPECT_THAT(
      run_with({"--config", config, "explain"}, message).out,
      AllOf(StartsWith("-- in sip --\n# from 127.0.0.1:5060, trusted\n"), HasSubstr("SIP/2.0 200 OK\n")));
  EXPECT_THAT(run_with({"--config", config, "--from", "192.0.2.7:5060", "explain"}, message).out,
              AllOf(StartsWith("-- in sip --\n# from 192.0.2.7:5060, not trusted\n"),
                    HasSubstr("SIP/2.0 403 "), Not(HasSubstr("-- out xmpp --"))));
  EXPECT_THAT(run_with({"--config", config, "explain"}, message).out, Not(HasSubstr("hunter2")));
}

TEST_F(stoxctl, explain_says_that_garbage_is_only_counted) {
  EXPECT_EQ(run_with({"explain"}, "hello\x1b[2J").out,
            "-- in sip --\n# from 192.0.2.1:5060, trusted\nhello\\x1b[2J\n\n-- quiet --\n-- counted "
            "--\nstox_sip_garbage_total +1\n");
}

TEST_F(stoxctl, explain_refuses_what_cannot_reach_the_gateway) {
  EXPECT_EQ(run_with({"explain"}, " \n").err,
            "stoxctl: nothing to explain; give a SIP message or a stanza on standard input\n");
  EXPECT_EQ(run_with({"explain"}, "<message to='a@b.example'/>").err,
            "stoxctl: no component serves \"b.example\", the domain in \"to\"; the XMPP server would not "
            "send the stanza here\n");
  EXPECT_THAT(run_with({"explain"}, "<message to='a@sip.example'>").err,
              StartsWith("stoxctl: the stanza cannot be read: xml/"));
  EXPECT_THAT(run_with({"explain"}, "<!DOCTYPE x []><message/>").err,
              StartsWith("stoxctl: the stanza cannot be read: xml/"));
  EXPECT_EQ(run_with({"explain"}, std::string((1 << 20) + 1, 'x')).err,
            "stoxctl: the input is larger than 1 MiB\n");
  EXPECT_EQ(run_with({"explain", "--from", "here"}, message).err,
            "stoxctl: --from: \"here\" is not ADDRESS:PORT\n");
}

/// A trace as the daemon writes it: one OPTIONS that is answered.
std::string recorded_trace(bool with_bodies, const settings::all& settings) {
  std::string out;
  const auto sink = [&out](std::string_view line) { out += std::string(line) + "\n"; };
  counting_ids inner;
  engine::trace_writer writer(sink, with_bodies);
  engine::recording_ids ids(inner, sink);
  engine::engine core(settings, ids);
  core.set_tap(&writer);
  instant now{steady_time(std::chrono::hours(1)), wall_time(std::chrono::seconds(1'577'836'800))};
  const auto at = *socket_address::parse("192.0.2.20:5060");
  const auto give = [&](const engine::event& e) {
    core.handle(e, now);
    while (core.poll()) {
    }
    now = now + std::chrono::milliseconds(10);
  };
  give(io::event(io::listening{conn_id{1}, transport::udp, at}));
  core.start(now);
  while (core.poll()) {
  }
  std::string request;
  for (const char c : std::string(
           "OPTIONS sip:gw.sip.example SIP/2.0\nVia: SIP/2.0/UDP "
           "192.0.2.1:5060;branch=z9hG4bK-a\nMax-Forwards: 70\n"
           "From: <sip:a@sip.example>;tag=1\nTo: <sip:gw.sip.example>\nCall-ID: a1\nCSeq: 1 OPTIONS\n\n")) {
    request += c == '\n' ? "\r\n" : std::string(1, c);
  }
  give(io::event(io::received{conn_id{1}, *socket_address::parse("192.0.2.1:5060"), request}));
  return out;
}

TEST_F(stoxctl, replay_of_what_the_engine_still_does_has_no_difference) {
  for (const bool with_bodies : {true, false}) {
    const auto path = write("trace", recorded_trace(with_bodies, engine::sandbox::sample_settings()));
    const auto p = run_with({"replay", path});
    EXPECT_EQ(p.err, "");
    EXPECT_EQ(p.code, exit_code::done);
    EXPECT_THAT(p.out, StartsWith("  0.000000 > listening conn=1 use=sip via=udp local=192.0.2.20:5060\n"));
    EXPECT_THAT(p.out, HasSubstr("  0.010000 > received conn=1 from=192.0.2.1:5060 bytes=\"OPTIONS "));
    EXPECT_THAT(p.out, HasSubstr("  0.010000 < send conn=1 "));
    EXPECT_THAT(p.out, EndsWith(" actions, all as recorded\n"));
  }
}

TEST_F(stoxctl, replay_shows_where_the_engine_acts_otherwise) {
  auto trace = recorded_trace(true, engine::sandbox::sample_settings());
  const auto at = trace.find("to=192.0.2.1:5060");
  ASSERT_NE(at, std::string::npos);
  trace.replace(at, 17, "to=192.0.2.9:5060");
  const auto p = run_with({"replay", write("trace", trace)});
  EXPECT_EQ(p.code, exit_code::failed);
  EXPECT_THAT(p.out, HasSubstr(" differs\n- send conn=1 token=0 to=192.0.2.9:5060 "));
  EXPECT_THAT(p.out, HasSubstr("\n+ send conn=1 token=0 to=192.0.2.1:5060 "));
  EXPECT_THAT(p.out, EndsWith(" actions, 1 otherwise than recorded\n"));
}

TEST_F(stoxctl, replay_runs_with_the_configuration_that_is_given) {
  auto settings = engine::sandbox::sample_settings();
  const auto path = write("trace", recorded_trace(true, settings));
  const auto config = write("stox.toml", config_text);
  const auto p = run_with({"--config", config, "replay", path});
  EXPECT_EQ(p.code, exit_code::failed) << "another server, other actions: " << p.out;
  EXPECT_THAT(p.out, Not(HasSubstr("hunter2")));
}

TEST(replay, a_line_that_a_killed_daemon_did_not_finish_is_left_out) {
  const auto settings = engine::sandbox::sample_settings();
  const auto trace = recorded_trace(true, settings);
  const auto whole = replay(trace, settings);
  const auto cut = replay(trace + "> 9 1 1 recei", settings);
  ASSERT_TRUE(whole.has_value());
  ASSERT_TRUE(cut.has_value());
  EXPECT_EQ(cut->text, whole->text);
}

TEST(replay, a_reload_in_the_trace_is_named) {
  const auto settings = engine::sandbox::sample_settings();
  const auto r = replay("stox-trace 2\n> 1 5 5 reconfigured\n", settings);
  ASSERT_TRUE(r.has_value());
  EXPECT_EQ(
      r->text,
      "# line 2: the configuration changed here; the replay keeps its own\n# 0 actions, all as recorded\n");
}

TEST(replay, what_is_no_trace_is_refused_with_its_line) {
  const auto settings = engine::sandbox::sample_settings();
  const auto why = [&](std::string_view trace) {
    const auto r = replay(trace, settings);
    return r.has_value() ? "no error" : r.error().detail;
  };
  EXPECT_EQ(why(""), "line 1 is not \"stox-trace 2\": no trace of stoxd --record, or one of another version");
  EXPECT_EQ(why("hello\n"),
            "line 1 is not \"stox-trace 2\": no trace of stoxd --record, or one of another version");
  EXPECT_EQ(why("stox-trace 2\n> 1 x y listening\n"), "line 2 is no event of a trace");
  EXPECT_EQ(why("stox-trace 2\n> 1 5 5 exploded conn=1\n"), "line 2 is no event of a trace");
  EXPECT_EQ(why("stox-trace 2\n= below x\n"), "line 2 is no identifier of a trace");
  EXPECT_EQ(why("stox-trace 2\n>\n> \n"), "line 3 is no event of a trace");
  EXPECT_EQ(why("stox-trace 2\n< \n<\n"), "no error");
}

TEST_F(stoxctl, replay_of_a_file_that_cannot_be_read_is_an_error) {
  EXPECT_EQ(run_with({"replay", folder_ + "/none"}).err, "stoxctl: " + folder_ + "/none: cannot be read\n");
  EXPECT_EQ(run_with({"replay", folder_}).code, exit_code::failed);
}

}  // namespace
}  // namespace stox::cli
