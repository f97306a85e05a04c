#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "gateway/context.hpp"
#include "gateway/rate_limit.hpp"

namespace stox::gateway {

/// What names a message in log lines and incidents; what is not known is empty.
struct about {
  std::string conversation, call_id, stanza_id;
  std::string from, to;
};

/// One log line about a message: its names, then `more`.
void note(context& c, log_level level, std::string_view event, about a,
          std::vector<std::pair<std::string_view, std::string>> more);

/// A loop between the two addresses was broken; said at a warning, once in five minutes for each pair.
/// `cause`: what showed it.
void note_loop(context& c, rate_limit& rates, about a, std::string_view cause);

/// Keeps an incident; `domain`: the served domain's XMPP name.
void raise(context& c, std::string_view kind, about a, std::string_view domain, std::string_view cause);

/// The error for an XMPP sender could not be written, or the server did not confirm it: he may wait for an
/// answer for ever. Beside the message's outcome, which is decided already.
void sender_unreachable(context& c, about a, std::string_view domain, std::string_view cause);

}  // namespace stox::gateway
