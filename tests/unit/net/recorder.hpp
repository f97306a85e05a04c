#pragma once

#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/io.hpp"
#include "net/reactor.hpp"

namespace stox::net {

/// Keeps every event in order; received bytes are copied and joined for each connection.
class recorder final : public event_sink {
 public:
  void on_event(const io::event& e) override {
    if (const auto* r = std::get_if<io::received>(&e)) {
      bytes[r->conn] += r->bytes;
      datagrams.emplace_back(r->from, std::string(r->bytes));
      return;
    }
    events.push_back(e);
  }
  void on_batch_end() override {
    if (at_batch_end) at_batch_end();
  }

  template <class Event>
  std::vector<Event> all() const {
    std::vector<Event> out;
    for (const auto& e : events) {
      if (const auto* x = std::get_if<Event>(&e)) out.push_back(*x);
    }
    return out;
  }
  template <class Event>
  std::size_t count() const {
    return all<Event>().size();
  }

  std::vector<io::event> events;
  std::map<conn_id, std::string> bytes;
  std::vector<std::pair<socket_address, std::string>> datagrams;
  std::function<void()> at_batch_end;
};

inline socket_address loopback(std::uint16_t port = 0) { return {*ip_address::parse("127.0.0.1"), port}; }
inline socket_address loopback6(std::uint16_t port = 0) { return {*ip_address::parse("::1"), port}; }

/// Long enough for a busy machine; a test that waits this long has failed.
inline constexpr auto patience = std::chrono::seconds(20);

}  // namespace stox::net
