#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "gateway/counters.hpp"

namespace stox::gateway {

/// A message on its way, for the operator who asks what is open. Never its body.
struct open_message {
  direction dir{};
  std::string_view state;  ///< to XMPP its stage; to SIP "pending" or "behind_report"
  wall_time begun;
  std::string conversation, call_id, stanza_id, from, to;
  std::size_t waiting = 0;  ///< to SIP: messages behind it in its lane
};

/// The oldest `limit` rows, oldest first; a row has `begun`.
template <class Row>
std::vector<Row> oldest(std::vector<Row> rows, std::size_t limit) {
  const auto kept = std::min(limit, rows.size());
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(kept), rows.end(),
                    [](const Row& a, const Row& b) { return a.begun < b.begun; });
  rows.resize(kept);
  return rows;
}

/// Why open work ends before its time, and whose.
struct work_end {
  std::string_view domain;  ///< of a served domain's XMPP name; empty: all
  std::string_view text;    ///< for the senders
  std::string_view cause;   ///< for counters, log and incidents
  bool concerns(std::string_view served) const { return domain.empty() || domain == served; }
};
inline constexpr work_end shutdown_end{{}, "Gateway is shutting down", "shutdown"};

}  // namespace stox::gateway
