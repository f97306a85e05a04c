// The whole engine over arbitrary traffic from both sides and time: every request that it takes is answered,
// nothing stays open once the timers ran out, and what it holds is bounded and accounted.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/sandbox.hpp"

using namespace stox;

namespace {

/// The input is a list of records: one byte of kind, two of length, then the text.
class records {
 public:
  explicit records(std::string_view all) : rest_(all) {}
  bool next(std::uint8_t& kind, std::string_view& text) {
    if (rest_.size() < 3) return false;
    kind = static_cast<std::uint8_t>(rest_[0]);
    const auto wanted = static_cast<std::size_t>(static_cast<std::uint8_t>(rest_[1])) << 8U |
                        static_cast<std::size_t>(static_cast<std::uint8_t>(rest_[2]));
    rest_.remove_prefix(3);
    text = rest_.substr(0, wanted);
    rest_.remove_prefix(text.size());
    return true;
  }

 private:
  std::string_view rest_;
};

void require(bool condition) {
  if (!condition) std::abort();
}

double sample(engine::sandbox& box, std::string_view name) {
  for (const auto& s : box.core().samples()) {
    if (s.name == name) return s.value;
  }
  std::abort();
}

/// Each message that came in has one outcome.
void check_counters(engine::sandbox& box) {
  double left = 0;
  for (const auto& s : box.core().samples()) {
    if (s.name == "messages_received_total") left += s.value;
    if (s.name == "messages_total") left -= s.value;
  }
  require(left == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto settings = engine::sandbox::sample_settings();
  settings.limits.memory = 1U << 20U;
  engine::sandbox box(settings);
  records input({reinterpret_cast<const char*>(data), size});
  std::uint8_t kind = 0;
  std::string_view text;
  std::size_t taken_in = 0;
  std::size_t given_out = 0;
  for (int n = 0; n < 200 && input.next(kind, text); ++n) {
    taken_in += text.size();
    switch (kind % 6) {
      case 0: box.sip(text); break;
      case 1: box.xmpp(text); break;
      case 2: box.advance(std::chrono::milliseconds(static_cast<int>(text.size()) * 50)); break;
      case 3: box.link_down(); break;
      case 4:
        if (!box.connected()) box.link_up();
        break;
      default: box.sip_from({*ip_address::parse("198.51.100.7"), 5060}, text); break;
    }
    for (const auto& o : box.take()) {
      const bool wire =
          o.where == engine::sandbox::output::side::sip || o.where == engine::sandbox::output::side::xmpp;
      if (wire) given_out += o.text.size();
    }
    // Admission stops at the limit; what was accepted before may go a little beyond it.
    require(box.core().memory_used() <= 2U * settings.limits.memory);
  }
  // Retransmissions and error stanzas repeat addresses and the text that was to be sent on, within a fixed
  // factor.
  require(given_out <= (taken_in + 1000) * 64);
  if (size % 2 == 0) {
    box.handle(engine::forced_end{});
    check_counters(box);
  }
  if (!box.connected()) box.link_up();
  box.advance(std::chrono::minutes(3));
  check_counters(box);
  require(sample(box, "open_messages") == 0);
  require(sample(box, "sip_server_transactions") == 0);
  require(sample(box, "sip_client_transactions") == 0);
  return 0;
}
