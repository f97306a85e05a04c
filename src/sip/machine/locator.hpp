#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "dns/resolver.hpp"
#include "sip/machine/locate.hpp"

namespace stox::sip {

/// Finds the targets of requests, asking the DNS as far as that is needed. Each search keeps the answers that
/// it has seen, so that it ends also when their time to live is 0.
class locator {
 public:
  locator(dns::resolver& dns, id_source& ids, byte_account& memory) : dns_(dns), ids_(ids), memory_(memory) {}

  /// Begins a search for `request`. The outcome are the targets of all hops, in their order; once the first
  /// ones have targets nobody waits for the DNS about later ones. nullopt: it comes by poll().
  std::optional<located> start(std::uint64_t request, std::vector<destination> hops, const reach& can,
                               instant now);
  /// The request does not wait any more.
  void stop(std::uint64_t request) { searches_.erase(request); }
  void answered(const dns::resolver::answered& a, instant now);

  struct outcome {
    std::uint64_t request = 0;
    located found;
  };
  std::optional<outcome> poll();
  bool is_searching(std::uint64_t request) const { return searches_.contains(request); }
  std::size_t size() const { return searches_.size(); }

 private:
  struct search {
    std::vector<destination> hops;
    reach can;
    dns_answers known;
    std::size_t open = 0;  ///< questions whose answers it waits for
    charge memory;         ///< of `known`
  };
  std::optional<located> advance(search& s, std::uint64_t request, instant now);
  located look(const search& s);

  void learn(search& s, const dns::question& q, const dns::answer& a);

  /// Questions of one search: a domain's records could name a thousand hosts.
  static constexpr std::size_t most_questions = 48;
  dns::resolver& dns_;
  id_source& ids_;
  byte_account& memory_;
  std::unordered_map<std::uint64_t, search> searches_;
  std::map<dns::question, std::vector<std::uint64_t>> waiting_;  ///< requests, also some that have stopped
  std::deque<outcome> outcomes_;
};

}  // namespace stox::sip
