#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

/// What the tests of whole configurations share: one that is complete, and a folder for its files.
namespace stox::config {

using testing::HasSubstr;
using texts = std::vector<std::string>;

inline std::optional<std::string> no_environment(std::string_view) { return std::nullopt; }

inline constexpr std::string_view good = R"([gateway]
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

inline std::string with(std::string_view from, std::string_view to) {
  std::string out(good);
  const auto at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

inline texts errors_of(const std::string& toml) {
  const auto r = parse(toml, "stox.toml");
  return r.has_value() ? texts{} : r.error();
}

inline texts warnings_of(const std::string& toml) {
  const auto r = parse(toml, "stox.toml");
  EXPECT_TRUE(r.has_value()) << testing::PrintToString(r.error());
  return r.has_value() ? r->warnings : texts{};
}

class config_file : public testing::Test {
 protected:
  config_file() {
    char folder[] = "/tmp/stox-config-XXXXXX";
    folder_ = ::mkdtemp(folder);
  }
  ~config_file() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view text, mode_t mode = 0600) {
    const auto path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }

  std::string folder_;
};

}  // namespace stox::config
