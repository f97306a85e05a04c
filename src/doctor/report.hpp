#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "doctor/facts.hpp"

namespace stox::doctor {

enum class level : std::uint8_t {
  ok,
  note,  ///< something that nobody needs, or that could not be looked at from here
  warn,  ///< it works, but not for all or not for long
  fail,  ///< others cannot reach the domain, or many of them
};
std::string_view to_string(level l);  ///< "ok", "note", "warn", "FAIL"

struct finding {
  level how{};
  std::string what;  ///< "SRV _xmpp-server._tcp"
  std::string told;  ///< "gw.sip.example:5269"
  friend bool operator==(const finding&, const finding&) = default;
};

/// A line for the zone file. What only the domain's owner knows stands in angle brackets.
struct advice {
  std::string record;
  bool needed = false;  ///< else it helps, and all works without
  friend bool operator==(const advice&, const advice&) = default;
};

/// What is said about one of the two worlds.
struct world {
  bool looked_at = false;
  bool reached = false;  ///< others can reach the domain there: a server answers, and nothing failed
  std::vector<finding> findings;
};

struct report {
  std::string domain;
  world xmpp, sip;
  std::vector<advice> records;
  /// In every world that was looked at.
  bool is_reached() const { return (!xmpp.looked_at || xmpp.reached) && (!sip.looked_at || sip.reached); }
};

/// The judgement; `now` for what expires.
report judge(const subject& who, const facts& found, wall_time now);

std::string to_text(const report& r);
std::string to_json(const report& r);  ///< one object, with a newline behind it

}  // namespace stox::doctor
