#include "cli/explain.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <vector>

#include "base/text.hpp"
#include "engine/sandbox.hpp"
#include "xml/element.hpp"
#include "xml/reader.hpp"

namespace stox::cli {

namespace {

using engine::sandbox;
using std::chrono::milliseconds;

constexpr std::string_view component_ns = "jabber:component:accept";
constexpr std::string_view client_ns = "jabber:client";
// RFC 3261 §17.1.2.2: Timer E repeats a request after T1, 500 ms; what is to be explained has happened
// before, for accept_wait is shorter.
constexpr duration watched = milliseconds(499);

/// Text for a terminal: line ends as LF, other control bytes as \xHH, one line end at the end.
std::string printable(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (bytes[i] == '\r' && bytes.substr(i + 1, 1) == "\n") continue;
    if ((byte < 0x20 && bytes[i] != '\n' && bytes[i] != '\t') || byte == 0x7F) {
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += bytes[i];
    }
  }
  if (!out.ends_with('\n')) out += '\n';
  return out;
}

/// A message typed in an editor as it goes over the wire: header lines end in CRLF; the body stays, but what
/// an editor put behind the length that Content-Length tells falls away with the rest of the datagram (RFC
/// 3261 §18.3).
std::string as_datagram(std::string_view typed) {
  std::string out;
  while (!typed.empty()) {
    const auto end = std::min(typed.find('\n'), typed.size());
    auto line = typed.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    typed.remove_prefix(std::min(end + 1, typed.size()));
    out.append(line).append("\r\n");
    if (line.empty()) return out.append(typed);
  }
  return out.append("\r\n");
}

void into_component_ns(xml::element& e) {
  if (e.ns == client_ns) e.ns = component_ns;
  for (auto& child : e.children) {
    if (auto* inner = std::get_if<xml::element>(&child.value)) into_component_ns(*inner);
  }
}

std::string domain_of(const xml::element& stanza) {
  const auto* to = stanza.attr("to");
  if (to == nullptr) return {};
  std::string_view jid = *to;
  jid = jid.substr(0, jid.find('/'));
  if (const auto at = jid.find('@'); at != std::string_view::npos) jid.remove_prefix(at + 1);
  return text::to_lower(jid);
}

socket_address default_peer(const settings::all& s) {
  if (s.sip.trusted_peers.empty()) return {*ip_address::parse("192.0.2.1"), 5060};
  const auto& prefix = s.sip.trusted_peers.front();
  socket_address out{prefix.base, 5060};
  // 127.0.0.0/8 means a network; its first host looks like one.
  if (prefix.length < 128 && out.ip.bytes[15] == 0) out.ip.bytes[15] = 1;
  return out;
}

bool trusted(const settings::all& s, const ip_address& ip) {
  return std::any_of(s.sip.trusted_peers.begin(), s.sip.trusted_peers.end(),
                     [&ip](const ip_prefix& p) { return p.contains(ip); });
}

/// Gathers what leaves the box, in golden sections.
class report {
 public:
  void add(const sandbox::output& o, duration after) {
    const auto ms = std::chrono::duration_cast<milliseconds>(after).count();
    const auto when = ms == 0 ? std::string() : ", after " + std::to_string(ms) + " ms";
    switch (o.where) {
      case sandbox::output::side::sip:
        out_ += "-- out sip --\n# to " + o.to.to_string() + " over " + std::string(to_string(o.via)) + when +
                "\n" + printable(o.text);
        return;
      case sandbox::output::side::xmpp:
        out_ += "-- out xmpp --\n# by the component " + o.domain + when + "\n" + printable(o.text);
        return;
      case sandbox::output::side::log: add_log(o.text); return;
      case sandbox::output::side::incident: return;  // its log line says the same
      case sandbox::output::side::row: return;       // what is kept of peers is nothing that leaves
    }
  }

  std::string text() const {
    std::string out = out_.empty() ? "-- quiet --\n" : out_;
    if (!dropped_.empty()) out += "-- dropped --\n" + dropped_;
    if (!log_.empty()) out += "-- log --\n" + log_;
    return out;
  }

