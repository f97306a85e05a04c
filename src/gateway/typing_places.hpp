#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>

#include "gateway/counters.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::gateway {

/// The places of those who type at the same time, in one direction. Neither one sender, by writing to ever
/// new addresses, nor one domain, by ever new senders, takes all of them.
class typing_places {
 public:
  static constexpr std::size_t most = 10'000;
  static constexpr std::size_t most_of_domain = most / 2;
  static constexpr std::size_t most_of_sender = 32;  ///< nobody writes to more people at once

  /// nullopt: it has one; else why there is none.
  std::optional<typing_drop> take(const xmpp::jid& sender);
  void give(const xmpp::jid& sender);

 private:
  using counts = std::unordered_map<std::string, std::size_t>;
  std::size_t taken_ = 0;
  counts senders_, domains_;  ///< by bare JID, by domain
};

}  // namespace stox::gateway
