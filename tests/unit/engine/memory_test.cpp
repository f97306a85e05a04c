#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "engine/engine.hpp"
#include "engine/sandbox.hpp"

using namespace stox;

namespace {

TEST(memory_limit, counts_what_the_rim_could_not_write) {
  constexpr conn_id udp{1};
  const auto settings = engine::sandbox::sample_settings();
  counting_ids ids;
  engine::engine e(settings, ids);
  const instant now{steady_time(std::chrono::seconds(100)), wall_time(std::chrono::seconds(1'577'836'800))};
  const auto first_lines = [&e] {
    std::string out;
    while (const auto a = e.poll()) {
      const auto* what = std::get_if<io::action>(&*a);
      const auto* s = what == nullptr ? nullptr : std::get_if<io::send>(what);
      if (s != nullptr) out += s->bytes.substr(0, s->bytes.find("\r\n"));
    }
    return out;
  };
  e.handle(io::event(io::listening{udp, transport::udp, *socket_address::parse("192.0.2.20:5060")}), now);
  e.start(now);
  first_lines();
  const auto before = e.memory_used();
  e.handle(engine::write_queues{settings.limits.memory}, now);
  EXPECT_EQ(e.memory_used(), before + settings.limits.memory);
  const auto message = [&](int n) {
    const std::string text =
        "MESSAGE sip:ana@xmpp.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-" +
        std::to_string(n) +
        "\r\nMax-Forwards: 70\r\nFrom: <sip:bo@sip.example>;tag=1\r\nTo: <sip:ana@xmpp.test>\r\n"
        "Call-ID: c" +
        std::to_string(n) + "\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi";
    e.handle(io::event(io::received{udp, *socket_address::parse("192.0.2.1:5060"), text}), now);
    return first_lines();
  };
  EXPECT_EQ(message(1), "SIP/2.0 480 Temporarily Unavailable");
  e.handle(engine::write_queues{0}, now);
  EXPECT_EQ(e.memory_used(), before);
  EXPECT_EQ(message(2), "");  // accepted: it waits for the component link
}

}  // namespace
