#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "config/config.hpp"
#include "engine/sandbox.hpp"
#include "gateway/blocklist.hpp"
#include "scenario/scenario_file.hpp"
#include "sip/wire/message.hpp"
#include "xml/element.hpp"
#include "xml/reader.hpp"

using namespace stox;
using engine::sandbox;
using side = sandbox::output::side;

namespace {

constexpr const char* component_ns = "jabber:component:accept";

/// What a scenario without a "config" step runs with.
constexpr const char* default_config = R"(
[gateway]
sip_domains = ["sip.test"]
[sip]
listen = ["udp:192.0.2.20:5060", "tcp:192.0.2.20:5060"]
advertise = "gw.test"
outbound_proxy = "sip:192.0.2.1:5060"
trusted_peers = ["192.0.2.0/24"]
[[xmpp.component]]
domain = "sip.test"
server = "192.0.2.30:5347"
secret = "secret"
[log]
level = "debug"
)";

std::string wire(const std::string& block) {
  std::string out;
  for (const char c : block) out += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const auto blank = out.find("\r\n\r\n");
  if (blank == std::string::npos) return out + "\r\n";
  // A block's last line has its LF; a body has none of its own.
  if (out.size() > blank + 4) out.resize(out.size() - 2);
  if (const auto length = out.find("Content-Length: ~"); length != std::string::npos) {
    const auto size = std::to_string(out.size() - blank - 4);
    out.replace(length + 16, 1, size);
  }
  return out;
}

/// The same with its body repeated and in zlib's form.
std::string deflated(const std::string& message, std::size_t times) {
  const auto blank = message.find("\r\n\r\n") + 4;
  std::string body;
  for (std::size_t i = 0; i < times; ++i) body += message.substr(blank);
  auto size = compressBound(body.size());
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(body.data()),
           body.size());
  out.resize(size);
  auto head = message.substr(0, blank);
  const auto length = head.find("Content-Length: ");
  head.replace(length, head.find('\r', length) - length, "Content-Length: " + std::to_string(size));
  return head + out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    out.push_back(line);
  }
  return out;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

bool contains(const xml::element& actual, const xml::element& wanted) {
  if (actual.name != wanted.name || actual.ns != wanted.ns) return false;
  for (const auto& a : wanted.attributes) {
    const auto* value = actual.attr(a.name);
    if (value == nullptr || *value != a.value) return false;
  }
  const auto text = std::string(text::trim(wanted.text()));
  if (!text.empty() && std::string(text::trim(actual.text())) != text) return false;
  const auto have = actual.elements();
  auto next = have.begin();
  for (const auto* child : wanted.elements()) {
    next = std::find_if(next, have.end(), [child](const auto* e) { return contains(*e, *child); });
    if (next == have.end()) return false;
    ++next;
  }
  return true;
}

std::optional<duration> parse_duration(const std::string& s) {
  std::size_t used = 0;
  const auto n = std::stoll(s, &used);
  const auto unit = s.substr(used);
  if (unit == "ms") return std::chrono::milliseconds(n);
  if (unit == "s") return std::chrono::seconds(n);
  if (unit == "h") return std::chrono::hours(n);
  return std::nullopt;
}

/// Runs the steps of one file. With `fail_at`, the write with that number fails and only the invariants are
/// checked.
class runner {
 public:
  explicit runner(const scenario_file& file, std::optional<std::size_t> fail_at = {})
      : file_(file), fail_at_(fail_at) {}

  void run() {
    std::string toml = default_config;
    sandbox::options how;
    for (const auto& s : file_.steps) {
      if (s.verb == "config") toml = s.block;
      if (s.verb == "manual" && s.rest == "write") how.auto_sent = false;
      if (s.verb == "manual" && s.rest == "confirm") how.auto_confirm = false;
    }
    how.fail_write = fail_at_;
    auto loaded = config::parse(toml, "scenario");
    ASSERT_TRUE(loaded) << loaded.error().front();
    box_.emplace(loaded->settings, how);
    std::size_t played = 0;
    for (const auto& s : file_.steps) {
      if (cut_ && played++ == *cut_) break;
      SCOPED_TRACE("line " + std::to_string(s.line) + ": " + s.verb + " " + s.rest);
      step(s);
      if (testing::Test::HasFatalFailure()) return;
    }
    if (cut_) {
      box_->handle(engine::forced_end{});
      check_counters();
    }
    settle();
  }

