#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::gateway {

struct domains;

/// Whom the operator does not want to hear: a SIP source (address or network), an XMPP sender (bare JID), all
/// of an XMPP domain, a SIP sender ("sip:user@domain"), or all of a SIP domain ("sip:domain").
struct block {
  std::string what;                  ///< as normal_block() gives it
  std::optional<steady_time> until;  ///< empty: until it is taken back
  bool configured = false;           ///< it stands in gateway.block
};

/// The one form in which a block is compared and shown; nullopt: it is none of these.
std::optional<std::string> normal_block(std::string_view text);

/// The same; whoever is on SIP by his domain is a SIP sender, also where he is written as logs name him, by
/// his JID.
std::optional<std::string> normal_block(std::string_view text, const domains& d);

/// Those of the configuration and the operator's, by what they name. SIP sources are the endpoint's to
/// refuse; it is told of them.
class blocklist {
 public:
  static constexpr std::size_t most = 10'000;  ///< of the operator's

  /// False: it is full. One that is there already gets the new time.
  bool add(const block& b);
  /// Only what was added; the configuration's own stay.
  bool remove(const std::string& what) { return entries_.erase(what) > 0; }
  /// Puts these, each as normal_block() gives it, in the place of the configuration's earlier ones.
  void configure(std::set<std::string, std::less<>> names) { configured_ = std::move(names); }
  /// Takes out and returns those whose time has come.
  std::vector<std::string> expire(steady_time now);
  std::optional<steady_time> next_end() const;
  bool holds(const xmpp::jid& sender) const;
  /// `user`: as the localpart of his JID; `domain`: A-labels, lower case.
  bool holds_sip(std::string_view user, std::string_view domain) const;
  /// Those that are SIP sources.
  std::set<std::string, std::less<>> sources() const;
  /// What is in both stands twice.
  std::vector<block> all() const;
  std::size_t size() const { return entries_.size() + configured_.size(); }

 private:
  bool has(std::string_view what) const { return entries_.contains(what) || configured_.contains(what); }

  std::map<std::string, std::optional<steady_time>, std::less<>> entries_;
  std::set<std::string, std::less<>> configured_;
};

}  // namespace stox::gateway
