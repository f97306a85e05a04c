#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "unit/xmpp_machine/link_script.hpp"

// Every step of a busy life, run again with the link failing after it in every way that it can fail.
namespace {

using namespace stox;
using namespace stox::xmpp;

using step = std::function<void(link_script&)>;

/// A life with every state in it, from the first attempt to traffic in both directions.
std::vector<step> life() {
  const auto send = [](std::uint64_t ref) { return [ref](link_script& s) { s.sends("<m/>", ref); }; };
  const auto take = [](link_script& s) {
    s.did();
    if (!s.tokens.empty()) s.takes();
  };
  const auto back = [](int number) { return [number](link_script& s) { s.returns_ping(number); }; };
  const auto wait = [](duration d) { return [d](link_script& s) { s.passes(d); }; };
  return {
      [](link_script& s) { s.link.start(s.now); },
      [](link_script& s) { s.link.send_or_queue("<q/>", s.now); },
      [](link_script& s) {
        s.did();
        s.opened();
      },
      [](link_script& s) { s.says(link_script::header().substr(0, 60)); },
      [](link_script& s) { s.says(link_script::header().substr(60)); },
      [](link_script& s) { s.says("<handshake/>"); },
      take,
      send(1),
      send(2),
      take,
      wait(20ms),
      send(3),
      take,
      back(1),
      [](link_script& s) { s.link.handle(io::blocked{s.conn}, s.now); },
      [](link_script& s) { s.link.send_or_queue("<r/>", s.now); },
      send(4),
      [](link_script& s) { s.link.handle(io::writable{s.conn}, s.now); },
      [](link_script& s) { s.says("<message from='a@b'><body>"); },
      [](link_script& s) { s.says("x</body></message>"); },
      wait(20ms),
      take,
      send(5),
      back(2),
      take,
      wait(20ms),
      take,
      back(3),
      wait(60s),
      back(4),
  };
}

struct failure {
  std::string name;
  step fail;
};

std::vector<failure> failures() {
  std::vector<failure> out;
  for (const auto why : {io::fail::peer_closed, io::fail::refused, io::fail::unreachable, io::fail::timed_out,
                         io::fail::reset, io::fail::not_found}) {
    out.push_back({std::string(io::to_string(why)), [why](link_script& s) {
                     if (s.conn != conn_id::none) s.closed(why);
                   }});
  }
  out.push_back({"stream error", [](link_script& s) { s.says(link_script::stream_error("reset")); }});
  out.push_back({"closing tag", [](link_script& s) { s.says("</stream:stream>"); }});
  out.push_back({"bad XML", [](link_script& s) { s.says("<a></b>"); }});
  out.push_back({"silence", [](link_script& s) { s.passes(5min); }});
  out.push_back({"stop", [](link_script& s) {
                   s.link.stop(s.now);
                   s.did();
                   if (s.conn != conn_id::none) s.closed(io::fail::closed_here);
                 }});
  return out;
}

/// Checks what every history must obey.
class history {
 public:
  void add(const link_script::lines& events) {
    for (const auto& line : events) {
      if (line == "up") {
        EXPECT_FALSE(up_);
        up_ = true;
      } else if (line.starts_with("down: ")) {
        EXPECT_EQ(open_, 0) << "a stanza was neither confirmed nor lost before " << line;
        up_ = false;
      } else if (line.starts_with("sent ")) {
        EXPECT_EQ(++sent_[line.substr(5)], 1) << line;
        EXPECT_EQ(ended_[line.substr(5)], 0) << line;
      } else if (line.starts_with("confirmed ")) {
        EXPECT_EQ(sent_[line.substr(10)], 1) << line;
        end(line.substr(10));
      } else if (line.starts_with("in doubt ")) {
        end(line.substr(9));
      } else if (line.starts_with("never left ")) {
        EXPECT_EQ(sent_[line.substr(11)], 0) << line;
        end(line.substr(11));
      }
    }
  }
  void sent(int n) { open_ += n; }
  bool up() const { return up_; }
  int open() const { return open_; }

 private:
  void end(const std::string& ref) {
    EXPECT_EQ(++ended_[ref], 1) << ref;
    --open_;
  }
  bool up_ = false;
  int open_ = 0;
  std::map<std::string, int> sent_, ended_;
};

class counting_script {
 public:
  /// Runs a step and counts the stanzas that it gave away.
  void run(const step& what) {
    const auto before = script.link.stats().unconfirmed;
    what(script);
    const auto after = script.link.stats().unconfirmed;
    if (after > before) past.sent(static_cast<int>(after - before));
    past.add(script.heard());
  }
  link_script script;
  history past;
};

TEST(component_failure, every_stanza_has_one_end_wherever_the_link_fails) {
  const auto steps = life();
  for (const auto& f : failures()) {
    for (std::size_t n = 0; n <= steps.size(); ++n) {
      SCOPED_TRACE(f.name + " after step " + std::to_string(n));
      counting_script c;
      for (std::size_t i = 0; i < n; ++i) c.run(steps[i]);
      c.run(f.fail);
      EXPECT_TRUE(c.past.open() == 0 || c.script.link.up());
      if (testing::Test::HasFailure()) return;
      if (f.name == "stop") {
        c.script.passes(10min);
        EXPECT_EQ(c.script.did(), link_script::lines{});
        EXPECT_EQ(c.script.memory.used(), 0U);
        EXPECT_EQ(c.script.deadlines.size(), 0U);
      }
    }
  }
}

TEST(component_failure, link_comes_back_wherever_it_failed) {
  const auto steps = life();
  for (const auto& f : failures()) {
    if (f.name == "stop" || f.name == "silence") continue;
    // The server cannot say anything before there is a connection.
    const bool by_the_server = f.name == "stream error" || f.name == "closing tag" || f.name == "bad XML";
    for (std::size_t n = by_the_server ? 3 : 1; n <= steps.size(); ++n) {
      SCOPED_TRACE(f.name + " after step " + std::to_string(n));
      link_script s;
      for (std::size_t i = 0; i < n; ++i) steps[i](s);
      s.did();
      const auto before = s.conn;
      f.fail(s);
      s.did();
      s.passes(11s);  // half of a stream header is only given up when the handshake took too long
      s.did();
      ASSERT_NE(s.conn, before);
      s.tokens.clear();
      s.come_up();
      ASSERT_TRUE(s.link.up());
      s.sends("<again/>", 99);
      s.passes(20ms);
      s.did();
      s.takes_all();
      EXPECT_EQ(s.heard(), link_script::lines{"sent 99"});
      EXPECT_EQ(s.link.stats().unconfirmed, 1U);
    }
  }
}

}  // namespace
