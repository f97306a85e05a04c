#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "base/ids.hpp"
#include "base/instant.hpp"
#include "base/io.hpp"
#include "base/log.hpp"
#include "base/prefix_set.hpp"
#include "base/text.hpp"
#include "sip/machine/endpoint.hpp"

namespace stox::sip {

/// Which part of the endpoint a timer or a token belongs to. Its four bits stand above a slot_table's number.
enum class owner : std::uint8_t { server = 1, client = 2, stream = 3, answered = 4 };

inline std::uint64_t owned(owner who, std::uint64_t number) {
  return (static_cast<std::uint64_t>(who) << 60) | number;
}
inline owner owner_of(std::uint64_t key) { return static_cast<owner>(key >> 60); }
inline std::uint64_t number_of(std::uint64_t key) { return key & ((std::uint64_t{1} << 60) - 1); }

/// Whose send a token names.
struct send_origin {
  std::uint64_t key = 0;   ///< owned(...)
  std::uint32_t part = 0;  ///< client: which attempt
};

/// What the parts of the endpoint share: the outside as references, and what is to be told to it.
struct context {
  context(endpoint_options o, deadline_index& d, id_source& i, byte_account& m, io_port& p)
      : options(std::move(o)), deadlines(d), ids(i), memory(m), io(p) {}

  endpoint_options options;
  deadline_index& deadlines;
  id_source& ids;
  byte_account& memory;
  io_port& io;
  bool ready = false;
  bool draining = false;
  endpoint_stats stats;
  std::deque<event> events;
  std::vector<log_record> log;
  std::unordered_map<token, send_origin> tokens;
  prefix_set blocked;  ///< by the operator

  bool is_trusted(const ip_address& ip) const {
    return !blocked.contains(ip) && std::any_of(options.trusted_peers.begin(), options.trusted_peers.end(),
                                                [&ip](const ip_prefix& p) { return p.contains(ip); });
  }
  bool is_trusted_domain(std::string_view domain) const {
    return std::any_of(options.trusted_domains.begin(), options.trusted_domains.end(),
                       [domain](const std::string& d) { return text::iequals(d, domain); });
  }
  /// What is sent over TLS reaches only who proves the target's domain.
  bool is_trusted(const target& t) const {
    return is_trusted(t.to.ip) || (t.via == transport::tls && is_trusted_domain(t.domain));
  }
  token track(owner who, std::uint64_t number, std::uint32_t part = 0) {
    const token t = io.new_token(conn_use::sip);
    tokens.emplace(t, send_origin{owned(who, number), part});
    return t;
  }
  void arm(timer_handle& handle, owner who, std::uint64_t number, std::optional<steady_time> when) {
    deadlines.set(handle, {timer_owner::sip, owned(who, number)}, when);
  }
  void note(log_level level, std::string_view what, std::string conversation,
            std::vector<std::pair<std::string_view, std::string>> fields) {
    log.push_back({level, what, std::move(conversation), std::move(fields)});
  }
};

}  // namespace stox::sip