  std::size_t writes() const { return box_->writes(); }

  /// Plays so many steps, then the rim ends without waiting: at once nothing is open and all is counted.
  void run_cut(std::size_t steps) {
    cut_ = steps;
    run();
  }

 private:
  bool strict() const { return !fail_at_ && !cut_; }

  void collect() {
    for (auto& o : box_->take()) {
      switch (o.where) {
        case side::sip: sip_.push_back(std::move(o)); break;
        case side::xmpp: xmpp_.push_back(std::move(o)); break;
        case side::log: logs_ += o.text + "\n"; break;
        case side::incident: incidents_.push_back(std::move(o.text)); break;
        case side::row: rows_.push_back(std::move(o.text)); break;
      }
    }
  }

  /// What people say to each other must never reach the log, at no level.
  void check_log() {
    collect();
    for (const auto& body : said_)
      EXPECT_EQ(logs_.find(body), std::string::npos) << "'" << body << "' in\n" << logs_;
    EXPECT_EQ(logs_.find("secret"), std::string::npos) << logs_;
    for (const auto& all : {incidents_, rows_}) {
      for (const auto& what : all) {
        for (const auto& body : said_) EXPECT_EQ(what.find(body), std::string::npos) << what;
      }
    }
  }

  void step(const scenario_step& s) {
    if (s.verb == "config" || s.verb == "manual") return;
    if (s.verb == "sip>") return incoming_sip(s);
    if (s.verb == "xmpp>") return incoming_xmpp(s);
    if (s.verb == "sip<") return outgoing_sip(s);
    if (s.verb == "xmpp<") return outgoing_xmpp(s);
    if (s.verb == "reply") return reply(s);
    if (s.verb == "dns") return zone_record(s.rest);
    if (s.verb == "listen")
      return box_->listen(transport::udp,
                          socket_address::parse(s.rest.substr(std::string("udp:").size())).value());
    if (s.verb == "tls") return box_->prove(words_of(s.rest.substr(std::string("proves").size())));
    if (s.verb == "advance") return box_->advance(parse_duration(s.rest).value());
    if (s.verb == "wall") return box_->turn_wall_clock(parse_duration(s.rest).value());
    if (s.verb == "link") return link(s.rest);
    if (s.verb == "reload") return reload(s.block);
    if (s.verb == "ready") return ready(s.rest);
    if (s.verb == "block") return block(s.rest);
    if (s.verb == "unblock") return box_->handle(engine::unblocked{*gateway::normal_block(s.rest)});
    if (s.verb == "unwritten") return box_->handle(engine::write_queues{std::stoull(s.rest)});
    if (s.verb == "write") return box_->write_done(s.rest == "ok");
    if (s.verb == "confirm") return box_->confirm();
    if (s.verb == "drain") return box_->handle(engine::shutdown{parse_duration(s.rest).value()});
    if (s.verb == "end") return box_->handle(engine::forced_end{});
    if (s.verb == "incident") return incident(s);
    if (s.verb == "row") return row(s);
    if (s.verb == "restart") return box_->restart();
    if (s.verb == "log") return log(s);
    if (s.verb == "logs") return logs(s.rest);
    if (s.verb == "quiet") return quiet();
    if (s.verb == "count") return count(s);
    FAIL() << "unknown step";
  }

  /// "up", "down", "down DOMAIN", "congested", "flows".
  void link(const std::string& what) {
    if (what == "up") return box_->link_up();
    if (what == "congested") return box_->congest(true);
    if (what == "flows") return box_->congest(false);
    if (what.starts_with("down ")) return box_->link_down(what.substr(5));
    box_->link_down();
  }

  /// New settings, as SIGHUP brings them.
  void reload(const std::string& toml) {
    auto next = config::parse(toml, "reload");
    ASSERT_TRUE(next) << next.error().front();
    box_->handle(engine::reconfigured{next->settings});
  }

