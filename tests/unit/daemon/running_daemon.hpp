#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/control_client.hpp"
#include "daemon/daemon.hpp"

/// What the tests of whole daemons share.
namespace stox::daemon {

/// A daemon with a store and a control socket in a folder of its own. Nobody answers at its XMPP server.
class stoxd : public testing::Test {
 protected:
  stoxd() {
    char name[] = "/tmp/stox-daemon-XXXXXX";
    folder = ::mkdtemp(name);
  }
  ~stoxd() override { std::filesystem::remove_all(folder); }

  std::string database() const { return folder + "/stox.db"; }
  std::string control() const { return folder + "/ctl"; }

  config::loaded loaded() const {
    auto read = config::parse(R"(
[gateway]
sip_domains = ["sip.example"]
[sip]
listen = ["udp:127.0.0.1:5060"]
outbound_proxy = "sip:127.0.0.1:5080;lr"
trusted_peers = ["127.0.0.0/8"]
[[xmpp.component]]
domain = "sip.example"
server = "127.0.0.1:1"
secret = "hunter2"
)",
                              "stox.toml");
    EXPECT_TRUE(read) << testing::PrintToString(read.error());
    read->settings.sip.listen = {{transport::udp, *socket_address::parse("127.0.0.1:0")}};
    read->settings.store.path = database();
    read->settings.admin.control = control();
    return *read;
  }

  static exit_code run(const config::loaded& l, std::vector<std::string> args = {}) {
    return daemon(l, std::move(args), [](std::string_view) { return std::nullopt; }).run();
  }

  /// The log of a daemon that does not start.
  static std::string refused(const config::loaded& l) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(run(l), exit_code::failed);
    return testing::internal::GetCapturedStderr();
  }

  /// Runs a daemon until `work` is done and gives its log; `work` begins when it answers on its control
  /// socket.
  template <class F>
  std::string running(const config::loaded& l, F work, const std::vector<std::string>& args = {}) const {
    testing::internal::CaptureStderr();
    auto code = std::async(std::launch::async, [&l, &args] { return run(l, args); });
    const auto ended = [&code] {
      return code.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    };
    while (!cli::ask_daemon(control(), "version") && !ended()) std::this_thread::yield();
    if (!ended()) {
      work();
      ::kill(::getpid(), SIGTERM);
    }
    EXPECT_EQ(code.get(), exit_code::clean);
    return testing::internal::GetCapturedStderr();
  }

  std::string folder;
};

/// A daemon that was started with a file, which is then written anew.
class stoxd_with_file : public stoxd {
 protected:
  stoxd_with_file() : args{"--config=" + folder + "/stox.toml"} { write(""); }

  /// `more` comes behind the sections; `sip` and `gateway` into those of that name.
  void write(const std::string& more, const std::string& sip = {}, const std::string& gateway = {}) const {
    std::filesystem::remove(folder + "/stox.toml");
    std::ofstream(folder + "/stox.toml")
        << "[gateway]\nsip_domains = [\"sip.example\"]\n"
        << gateway << "[sip]\nlisten = " << listen << "\ntrusted_peers = " << trusted << "\n"
        << sip
        << "[[xmpp.component]]\ndomain = \"sip.example\"\n"
           "server = \"127.0.0.1:1\"\nsecret = \"hunter2\"\n"
           "[admin]\ncontrol = \""
        << control() << "\"\n"
        << more;
    std::filesystem::permissions(folder + "/stox.toml", std::filesystem::perms::owner_read);
  }
  template <class F>
  std::string running(F work) const {
    auto l = config::load(args, [](std::string_view) { return std::nullopt; });
    EXPECT_TRUE(l) << testing::PrintToString(l.error());
    return stoxd::running(*l, work, args);
  }
  std::string ask(const std::string& command) const { return cli::ask_daemon(control(), command).value(); }

  std::vector<std::string> args;
  std::string listen = R"(["udp:127.0.0.1:0"])", trusted = R"(["127.0.0.0/8"])";
};

}  // namespace stox::daemon
