#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/net_address.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::gateway {

/// Whom the operator does not want to hear: a SIP source (address or network), or an XMPP sender (bare JID)
/// or all of an XMPP domain.
struct block {
  std::string what;                  ///< as normal_block() gives it
  std::optional<steady_time> until;  ///< empty: until it is taken back
};

/// The one form in which a block is compared and shown; nullopt: it is none of the four.
std::optional<std::string> normal_block(std::string_view text);

/// The operator's blocks, by what they name. SIP sources are the endpoint's to refuse; it is told of them.
class blocklist {
 public:
  static constexpr std::size_t most = 10'000;

  /// False: it is full. One that is there already gets the new time.
  bool add(const block& b);
  bool remove(const std::string& what) { return entries_.erase(what) > 0; }
  /// Takes out and returns those whose time has come.
  std::vector<std::string> expire(steady_time now);
  std::optional<steady_time> next_end() const;
  bool holds(const xmpp::jid& sender) const;
  std::vector<block> all() const;
  std::size_t size() const { return entries_.size(); }

 private:
  std::map<std::string, std::optional<steady_time>, std::less<>> entries_;
};

}  // namespace stox::gateway
