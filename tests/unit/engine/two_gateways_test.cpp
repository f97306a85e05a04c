#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "engine/sandbox.hpp"

using namespace stox;
using engine::sandbox;
using side = sandbox::output::side;

namespace {

/// A gateway whose SIP users have that domain.
settings::all serving(const std::string& domain) {
  auto s = sandbox::sample_settings();
  s.gateway.sip_domains = {domain};
  s.components[0].domain = domain;
  s.sip.advertise[0].host = "gw." + domain;
  s.log.level = log_level::info;
  return s;
}

/// Two gateways that feed each other: the proxy gives what leaves one on SIP to the other, and so does the
/// XMPP server with stanzas. Each takes the other's world for the home of the users whom it does not serve.
class circle {
 public:
  circle() : near_(serving("near.test")), far_(serving("far.test")) {}

  /// As the servers do, until nothing moves any more or the limit of passages comes.
  void run() {
    for (bool moved = true; moved && passages_ < 500;) {
      moved = carry(near_, far_);
      moved = carry(far_, near_) || moved;
      if (moved) continue;
      near_.advance(std::chrono::milliseconds(200));
      far_.advance(std::chrono::milliseconds(200));
      moved = carry(near_, far_);
      moved = carry(far_, near_) || moved;
    }
  }
  void say(const std::string& stanza) { near_.xmpp(stanza); }
  std::size_t passages() const { return passages_; }
  std::size_t logged(const std::string& event) const {
    return static_cast<std::size_t>(std::count_if(
        logs_.begin(), logs_.end(), [&](const std::string& line) { return line.starts_with(event); }));
  }

 private:
  bool carry(sandbox& from, sandbox& to) {
    const auto left = from.take();
    for (const auto& o : left) {
      switch (o.where) {
        case side::sip:
          ++passages_;
          to.sip(o.text);
          break;
        case side::xmpp: {
          // The XMPP server looks at the domain of the addressee: near_ and far_ are components.
          const auto to_near = o.text.find(" to='bo@near.test") != std::string::npos;
          const auto to_far = o.text.find(" to='ana@far.test") != std::string::npos;
          ++passages_;
          if (to_near) near_.xmpp(o.text);
          if (to_far) far_.xmpp(o.text);
          break;
        }
        case side::log: logs_.push_back(o.text); break;
        case side::incident: logs_.push_back("incident " + o.text); break;
        case side::row: break;
      }
    }
    return std::any_of(left.begin(), left.end(),
                       [](const auto& o) { return o.where == side::sip || o.where == side::xmpp; });
  }

  sandbox near_, far_;
  std::size_t passages_ = 0;
  std::vector<std::string> logs_;
};

// ana@far.test writes to bo@near.test: near makes a MESSAGE of it, the proxy gives it to far, whose SIP users
// have ana's domain, and far makes a stanza of it, for near.
TEST(two_gateways, that_feed_each_other_stop_at_the_mark_and_tell_it_once) {
  circle c;
  for (int n = 0; n < 3; ++n) {
    const auto before = c.passages();
    c.say("<message type='chat' id='m" + std::to_string(n) +
          "' from='ana@far.test/desk' to='bo@near.test'><body>round " + std::to_string(n) +
          "</body></message>");
    c.run();
    EXPECT_GT(c.passages(), before + 2) << "it went around";
    EXPECT_LT(c.passages(), before + 20) << "and did not stay";
  }
  EXPECT_EQ(c.logged("loop.broken"), 1U);
  EXPECT_EQ(c.logged("message.to_sip.refused"), 0U);
}

}  // namespace
