#include "admin/json_values.hpp"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <utility>

namespace stox::admin {

namespace json = boost::json;

namespace {

/// Counts as integers: 7, not 7E0.
json::value number(double v) {
  constexpr double exact = 9007199254740992.0;  // 2^53: up to there a double holds every integer
  if (std::trunc(v) == v && v > -exact && v < exact) return static_cast<std::int64_t>(v);
  return v;
}

/// "2026-01-31T12:00:00Z"
std::string utc(wall_time t) {
  const auto seconds = std::chrono::system_clock::to_time_t(t);
  std::tm parts{};
  char buffer[40] = "?";
  if (gmtime_r(&seconds, &parts) != nullptr)
    std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return buffer;
}

std::int64_t seconds(duration d) { return std::chrono::ceil<std::chrono::seconds>(d).count(); }

}  // namespace

json::object sample_object(const engine::sample& s) {
  json::object labels;
  for (const auto& [name, value] : s.labels) labels[name] = value;
  return {{"name", s.name}, {"labels", std::move(labels)}, {"value", number(s.value)}};
}

json::array list(const std::vector<incident>& incidents) {
  json::array out;
  for (const auto& i : incidents) {
    out.push_back({{"at", utc(i.at)},
                   {"domain", i.domain},
                   {"engine", i.engine},
                   {"kind", i.kind},
                   {"detail", i.detail}});
  }
  return out;
}

json::array list(const std::vector<engine::link_status>& links) {
  json::array out;
  for (const auto& l : links) {
    out.push_back({{"domain", l.domain},
                   {"server", l.server},
                   {"state", l.state},
                   {"leaving", l.leaving},
                   {"since", utc(l.since)},
                   {"connects", l.connects},
                   {"losses", l.losses},
                   {"queued", l.queued},
                   {"unconfirmed", l.unconfirmed},
                   {"why", l.why}});
  }
  return out;
}

json::array list(const std::vector<engine::server_stream>& streams) {
  json::array out;
  for (const auto& s : streams) {
    out.push_back({{"domain", s.domain},
                   {"peer", s.peer},
                   {"direction", s.direction},
                   {"proof", s.proof},
                   {"tls", s.tls},
                   {"resumable", s.managed},
                   {"since", utc(s.since)},
                   {"received", s.stanzas_in},
                   {"sent", s.stanzas_out},
                   {"address", s.address}});
  }
  return out;
}

json::array list(const std::vector<engine::sip_peer>& peers) {
  json::array out;
  for (const auto& p : peers) {
    out.push_back({{"address", p.at.port == 0 ? p.at.ip.to_string() : p.at.to_string()},
                   {"transport", to_string(p.via)},
                   {"state", p.state},
                   {"seconds_left", seconds(p.left)},
                   {"streams", p.streams},
                   {"stalled", p.stalled},
                   {"requests", p.requests},
                   {"failures", p.failures},
                   {"last_error", p.last_error}});
  }
  return out;
}

json::array list(const std::vector<engine::session>& sessions) {
  json::array out;
  for (const auto& s : sessions) {
    out.push_back({{"since", utc(s.begun)},
                   {"direction", s.direction},
                   {"state", s.state},
                   {"waiting", s.waiting},
                   {"from", s.from},
                   {"to", s.to},
                   {"conversation", s.conversation},
                   {"call_id", s.call_id},
                   {"stanza_id", s.stanza_id}});
  }
  return out;
}

json::array list(const std::vector<blocked_source>& blocks) {
  json::array out;
  for (const auto& b : blocks) {
    out.push_back({{"what", b.what},
                   {"until", b.until ? utc(*b.until) : ""},
                   {"from", b.configured ? "configuration" : "operator"}});
  }
  return out;
}

json::array list(const std::vector<settings::changed_key>& changes) {
  json::array out;
  for (const auto& c : changes) {
    json::object o{{"key", c.key}};
    if (!c.added.empty() || !c.removed.empty()) {
      o["added"] = list(c.added);
      o["removed"] = list(c.removed);
    } else {
      o["old"] = c.before;
      o["new"] = c.after;
    }
    out.push_back(std::move(o));
  }
  return out;
}

json::array list(const std::vector<engine::peer_fact>& facts) {
  json::array out;
  for (const auto& f : facts) {
    out.push_back({{"feature", f.feature},
                   {"value", f.value},
                   {"how", f.how},
                   {"learned", utc(f.learned)},
                   {"expires", utc(f.expires)}});
  }
  return out;
}

json::array list(const std::vector<store_report::table>& tables) {
  json::array out;
  for (const auto& t : tables) out.push_back({{"table", t.name}, {"rows", t.rows}, {"expired", t.expired}});
  return out;
}

json::array list(const std::vector<std::string>& texts) {
  json::array out;
  for (const auto& text : texts) out.emplace_back(text);
  return out;
}

}  // namespace stox::admin