  /// "yes" or "no", and what the reason holds.
  void ready(const std::string& wanted) {
    if (!strict()) return;
    const auto is = box_->core().readiness();
    EXPECT_EQ(is.ready, wanted.starts_with("yes")) << is.why;
    const auto space = std::min(wanted.find(' '), wanted.size());
    EXPECT_NE(is.why.find(text::trim(std::string_view(wanted).substr(space))), std::string::npos) << is.why;
  }

  /// "WHAT" or "WHAT 10s".
  void block(const std::string& what) {
    const auto space = what.find(' ');
    engine::blocked b{*gateway::normal_block(what.substr(0, space)), {}};
    if (space != std::string::npos) b.time = parse_duration(what.substr(space + 1)).value();
    box_->handle(b);
  }

  /// "NAME A 192.0.2.5", "NAME AAAA 2001:db8::5", "NAME SRV 10 60 5060 TARGET", "NAME SRV fail": what the DNS
  /// knows from then on.
  void zone_record(const std::string& text) {
    std::istringstream in(text);
    std::string name, type, first;
    in >> name >> type >> first;
    const auto u16 = [](unsigned v) { return std::string{static_cast<char>(v >> 8), static_cast<char>(v)}; };
    if (type == "A") {
      const auto ip = first == "fail" ? std::nullopt : ip_address::parse(first);
      return box_->know(io::record_type::a, name,
                        ip ? std::string(ip->bytes.end() - 4, ip->bytes.end()) : "");
    }
    if (type == "AAAA") {
      const auto ip = ip_address::parse(first).value();
      return box_->know(io::record_type::aaaa, name, std::string(ip.bytes.begin(), ip.bytes.end()));
    }
    ASSERT_EQ(type, "SRV");
    if (first == "fail") return box_->know(io::record_type::srv, name, "");
    unsigned weight = 0, port = 0;
    std::string target;
    in >> weight >> port >> target;
    auto data = u16(static_cast<unsigned>(std::stoi(first))) + u16(weight) + u16(port);
    for (const auto label : text::split(target, '.')) data += static_cast<char>(label.size()), data += label;
    box_->know(io::record_type::srv, name, data + '\0');
  }

  void incoming_sip(const scenario_step& s) {
    // "sip> from ADDRESS:PORT" comes from another peer than the usual one.
    auto bytes = wire(s.block);
    if (const auto blank = bytes.find("\r\n\r\n"); bytes.size() >= blank + 8)
      said_.push_back(bytes.substr(blank + 4));
    if (s.rest.starts_with("deflated")) {
      const auto words = words_of(s.rest);
      return box_->sip(deflated(bytes, words.size() > 1 ? std::stoul(words[1]) : 1));
    }
    if (s.rest.rfind("tls ", 0) == 0) {
      auto words = words_of(s.rest.substr(4));
      const auto from = socket_address::parse(words.at(0)).value();
      words.erase(words.begin());
      return box_->sip_over_tls(from, std::move(words), bytes);
    }
    if (s.rest.rfind("from ", 0) == 0)
      return box_->sip_from(socket_address::parse(s.rest.substr(5)).value(), bytes);
    box_->sip(bytes);
  }

  void incoming_xmpp(const scenario_step& s) {
    const auto text = s.rest + s.block;
    const auto body = text.find("<body>");
    const auto end = text.find("</body>");
    if (body != std::string::npos && end >= body + 10) said_.push_back(text.substr(body + 6, end - body - 6));
    // "xmpp> on DOMAIN <message ..." comes on the link of that domain.
    const auto stanza = text.find('<');
    if (text.starts_with("on "))
      return box_->xmpp(text.substr(3, stanza - 4), std::string_view(text).substr(stanza));
    box_->xmpp(text);
  }

