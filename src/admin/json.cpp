#include "admin/json.hpp"

#include <boost/json.hpp>
#include <cmath>
#include <cstdint>

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

}  // namespace

std::string error_answer(std::string_view why) { return json::serialize(json::object{{"error", why}}); }

std::string answer_command(std::string_view line, const hooks& h) {
  line = text::trim(line);
  const auto blank = line.find(' ');
  const auto command = line.substr(0, blank);
  const auto argument = blank == std::string_view::npos ? std::string_view() : text::trim(line.substr(blank));
  if (command == "status" && argument.empty()) return status(h);
  if (command == "version" && argument.empty())
    return json::serialize(json::object{{"version", STOX_VERSION}});
  if (command == "log-level") {
    const auto level = level_named(argument);
    if (!level) return error_answer("log-level needs debug, info, warning or error");
    h.set_log_level(*level);
    return json::serialize(json::object{{"ok", true}, {"level", argument}});
  }
  return error_answer("unknown command; use status, version or log-level LEVEL");
}

}  // namespace stox::admin
