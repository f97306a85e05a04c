#include "admin/json.hpp"

#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace stox::admin {

namespace {

namespace json = boost::json;

std::optional<log_level> level_named(std::string_view name) {
  if (name == "debug") return log_level::debug;
  if (name == "info") return log_level::info;
  if (name == "warning") return log_level::warning;
  if (name == "error") return log_level::error;
  return std::nullopt;
}

/// Counts as integers: 7, not 7E0.
json::value number(double v) {
  constexpr double exact = 9007199254740992.0;  // 2^53: up to there a double holds every integer
  if (std::trunc(v) == v && v > -exact && v < exact) return static_cast<std::int64_t>(v);
  return v;
}

json::object sample_object(const engine::sample& s) {
  json::object labels;
  for (const auto& [name, value] : s.labels) labels[name] = value;
  return {{"name", s.name}, {"labels", std::move(labels)}, {"value", number(s.value)}};
}

std::string status(const hooks& h) {
  const auto ready = h.readiness();
  json::object out{{"version", STOX_VERSION}, {"ready", ready.ready}, {"why", ready.why}};
  for (const auto& [name, value] : h.facts()) out[name] = value;
  json::array samples;
  for (const auto& s : h.samples()) samples.push_back(sample_object(s));
  out["samples"] = std::move(samples);
  return json::serialize(out);
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

std::optional<incident_query> query_of(std::string_view argument) {
  constexpr std::uint64_t last_second = 9'000'000'000;  // of the year 2255; wall_time ends in 2262
  constexpr std::uint64_t most = 1000;
  const auto blank = argument.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto since = text::to_number(argument.substr(0, blank), last_second);
  const auto limit = text::to_number(text::trim(argument.substr(blank)), most);
  if (!since || !limit || *limit == 0) return std::nullopt;
  return incident_query{wall_time(std::chrono::seconds(*since)), static_cast<unsigned>(*limit)};
}

}  // namespace

std::string error_answer(std::string_view why) { return json::serialize(json::object{{"error", why}}); }

void answer_command(std::string_view line, const hooks& h, std::function<void(std::string)> answer) {
  line = text::trim(line);
  const auto blank = line.find(' ');
  const auto command = line.substr(0, blank);
  const auto argument = blank == std::string_view::npos ? std::string_view() : text::trim(line.substr(blank));
  if (command == "status" && argument.empty()) return answer(status(h));
  if (command == "version" && argument.empty())
    return answer(json::serialize(json::object{{"version", STOX_VERSION}}));
  if (command == "log-level") {
    const auto level = level_named(argument);
    if (!level) return answer(error_answer("log-level needs debug, info, warning or error"));
    h.set_log_level(*level);
    return answer(json::serialize(json::object{{"ok", true}, {"level", argument}}));
  }
  if (command == "incidents") {
    const auto query = query_of(argument);
    if (!query)
      return answer(error_answer("incidents needs SINCE (seconds since 1970) and LIMIT (1 to 1000)"));
    return h.incidents(*query, [answer = std::move(answer)](const std::vector<incident>& found) {
      answer(json::serialize(json::object{{"incidents", list(found)}}));
    });
  }
  answer(error_answer("unknown command; use status, version, incidents SINCE LIMIT or log-level LEVEL"));
}

}  // namespace stox::admin
