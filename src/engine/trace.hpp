#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "engine/engine.hpp"
#include "engine/redact.hpp"

namespace stox::engine {

/// The trace: what crossed the engine's edge, one line each, in order.
///     stox-trace 2
///     > NUMBER STEADY_NS WALL_NS received conn=3 from=192.0.2.1:5060 bytes="MESSAGE ..."
///     < NUMBER STEADY_NS WALL_NS send conn=3 token=0 to=192.0.2.1:5060 bytes="SIP/2.0 ..."
///     = branch z9hG4bK...       (an identifier that the engine drew; or "= below N")
/// '>' is an event, '<' an action. Bytes have C escapes and are redacted (redact.hpp): secrets always, what
/// people say unless bodies were asked for. Log lines are not part of it.
inline constexpr std::string_view trace_header = "stox-trace 2";

enum class trace_errc {
  bad_line = 1,  ///< not a line of a trace
};
const char* errc_name(trace_errc e);
STOX_ERROR_CATEGORY(trace_errc, "engine.trace")

/// Writes the lines of everything that crosses through `sink`.
class trace_writer final : public tap {
 public:
  using sink = std::function<void(std::string_view line)>;
  trace_writer(sink out, bool with_bodies);
  void on_event(const event& e, instant now) override;
  void on_action(const action& a, instant now) override;

 private:
  void line(char mark, const std::string& what, instant now);
  std::string bytes_of(conn_id conn, redactor::direction d, std::string_view bytes);
  sink out_;
  redactor redact_;
  std::set<conn_id> datagram_conns_;
  std::uint64_t number_ = 0;
};

/// Passes another source's identifiers on and writes them into the trace, so that a replay draws the same
/// ones.
class recording_ids final : public id_source {
 public:
  recording_ids(id_source& inner, trace_writer::sink out) : inner_(inner), out_(std::move(out)) {}
  std::string next(id_kind kind) override;
  std::uint64_t below(std::uint64_t bound) override;

 private:
  id_source& inner_;
  trace_writer::sink out_;
};

/// Gives the identifiers of a trace back in their order; beyond its end it counts.
class replayed_ids final : public id_source {
 public:
  /// Takes a "= ..." line of the trace.
  result<void> add(std::string_view line);
  std::string next(id_kind kind) override;
  std::uint64_t below(std::uint64_t bound) override;

 private:
  std::deque<std::string> ids_;
  std::deque<std::uint64_t> numbers_;
  counting_ids beyond_;
};

/// An event line, read back. `bytes` in it borrow from `storage`.
struct trace_event {
  stox::engine::event event;
  instant at;
};
result<trace_event> parse_trace_event(std::string_view line, std::string& storage);

}  // namespace stox::engine

template <>
struct std::is_error_code_enum<stox::engine::trace_errc> : std::true_type {};
