#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/engine.hpp"

namespace stox::engine {

/// The trace format, one line per event or action:
///     <number> <wall-clock ns> <'>' event | '<' action> <name> [<key>=<value>]... [<bytes, escaped>]
/// Bytes are written with C escapes. Unless bodies are asked for, what could hold a body or a secret is shortened: SIP after the blank
/// line, and the text of <body/>, <subject/> and <handshake/>, become as many "x" - so a trace still replays with the same sizes.
std::string write_event(const event& e);
std::string write_action(const action& a);
/// Reads back what write_event wrote. Errors as text. `storage` owns the bytes that the event borrows.
boost::system::result<event, std::string> parse_event(std::string_view line, std::string& storage);

/// Replaces message bodies and secrets in wire bytes by "x", length kept.
std::string redact_sip(std::string_view bytes);
std::string redact_xml(std::string_view bytes);

/// A tap that writes numbered lines through `sink`.
class trace_writer final : public tap {
 public:
  trace_writer(std::function<void(std::string_view line)> sink, bool with_bodies)
      : sink_(std::move(sink)), with_bodies_(with_bodies) {}
  void on_event(const event& e, instant now) override;
  void on_action(const action& a, instant now) override;

 private:
  void line(char direction, const std::string& what, instant now);
  std::function<void(std::string_view)> sink_;
  bool with_bodies_;
  std::uint64_t number_ = 0;
};

}  // namespace stox::engine