 private:
  void add_log(std::string_view line) {
    static constexpr std::string_view what = " what=";
    static constexpr std::string_view why = " why=";
    const auto piece = line.find(what);
    const auto reason = line.find(why);
    if (!line.starts_with("message.loss ") || piece == std::string_view::npos ||
        reason == std::string_view::npos || reason < piece) {
      log_ += printable(line);
      return;
    }
    const auto named = line.substr(piece + what.size(), reason - piece - what.size());
    dropped_ +=
        "LOSS " + printable(std::string(named) + ": " + std::string(line.substr(reason + why.size())));
  }

  std::string out_, dropped_, log_;
};

/// A counter as /metrics names it: stox_NAME{label="value",...}.
std::string series_of(const engine::sample& s) {
  std::string out = "stox_" + s.name;
  char before = '{';
  for (const auto& [name, value] : s.labels) {
    out.append(1, before).append(name).append("=\"").append(value).append("\"");
    before = ',';
  }
  return s.labels.empty() ? out : out + "}";
}

std::map<std::string, double> counters_of(sandbox& box) {
  std::map<std::string, double> out;
  for (const auto& s : box.core().samples()) {
    if (!s.gauge) out[series_of(s)] = s.value;
  }
  return out;
}

/// Which counters moved: where nothing leaves the gateway, they tell what became of the input.
std::string counted(const std::map<std::string, double>& before, const std::map<std::string, double>& after) {
  std::string out;
  for (const auto& [series, value] : after) {
    const auto old = before.find(series);
    const auto grown = static_cast<long long>(value - (old == before.end() ? 0 : old->second));
    if (grown != 0) out.append(series).append(" +").append(std::to_string(grown)).append("\n");
  }
  return out.empty() ? out : "-- counted --\n" + out;
}

/// Lets time pass from deadline to deadline and takes what leaves at each.
std::string watch(sandbox& box) {
  report seen;
  const auto start = box.now().steady;
  for (;;) {
    const auto passed = box.now().steady - start;
    for (const auto& o : box.take()) seen.add(o, passed);
    const auto next = box.core().next_deadline();
    if (!next || *next - start > watched) return seen.text();
    // A deadline that is due already must still move time, or a timer that never rests would hold us for
    // ever.
    box.advance(std::max<duration>(*next - box.now().steady, std::chrono::microseconds(1)));
  }
}

}  // namespace

result<std::string> explain(std::string_view input, settings::all settings,
                            const std::optional<socket_address>& from) {
  while (!input.empty() && (text::trim(input.substr(0, 1)).empty())) input.remove_prefix(1);
  if (input.empty())
    return error(errc::bad_input, "nothing to explain; give a SIP message or a stanza on standard input");
  settings.log.level = log_level::debug;  // losses are told there
  if (input.front() == '<') {
    auto stanza = xml::parse(text::trim(input), {}, component_ns);
    if (!stanza) return error(errc::bad_input, "the stanza cannot be read: " + stanza.error().to_string());
    into_component_ns(*stanza);
    const auto domain = domain_of(*stanza);
    const auto& links = settings.components;
    const bool served =
        std::any_of(links.begin(), links.end(), [&](const auto& c) { return c.domain == domain; });
    if (!served) {
      return error(errc::bad_input,
                   "no component serves \"" + domain +
                       "\", the domain in \"to\"; the XMPP server would not send the stanza here");
    }
    const auto bytes = xml::write(*stanza, component_ns);
    sandbox box(std::move(settings));
    const auto before = counters_of(box);
    box.xmpp(domain, bytes);
    const auto seen = watch(box);
    return "-- in xmpp --\n" + printable(bytes) + seen + counted(before, counters_of(box));
  }
  const auto peer = from.value_or(default_peer(settings));
  const auto bytes = as_datagram(input);
  const std::string head = "-- in sip --\n# from " + peer.to_string() +
                           (trusted(settings, peer.ip) ? ", trusted" : ", not trusted") + "\n";
  sandbox box(std::move(settings));
  const auto before = counters_of(box);
  box.sip_from(peer, bytes);
  const auto seen = watch(box);
  return head + printable(bytes) + seen + counted(before, counters_of(box));
}

}  // namespace stox::cli