  void outgoing_sip(const scenario_step& s) {
    collect();
    if (sip_.empty()) {
      if (strict()) FAIL() << "nothing left for SIP";
      return;
    }
    const auto text = sip_.front().text;
    const auto to = sip_.front().to.to_string();
    sip_.pop_front();
    if (text.rfind("SIP/2.0", 0) != 0) last_request_ = text;
    if (!strict()) return;
    auto have = lines_of(text);
    auto next = have.begin();
    const bool names_target = s.rest.rfind("to ", 0) == 0;
    if (names_target) {
      EXPECT_EQ(to, s.rest.substr(3));
    }
    for (const auto& wanted : lines_of((s.rest.empty() || names_target ? "" : s.rest + "\n") + s.block)) {
      next = std::find(next, have.end(), wanted);
      ASSERT_NE(next, have.end()) << "no line '" << wanted << "' in\n" << text;
      ++next;
    }
  }

  void outgoing_xmpp(const scenario_step& s) {
    collect();
    if (xmpp_.empty()) {
      if (strict()) FAIL() << "nothing left for XMPP";
      return;
    }
    const auto text = xmpp_.front().text;
    xmpp_.pop_front();
    if (!strict()) return;
    const auto have = xml::parse(text, {}, component_ns);
    const auto wanted = xml::parse(s.rest + s.block, {}, component_ns);
    ASSERT_TRUE(have && wanted) << text;
    EXPECT_TRUE(contains(*have, *wanted)) << "in\n" << xml::canonical(*have);
  }

  void reply(const scenario_step& s) {
    std::string out = "SIP/2.0 " + s.rest + "\r\n";
    for (const auto& line : lines_of(last_request_)) {
      if (line.empty()) break;  // a body in CPIM has From and To as well
      for (const auto* name : {"Via:", "From:", "Call-ID:", "CSeq:"}) {
        if (line.rfind(name, 0) == 0) out += line + "\r\n";
      }
      if (line.rfind("To:", 0) == 0) out += line + ";tag=peer\r\n";
    }
    if (last_request_.empty()) return;
    out += wire(s.block).substr(0, wire(s.block).size() - 2);
    box_->sip(out + "Content-Length: 0\r\n\r\n");
  }

  void quiet() {
    collect();
    if (!strict()) return;
    for (const auto& o : sip_) ADD_FAILURE() << "unexpected on SIP:\n" << o.text;
    for (const auto& o : xmpp_) ADD_FAILURE() << "unexpected on XMPP:\n" << o.text;
    for (const auto& what : incidents_) ADD_FAILURE() << "unexpected incident: " << what;
  }

  void incident(const scenario_step& s) {
    collect();
    const auto at = std::find_if(incidents_.begin(), incidents_.end(),
                                 [&](const auto& have) { return holds(have, s.rest); });
    if (at != incidents_.end()) {
      incidents_.erase(at);
    } else if (strict()) {
      std::string all;
      for (const auto& have : incidents_) all += have + "\n";
      ADD_FAILURE() << "no such incident among\n" << all;
    }
  }

  void row(const scenario_step& s) {
    collect();
    if (!strict()) return;
    const auto at = std::find_if(rows_.begin(), rows_.end(),
                                 [&](const auto& have) { return have.find(s.rest) != std::string::npos; });
    if (at != rows_.end()) {
      rows_.erase(at);
      return;
    }
    std::string all;
    for (const auto& have : rows_) all += have + "\n";
    ADD_FAILURE() << "no such row among\n" << all;
  }

  void log(const scenario_step& s) {
    collect();
    if (!strict()) return;
    const auto have = lines_of(logs_);
    EXPECT_TRUE(std::any_of(have.begin(), have.end(), [&](const auto& line) { return holds(line, s.rest); }))
        << "no such line among\n"
        << logs_;
  }

  void logs(const std::string& wanted) {
    collect();
    if (!strict()) return;
    const auto have = lines_of(logs_);
    const auto words = wanted.substr(wanted.find(' '));
    const auto n =
        std::count_if(have.begin(), have.end(), [&](const auto& line) { return holds(line, words); });
    EXPECT_EQ(n, std::stoi(wanted)) << logs_;
  }

