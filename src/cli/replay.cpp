#include "cli/replay.hpp"

#include <cstdio>
#include <optional>
#include <variant>
#include <vector>

#include "base/text.hpp"
#include "engine/engine.hpp"
#include "engine/trace.hpp"

namespace stox::cli {

namespace {

constexpr unsigned shown_differences = 10;

/// "< 7 1000 2000 send conn=3 ..." -> "send conn=3 ...": numbers and times are the run's own.
std::string_view what_of(std::string_view line) {
  for (int words = 0; words < 4; ++words) line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
  return line;
}

/// What the engine does now, twice: with its bytes, and redacted as a trace without bodies has them.
class two_traces final : public engine::tap {
 public:
  two_traces() : plain_(into(whole), true), redacted_(into(hidden), false) {}
  void on_event(const engine::event& e, instant now) override {
    plain_.on_event(e, now);
    redacted_.on_event(e, now);
  }
  void on_action(const engine::action& a, instant now) override {
    plain_.on_action(a, now);
    redacted_.on_action(a, now);
    if (const auto* line = std::get_if<engine::log_line>(&a)) {
      std::string text = "log " + std::string(line->record.event);
      for (const auto& [key, value] : line->record.fields)
        text.append(" ").append(key).append("=").append(value);
      logs.push_back(std::move(text));
    }
  }

  std::vector<std::string> whole, hidden, logs;

 private:
  static engine::trace_writer::sink into(std::vector<std::string>& list) {
    return [&list](std::string_view line) {
      if (line.starts_with("< ")) list.emplace_back(what_of(line));
    };
  }
  engine::trace_writer plain_, redacted_;
};

/// One replay: the lines in, the text out.
class player {
 public:
  explicit player(const settings::all& settings, engine::replayed_ids& ids) : engine_(settings, ids) {
    engine_.set_tap(&now_);
  }

  std::optional<error> event(std::string_view line, std::size_t number) {
    if (what_of(line).starts_with("reconfigured")) {
      text_ +=
          "# line " + std::to_string(number) + ": the configuration changed here; the replay keeps its own\n";
      return std::nullopt;
    }
    const auto read = engine::parse_trace_event(line, storage_);
    if (!read) return error(errc::bad_trace, "line " + std::to_string(number) + " is no event of a trace");
    if (!start_) start_ = read->at.steady;
    const auto logs = now_.logs.size();
    const auto actions = now_.whole.size();
    engine_.handle(read->event, read->at);
    while (engine_.poll()) {
    }
    text_ += stamp(read->at.steady) + " > " + std::string(what_of(line)) + "\n";
    for (auto i = logs; i < now_.logs.size(); ++i)
      text_ += stamp(read->at.steady) + "   " + now_.logs[i] + "\n";
    for (auto i = actions; i < now_.whole.size(); ++i)
      text_ += stamp(read->at.steady) + " < " + now_.whole[i] + "\n";
    return std::nullopt;
  }

  void action(std::string_view line) { recorded_.emplace_back(what_of(line)); }

  replayed finish() {
    unsigned different = 0;
    const auto count = std::max(recorded_.size(), now_.whole.size());
    for (std::size_t i = 0; i < count; ++i) {
      const bool both = i < recorded_.size() && i < now_.whole.size();
      if (both && (recorded_[i] == now_.whole[i] || recorded_[i] == now_.hidden[i])) continue;
      if (++different > shown_differences) continue;
      text_ += "# action " + std::to_string(i + 1) + " differs\n";
      if (i < recorded_.size()) text_ += "- " + recorded_[i] + "\n";
      if (i < now_.whole.size()) text_ += "+ " + now_.whole[i] + "\n";
    }
    text_ += "# " + std::to_string(count) + " actions, " +
             (different == 0 ? std::string("all as recorded")
                             : std::to_string(different) + " otherwise than recorded") +
             "\n";
    return {std::move(text_), different == 0};
  }

 private:
  std::string stamp(steady_time at) const {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%10.6f", std::chrono::duration<double>(at - *start_).count());
    return buffer;
  }

  two_traces now_;
  engine::engine engine_;
  std::optional<steady_time> start_;
  std::vector<std::string> recorded_;
  std::string text_, storage_;
};

}  // namespace

result<replayed> replay(std::string_view trace, const settings::all& settings) {
  auto lines = text::split(trace, '\n');
  if (lines.front() != engine::trace_header) {
    return error(errc::bad_trace, "line 1 is not \"" + std::string(engine::trace_header) +
                                      "\": no trace of stoxd --record, or one of another version");
  }
  // What follows the last line end is empty, or a line that a killed daemon did not finish.
  lines.pop_back();
  engine::replayed_ids ids;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].starts_with("= ") && !ids.add(lines[i]))
      return error(errc::bad_trace, "line " + std::to_string(i + 1) + " is no identifier of a trace");
  }
  player run(settings, ids);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].starts_with("< ")) run.action(lines[i]);
    if (!lines[i].starts_with("> ")) continue;
    if (auto bad = run.event(lines[i], i + 1)) return *bad;
  }
  return run.finish();
}

}  // namespace stox::cli
