#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "xml/element.hpp"
#include "xmpp/machine/component.hpp"

/// Plays the rim and the XMPP server to one component in virtual time. What the component does is told as
/// text, one line per event or action, so that a test can compare whole histories.
namespace stox::xmpp {

using namespace std::chrono_literals;

/// The component's last words on a stream.
inline const std::string our_end = "> </stream:stream>";

class link_script {
 public:
  static component_options defaults() {
    component_options o;
    o.domain = "sip.test";
    o.host = "xmpp.test";
    o.secret = redacted("secret");
    return o;
  }

  explicit link_script(component_options o = defaults(), std::size_t memory_limit = 64 * 1024 * 1024)
      : memory(memory_limit), link(link_id{1}, std::move(o), deadlines, ids, memory, port) {}

  using lines = std::vector<std::string>;

  // ---- the rim ----

  void opened() { link.handle(io::opened{conn, {}, {}}, now); }
  void closed(io::fail why) {
    for (const token t : std::exchange(tokens, {})) link.handle(io::send_failed{t, why}, now);
    link.handle(io::closed{conn, why}, now);
  }
  /// The kernel takes the oldest `n` batches that carry a token.
  void takes(std::size_t n = 1) {
    for (; n > 0; --n) {
      const token t = tokens.at(0);
      tokens.erase(tokens.begin());
      link.handle(io::sent{t}, now);
    }
  }
  void takes_all() { takes(tokens.size()); }

  // ---- the server ----

  void says(std::string_view xml) { link.handle(io::received{conn, {}, xml}, now); }
  static std::string header(std::string_view id = "3BF96D32") {
    return "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
           "xmlns='jabber:component:accept' from='sip.test' id='" +
           std::string(id) + "'>";
  }
  static std::string stream_error(std::string_view condition) {
    return "<stream:error><" + std::string(condition) +
           " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>";
  }
  /// Our own ping, as the server routes it back.
  void returns_ping(int number) { says(ping(number)); }
  static std::string ping(int number) {
    return "<iq from='sip.test' to='sip.test' type='get' id='x-" + std::to_string(number) +
           "'><ping xmlns='urn:xmpp:ping'/></iq>";
  }

  /// From nothing to a link that is up, its history forgotten.
  void bring_up() {
    link.start(now);
    come_up();
  }
  /// From an asked-for connection to a link that is up.
  void come_up() {
    did();
    opened();
    says(header());
    did();
    says("<handshake/>");
    did();
  }

  // ---- time ----

  /// Lets time pass, through every deadline on the way.
  void passes(duration d) {
    const auto end = now + d;
    while (deadlines.next() && *deadlines.next() <= end.steady) {
      now = now + (*deadlines.next() > now.steady ? *deadlines.next() - now.steady : duration(0));
      while (deadlines.pop_due(now.steady)) link.handle_timeout(now);
      collect();
    }
    now = end;
  }

  // ---- what it did ----

  bool sends(std::string text, std::uint64_t ref = 0) {
    return link.send(std::move(text), stanza_ref{ref}, now);
  }

  /// Everything since the last call: actions first, then events.
  lines did() {
    collect();
    lines out = std::exchange(actions_, {});
    while (auto e = link.poll()) out.push_back(std::visit(namer{}, *e));
    return out;
  }
  /// Only the events.
  lines heard() {
    lines out;
    collect();
    actions_.clear();
    while (auto e = link.poll()) out.push_back(std::visit(namer{}, *e));
    return out;
  }
  /// The log as "level event why hint".
  lines logged() {
    lines out;
    for (const auto& r : link.take_log()) {
      std::string line = std::to_string(static_cast<int>(r.level)) + " " + std::string(r.event);
      for (const auto& [key, value] : r.fields) line += " " + std::string(key) + "=" + value;
      out.push_back(std::move(line));
    }
    return out;
  }

  deadline_index deadlines;
  counting_ids ids;
  byte_account memory;
  io_port port;
  instant now{steady_time(1000s), wall_time(1'577'836'800s)};
  conn_id conn = conn_id::none;  ///< the latest that it opened
  std::vector<token> tokens;     ///< out and not reported
  component link;

 private:
  struct namer {
    std::string operator()(const link_up&) const { return "up"; }
    std::string operator()(const link_down& e) const {
      std::string out = "down: " + e.why;
      for (const auto& text : e.unheard) out += ", unheard " + text;
      return out;
    }
    std::string operator()(const stanza_received& e) const {
      return "got " + xml::write(e.value, "jabber:component:accept");
    }
    std::string operator()(const stanza_refused& e) const {
      return "refused " + xml::write(e.head, "jabber:component:accept") + " " + e.why.to_string();
    }
    std::string operator()(const stanza_sent& e) const { return "sent " + number(e.ref); }
    std::string operator()(const stanza_confirmed& e) const { return "confirmed " + number(e.ref); }
    std::string operator()(const stanza_lost& e) const {
      return (e.written ? "in doubt " : "never left ") + number(e.ref);
    }
    static std::string number(stanza_ref r) { return std::to_string(static_cast<std::uint64_t>(r)); }
  };

  void collect() {
    for (auto& a : std::exchange(port.actions(), {})) {
      if (auto* s = std::get_if<io::send>(&a)) {
        if (s->conn != conn) actions_.push_back("WRONG CONNECTION");
        if (s->tok != token::none) tokens.push_back(s->tok);
        actions_.push_back("> " + s->bytes);
      } else if (auto* o = std::get_if<io::open>(&a)) {
        conn = o->conn;
        actions_.push_back("open " + o->host + ":" + std::to_string(o->to.port));
      } else {
        actions_.push_back("close");
      }
    }
  }

  lines actions_;
};

}  // namespace stox::xmpp
