#include "xmpp/machine/component.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace stox;
using namespace stox::xmpp;

void require(bool holds) {
  if (!holds) std::abort();
}

/// The rim and the server of one link, both led by the input; checks that each stanza has one end and that
/// memory stays bounded.
class world {
 public:
  world() : link_(link_id{1}, options(), deadlines_, ids_, memory_, port_) { link_.start(now_); }

  void step(std::uint8_t what, std::string_view bytes) {
    switch (what % 12) {
      case 0: say(bytes); break;
      case 1: link_.handle(io::opened{conn_, {}, {}}, now_); break;
      case 2:
        say("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:component:accept' "
            "id='1'>");
        break;
      case 3: say("<handshake/>"); break;
      case 4:
        say("<iq from='sip.test' to='sip.test' type='get' id='x-" + std::to_string(bytes.size() % 8) +
            "'><ping xmlns='urn:xmpp:ping'/></iq>");
        break;
      case 5: send(); break;
      case 6: send_or_queue(std::string(1 + bytes.size() * 16, 'q')); break;
      case 7: take(bytes.size()); break;
      case 8: fail(static_cast<io::fail>(bytes.size() % 8)); break;
      case 9: pass(std::chrono::milliseconds(bytes.size() * bytes.size())); break;
      case 10:
        link_.handle(bytes.size() % 2 == 0 ? io::event(io::blocked{conn_}) : io::event(io::writable{conn_}),
                     now_);
        break;
      case 11:
        if (bytes.size() % 16 == 0) {
          link_.stop(now_);
        } else {
          link_.start(now_);
        }
        break;
    }
    drain();
  }

  void end() {
    link_.stop(now_);
    drain();
    fail(io::fail::closed_here);
    pass(std::chrono::hours(1));
    require(open_ == 0 && memory_.used() == 0 && deadlines_.size() == 0);
  }

 private:
  static component_options options() {
    component_options o;
    o.domain = "sip.test";
    o.host = "xmpp.test";
    o.secret = redacted("secret");
    o.fence_stanzas = 3;
    o.queue_bytes = 10'000;
    o.limits.max_stanza_bytes = 4096;
    return o;
  }

  void say(std::string_view bytes) { link_.handle(io::received{conn_, {}, bytes}, now_); }

  void send() {
    if (link_.send("<message/>", stanza_ref{++last_ref_}, now_)) {
      ++open_;
      ends_[last_ref_] = 0;
    }
  }

  // Nothing new is queued above the limit; what was lost with a link is put back whatever the level.
  void send_or_queue(std::string stanza) {
    const auto before = link_.stats().queued_bytes;
    link_.send_or_queue(std::move(stanza), now_);
    const auto after = link_.stats().queued_bytes;
    require(after <= before || after <= 10'000);
  }

  void take(std::size_t n) {
    for (; n > 0 && !tokens_.empty(); --n) {
      const token t = tokens_.front();
      tokens_.erase(tokens_.begin());
      link_.handle(io::sent{t}, now_);
    }
  }

  void fail(io::fail why) {
    if (why == io::fail::overflow) {
      if (tokens_.empty()) return;
      link_.handle(io::send_failed{tokens_.back(), why}, now_);
      tokens_.pop_back();
      return;
    }
    for (const token t : std::exchange(tokens_, {})) link_.handle(io::send_failed{t, why}, now_);
    link_.handle(io::closed{conn_, why}, now_);
    drain();
  }

  void pass(duration d) {
    const auto end = now_ + d;
    for (int i = 0; i < 1000 && deadlines_.next() && *deadlines_.next() <= end.steady; ++i) {
      now_ = now_ + std::max(*deadlines_.next() - now_.steady, duration(0));
      while (deadlines_.pop_due(now_.steady)) link_.handle_timeout(now_);
      drain();
    }
    now_ = end;
  }

  void drain() {
    for (auto& a : std::exchange(port_.actions(), {})) {
      if (const auto* s = std::get_if<io::send>(&a)) {
        require(!s->bytes.empty());
        if (s->tok != token::none) tokens_.push_back(s->tok);
      } else if (const auto* o = std::get_if<io::open>(&a)) {
        conn_ = o->conn;
        tokens_.clear();
      }
    }
    while (const auto e = link_.poll()) {
      if (const auto* confirmed = std::get_if<stanza_confirmed>(&*e)) ended(confirmed->ref);
      if (const auto* lost = std::get_if<stanza_lost>(&*e)) ended(lost->ref);
      if (std::holds_alternative<link_down>(*e)) require(open_ == 0);
    }
    link_.take_log();
    require(link_.stats().unconfirmed == open_);
    // What was written and is not confirmed is kept to be told again; the steps' stanzas have at most 4081
    // bytes.
    require(memory_.used() <= link_.stats().queued_bytes + open_ * 64 + link_.stats().tracked * (4081 + 64));
  }

  void ended(stanza_ref ref) {
    require(++ends_.at(static_cast<std::uint64_t>(ref)) == 1);
    --open_;
  }

  deadline_index deadlines_;
  counting_ids ids_;
  byte_account memory_{1'000'000};
  io_port port_;
  instant now_{steady_time(std::chrono::seconds(1)), wall_time(std::chrono::seconds(1))};
  conn_id conn_ = conn_id::none;
  std::vector<token> tokens_;
  std::uint64_t last_ref_ = 0;
  std::uint64_t open_ = 0;
  std::map<std::uint64_t, int> ends_;
  component link_;
};

}  // namespace

// The input is a list of steps: what, a length, and that many bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  world w;
  w.step(9, {});
  while (size >= 2) {
    const std::size_t n = std::min<std::size_t>(data[1], size - 2);
    w.step(data[0], {reinterpret_cast<const char*>(data + 2), n});
    data += n + 2;
    size -= n + 2;
  }
  w.end();
  return 0;
}