  void count(const scenario_step& s) {
    if (!strict()) return;
    const auto space = s.rest.rfind(' ');
    const auto wanted = s.rest.substr(0, space);
    for (const auto& sample : box_->core().samples()) {
      std::string name = sample.name;
      std::string labels;
      for (const auto& [k, v] : sample.labels) labels += (labels.empty() ? "" : ",") + k + "=" + v;
      if (!labels.empty()) name += "{" + labels + "}";
      if (name == wanted) {
        EXPECT_EQ(sample.value, std::stod(s.rest.substr(space + 1)));
        return;
      }
    }
    EXPECT_EQ("0", s.rest.substr(space + 1)) << "no counter " << wanted;
  }

  /// Whatever happened: nothing said is in the log, and once all timers ran out, nothing is open any more and
  /// no transaction holds memory.
  void settle() {
    box_->confirm();
    box_->write_done(true);
    if (!box_->connected()) box_->link_up();
    box_->advance(std::chrono::minutes(3));
    check_log();
    for (const auto& s : box_->core().samples()) {
      if (s.name == "open_messages" || s.name == "sip_server_transactions" ||
          s.name == "sip_client_transactions") {
        EXPECT_EQ(s.value, 0) << s.name;
      }
    }
    check_counters();
    if (!cut_) check_memory();
  }

  /// An hour later nobody is remembered but for what his client can do and the receipts that are open, and
  /// all other memory was given back.
  void check_memory() {
    box_->advance(std::chrono::minutes(62));
    if (!box_->connected()) box_->link_up();
    for (int i = 0; i < 3; ++i) {
      box_->advance(std::chrono::seconds(1));
      box_->confirm();
    }
    double kept = 0;
    for (const auto& s : box_->core().samples()) {
      const bool part = s.name == "memory_part_bytes";
      const auto is = [&s](std::string_view name) { return s.labels[0].second == name; };
      if (part && (is("peers") || is("receipts") || is("rates"))) kept += s.value;
    }
    EXPECT_EQ(static_cast<double>(box_->core().memory_used()), kept);
  }

  /// Each message that came in has one outcome.
  void check_counters() {
    for (const std::string direction : {"to_xmpp", "to_sip"}) {
      double received = 0;
      double outcomes = 0;
      for (const auto& s : box_->core().samples()) {
        if (s.labels.empty() || s.labels.front().second != direction) continue;
        if (s.name == "messages_received_total") received = s.value;
        if (s.name == "messages_total") outcomes += s.value;
      }
      EXPECT_EQ(received, outcomes) << direction;
    }
  }

  const scenario_file& file_;
  std::optional<std::size_t> fail_at_, cut_;
  std::optional<sandbox> box_;
  std::deque<sandbox::output> sip_, xmpp_;
  std::string last_request_, logs_;
  std::vector<std::string> incidents_, rows_;
  std::vector<std::string> said_;
};

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> out;
  for (const auto& e : std::filesystem::recursive_directory_iterator(STOX_SCENARIO_DIR)) {
    if (e.path().extension() == ".scn") out.push_back(e.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

class scenario : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(scenario, plays) {
  const auto file = scenario_file::load(GetParam());
  ASSERT_EQ(file.problem, "");
  SCOPED_TRACE(file.sentence);
  runner r(file);
  r.run();
}

TEST_P(scenario, survives_every_write_failing) {
  const auto file = scenario_file::load(GetParam());
  ASSERT_EQ(file.problem, "");
  SCOPED_TRACE(file.sentence);
  std::size_t writes = 1;
  for (std::size_t n = 0; n < writes; ++n) {
    SCOPED_TRACE("write " + std::to_string(n) + " fails");
    runner r(file, n);
    r.run();
    writes = std::max(writes, r.writes());
    ASSERT_LT(n, 1000U);
  }
}

TEST_P(scenario, counts_everything_wherever_it_is_cut) {
  const auto file = scenario_file::load(GetParam());
  ASSERT_EQ(file.problem, "");
  SCOPED_TRACE(file.sentence);
  for (std::size_t steps = 0; steps <= file.steps.size(); ++steps) {
    SCOPED_TRACE("ends after " + std::to_string(steps) + " steps");
    runner r(file);
    r.run_cut(steps);
  }
}

INSTANTIATE_TEST_SUITE_P(, scenario, testing::ValuesIn(files()),
                         [](const auto& param_info) { return param_info.param.stem().string(); });

}  // namespace
